"""Runs and the changes of their status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from ..core.errors import KeyReused, RunNotFound, UnknownCursor, WrongState
from ..core.events import Event
from ..core.launch import WorkerReport
from ..core.lease import Fence
from ..core.request_key import RequestKey
from ..core.run import ACTIVE, FINISHED, NewRun, Run, RunFailure, RunStatus
from .database import Database
from .journal import engine_event, write_events
from .protocols import RunsFilter
from .reports import apply_reports
from .rows import RUN_COLUMNS, decode_names, text, to_run
from .run_ending import RunEnding
from .run_insert import insert_runs
from .run_status import change_status, lock_run
from .schema import events, idempotency_keys, run_tags, runs
from .stored_rules import StoredRules
from .upsert import insert_new

_RUN = sa.select(*RUN_COLUMNS)
_BY_ID = _RUN.where(runs.c.run_id == sa.bindparam("run_id"))
_FORGET_STOP = (
    sa.update(runs)
    .where(
        runs.c.run_id == sa.bindparam("key"),
        runs.c.status == RunStatus.CANCELING.value,
        runs.c.stop_failure.is_not(None),
    )
    .values(stop_failure=None)
    .returning(*RUN_COLUMNS)
)
_LAST_CHARACTER = "\U0010ffff"


class SqlRuns:
    """``storage.protocols.Runs``."""

    def __init__(self, database: Database, stored_rules: StoredRules) -> None:
        self._database = database
        self._rules = stored_rules

    def add(self, runs: Sequence[NewRun], *, enqueue: bool, key: RequestKey | None = None) -> list[Run]:
        now = self._database.clock.now()
        with self._database.write() as connection:
            if key is not None:
                run_ids = [run.run_id for run in runs]
                before = self._claim_key(connection, key, run_ids, now)
                if before is not None:
                    return before
            added = insert_runs(self._database, self._rules, connection, runs, enqueue=enqueue, now=now)
            for refused in added.refused.values():
                # Takes back the others too.
                raise refused
            return added.runs

    def _claim_key(
        self, connection: sa.Connection, key: RequestKey, run_ids: Sequence[str], now: float
    ) -> list[Run] | None:
        """The runs that the key was used for before; None when it is new, and ours from now on.

        Raises:
            KeyReused: it was used for another request, or its runs were deleted since.
        """
        row = {"key": key.text, "request": key.request, "run_ids": text(run_ids), "created_at": now}
        if insert_new(self._database, connection, idempotency_keys, [row], "key"):
            return None
        columns = (idempotency_keys.c.request, idempotency_keys.c.run_ids)
        request, stored = connection.execute(sa.select(*columns).where(idempotency_keys.c.key == key.text)).one()
        made = connection.execute(_RUN.where(runs.c.run_id.in_(decode_names(stored))).order_by(runs.c.id))
        before = [to_run(row) for row in made]
        if request not in (None, key.request) or not before:
            raise KeyReused(key.text, [run.run_id for run in before])
        return before

    def get(self, run_id: str) -> Run | None:
        with self._database.read() as connection:
            row = connection.execute(_BY_ID, {"run_id": run_id}).one_or_none()
        return None if row is None else to_run(row)

    def find_by_prefix(self, prefix: str) -> list[Run]:
        query = _RUN.where(runs.c.run_id >= prefix, runs.c.run_id <= prefix + _LAST_CHARACTER)
        with self._database.read() as connection:
            return [to_run(row) for row in connection.execute(query.order_by(runs.c.run_id).limit(2))]

    def list(self, where: RunsFilter, *, limit: int, after: str | None = None) -> Sequence[Run]:
        query = _RUN.where(*_conditions(where)).order_by(runs.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            if after is not None:
                query = query.where(runs.c.id < _place(connection, after))
            return [to_run(row) for row in connection.execute(query)]

    def count(self, where: RunsFilter) -> int:
        query = sa.select(sa.func.count()).select_from(runs).where(*_conditions(where))
        with self._database.read() as connection:
            number: int = connection.execute(query).scalar_one()
            return number

    def count_by_status(self) -> dict[RunStatus, int]:
        query = sa.select(runs.c.status, sa.func.count()).group_by(runs.c.status)
        with self._database.read() as connection:
            return {RunStatus(status): number for status, number in connection.execute(query)}

    def has_tag(self, key: str, value: str | None = None) -> bool:
        query = sa.select(run_tags.c.run_no).where(run_tags.c.key == key).limit(1)
        if value is not None:
            query = query.where(run_tags.c.value == value)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def latest_tags(self, limit: int) -> dict[str, set[str]]:
        newest = sa.select(runs.c.id).order_by(runs.c.id.desc()).limit(limit).subquery()
        oldest = sa.select(sa.func.min(newest.c.id)).scalar_subquery()
        query = sa.select(run_tags.c.key, run_tags.c.value).where(run_tags.c.run_no >= oldest).distinct()
        found: dict[str, set[str]] = {}
        with self._database.read() as connection:
            for key, value in connection.execute(query):
                found.setdefault(key, set()).add(value)
        return found

    def cancel_waiting(self, run_id: str, *, message: str, now: float) -> Run | None:
        waiting = (RunStatus.NOT_STARTED, RunStatus.QUEUED)
        return self._change(run_id, RunStatus.CANCELED, expected=waiting, message=message, now=now)

    def cancel_active(self, run_id: str, *, message: str, now: float, failure: RunFailure | None = None) -> Run | None:
        running = (RunStatus.STARTING, RunStatus.STARTED)
        values = {"stop_failure": None if failure is None else text(failure)}
        return self._change(run_id, RunStatus.CANCELING, expected=running, message=message, now=now, values=values)

    def cancel_stopping(self, run_id: str, *, message: str, now: float) -> Run | None:
        with self._database.write() as connection:
            row = connection.execute(_FORGET_STOP, {"key": run_id}).one_or_none()
            if row is None:
                return None
            run = to_run(row)
            write_events(self._database, connection, [engine_event(run_id, now, message, attempt=run.attempt)])
        return run

    def fail(
        self,
        run_id: str,
        *,
        attempt: int,
        expected: Iterable[RunStatus],
        failure: RunFailure,
        now: float,
        fence: Fence | None = None,
    ) -> Run | None:
        with self._database.write(fence) as connection:
            return self._ends(connection, run_id).fail(expected, attempt, failure, now)

    def lose_worker(
        self, run_id: str, *, attempt: int, failure: RunFailure, now: float, fence: Fence | None = None
    ) -> Run | None:
        with self._database.write(fence) as connection:
            return self._ends(connection, run_id).lose_worker(attempt, failure, now)

    def end_canceling(
        self, run_id: str, *, attempt: int, message: str, now: float, fence: Fence | None = None
    ) -> Run | None:
        with self._database.write(fence) as connection:
            return self._ends(connection, run_id).end_canceling(attempt, message, now)

    def _ends(self, connection: sa.Connection, run_id: str) -> RunEnding:
        return RunEnding(self._database, self._rules, connection, run_id)

    def requeue(self, run_id: str, *, attempt: int, reason: str, now: float, fence: Fence | None = None) -> Run | None:
        with self._database.write(fence) as connection:
            run = lock_run(connection, run_id)
            if run is None or run.queue_seq is None:
                # Started directly: it has no place in the queue to go back to.
                return None
            return change_status(
                self._database,
                connection,
                run_id,
                RunStatus.QUEUED,
                expected=(RunStatus.STARTING,),
                attempt=attempt,
                message=reason,
                now=now,
                values={"launch_token": None, "launch_seq": None, "launched_at": None, "host_id": None, "pid": None},
            )

    def _change(self, run_id: str, target: RunStatus, *, fence: Fence | None = None, **rest: Any) -> Run | None:
        with self._database.write(fence) as connection:
            return change_status(self._database, connection, run_id, target, **rest)

    def report(self, reports: Sequence[WorkerReport]) -> Sequence[bool]:
        if not reports:
            return []
        with self._database.write() as connection:
            return apply_reports(self._database, self._rules, connection, reports, self._database.clock.now())

    def assign_host(self, run_id: str, *, attempt: int, host_id: str, pid: int | None) -> None:
        statement = sa.update(runs).where(runs.c.run_id == run_id, runs.c.attempt == attempt)
        values = {"host_id": host_id} | ({} if pid is None else {"pid": pid})
        with self._database.write() as connection:
            connection.execute(statement.values(**values))

    def note(self, event: Event) -> None:
        """Raises RunNotFound: an event of a run that was deleted would stay for ever."""
        with self._database.write() as connection:
            if lock_run(connection, event.run_id) is None:
                raise RunNotFound(event.run_id)
            write_events(self._database, connection, [event])

    def delete(self, run_id: str) -> bool:
        with self._database.write() as connection:
            run = lock_run(connection, run_id)
            if run is None:
                return False
            if run.status not in FINISHED and run.status is not RunStatus.NOT_STARTED:
                raise WrongState(f"Run {run_id} is {run.status.value}: cancel it before deleting it.")
            connection.execute(sa.delete(events).where(events.c.run_id == run_id))
            connection.execute(sa.delete(runs).where(runs.c.run_id == run_id))
        return True


def _place(connection: sa.Connection, run_id: str) -> int:
    """The row of the run that a page ended with."""
    place: int | None = connection.execute(sa.select(runs.c.id).where(runs.c.run_id == run_id)).scalar()
    if place is None:
        raise UnknownCursor(run_id, "no run has this id, or it was deleted since. Begin again without 'after'.")
    return place


def _conditions(where: RunsFilter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if where.run_ids:
        found.append(runs.c.run_id.in_(where.run_ids))
    if where.job_name is not None:
        found.append(runs.c.job_name == where.job_name)
    if where.location_name is not None:
        found.append(runs.c.location_name == where.location_name)
    if where.statuses:
        found.append(_has_status(where.statuses))
    if where.host_id is not None:
        found.append(runs.c.host_id == where.host_id)
    has_tag = _is_tagged if where.statuses and ACTIVE.issuperset(where.statuses) else _has_tag
    return found + [has_tag(key, value) for key, value in where.tags.items()]


def _has_status(statuses: Sequence[RunStatus]) -> sa.ColumnElement[bool]:
    values = [status.value for status in statuses]
    if len(values) == 1:
        return runs.c.status == values[0]
    # Most runs are finished: walking back from the newest finds a page sooner than sorting an index's worth of them.
    column = runs.c.status.concat("") if FINISHED.intersection(statuses) else runs.c.status
    return column.in_(values)


def _has_tag(key: str, value: str) -> sa.ColumnElement[bool]:
    return runs.c.id.in_(sa.select(run_tags.c.run_no).where(run_tags.c.key == key, run_tags.c.value == value))


def _is_tagged(key: str, value: str) -> sa.ColumnElement[bool]:
    """Looked up run by run: active ones are few beside all that ever had the tag."""
    stored = sa.select(run_tags.c.value).where(run_tags.c.run_no == runs.c.id, run_tags.c.key == key)
    return stored.scalar_subquery() == value
