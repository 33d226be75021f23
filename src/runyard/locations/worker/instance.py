"""``context.instance`` in a worker: asked through the host, so that 200 workers are one database connection."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...core.errors import RunyardError
from ...core.run import Run
from ...definitions.errors import InvalidInvocation
from ...definitions.records import DagsterRun, RunRecord, RunsFilter
from ..codec import decoder, pack
from ..messages import Answer, Query
from .cancellation import Cancellation
from .link import HostLink

_QUERY = decoder(Query)


class InstanceUnavailable(RunyardError):
    """The instance could not answer what user code asked."""


class HostInstance:
    """``definitions.engine.InstanceClient`` over the conversation with the host."""

    def __init__(self, link: HostLink, cancellation: Cancellation) -> None:
        self._link, self._cancellation = link, cancellation

    def get_run_by_id(self, run_id: str) -> DagsterRun | None:
        found = self._ask(Query(id=0, method="get", run_id=run_id)).runs
        return DagsterRun.of(found[0]) if found else None

    def get_runs(
        self, filters: RunsFilter | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Sequence[DagsterRun]:
        return [DagsterRun.of(run) for run in self._list(filters, cursor, limit)]

    def get_run_records(
        self, filters: RunsFilter | None = None, limit: int | None = None, *, cursor: str | None = None
    ) -> Sequence[RunRecord]:
        return [RunRecord.of(run) for run in self._list(filters, cursor, limit)]

    def get_runs_count(self, filters: RunsFilter | None = None) -> int:
        return self._ask(Query(id=0, method="count", filters=_plain(filters))).count

    def _list(self, filters: RunsFilter | None, cursor: str | None, limit: int | None) -> Sequence[Run]:
        query = Query(id=0, method="list", filters=_plain(filters), cursor=cursor, limit=limit)
        return self._ask(query).runs

    def _ask(self, query: Query) -> Answer:
        return _ask(self._link, self._cancellation, query)


def steps_done(link: HostLink, cancellation: Cancellation, run_id: str) -> dict[str, tuple[str, ...]]:
    """Which steps of a run have succeeded, see ``core.step.steps_done``."""
    return _ask(link, cancellation, Query(id=0, method="steps", run_id=run_id)).steps


def _ask(link: HostLink, cancellation: Cancellation, query: Query) -> Answer:
    _check(query)
    with cancellation.shield():
        answer = link.ask(query)
    if answer.error is not None:
        raise InstanceUnavailable(answer.error)
    return answer


def _check(query: Query) -> None:
    """Raises InvalidInvocation for what the host would not understand: it would end the conversation."""
    try:
        _QUERY.decode(pack(query))
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInvocation(f"The instance cannot be asked this: {error}.") from None


def _plain(filters: RunsFilter | None) -> RunsFilter | None:
    """Any sequence or mapping that a user gives, as the list or dict that travels.

    Raises:
        InvalidInvocation: it is no RunsFilter, or a field is of another type.
    """
    try:
        return None if filters is None else msgspec.convert(filters, RunsFilter, from_attributes=True)
    except msgspec.ValidationError as error:
        raise InvalidInvocation(f"The instance cannot be asked this: {error}.") from None
