"""The one way in which a single run's status changes: compare-and-set, with its event, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from ..core.run import ACTIVE, FINISHED, Run, RunFailure, RunStatus
from ..core.transitions import transition
from .database import Database
from .journal import changes_of, status_event, write_changes, write_events
from .pool_holders import give_back
from .queue_counts import count_moves, place_of
from .rows import RUN_COLUMNS, text, to_run
from .schema import runs

_LOCKED = sa.select(*RUN_COLUMNS).where(runs.c.run_id == sa.bindparam("run_id")).with_for_update()


def lock_run(connection: sa.Connection, run_id: str) -> Run | None:
    """The run as it is, its row locked until the transaction ends."""
    row = connection.execute(_LOCKED, {"run_id": run_id}).one_or_none()
    return None if row is None else to_run(row)


def change_status(
    database: Database,
    connection: sa.Connection,
    run_id: str,
    target: RunStatus,
    *,
    expected: Iterable[RunStatus],
    now: float,
    message: str,
    attempt: int | None = None,
    failure: RunFailure | None = None,
    values: Mapping[str, Any] | None = None,
) -> Run | None:
    """Move a run to ``target``; None when its status or attempt is another than expected.

    Raises:
        ForbiddenTransition: the table does not lead from one of ``expected`` to ``target``.
    """
    allowed = {source: transition(source, target) for source in expected}
    run = lock_run(connection, run_id)
    if run is None or run.status not in allowed or attempt not in (None, run.attempt):
        return None
    changed = _set(connection, run, _values(target, now, failure) | dict(values or {}))
    event = status_event(
        run_id, allowed[run.status].event, now, attempt=changed.attempt, message=message, failure=failure
    )
    write_events(database, connection, [event])
    write_changes(database, connection, changes_of(run_id, changed.lane, run.status, target))
    count_moves(
        connection,
        come=[place_of(changed)] if target is RunStatus.QUEUED else (),
        go=[place_of(run)] if run.status is RunStatus.QUEUED else (),
    )
    if run.status in ACTIVE and (target not in ACTIVE or changed.attempt != run.attempt):
        give_back(database, connection, run_ids=[run_id], now=now)
    return changed


def _set(connection: sa.Connection, run: Run, values: Mapping[str, Any]) -> Run:
    statement = (
        sa.update(runs)
        .where(runs.c.run_id == run.run_id, runs.c.status == run.status.value, runs.c.attempt == run.attempt)
        .values(**values)
        .returning(*RUN_COLUMNS)
    )
    return to_run(connection.execute(statement).one())


def _values(target: RunStatus, now: float, failure: RunFailure | None) -> dict[str, Any]:
    """The columns that go with being in ``target``."""
    values: dict[str, Any] = {"status": target.value, "stop_failure": None}
    if target in FINISHED or target in ACTIVE:
        values["held"] = 0
    if target in FINISHED:
        values["ended_at"] = now
    if target is RunStatus.CANCELING:
        values["canceling_at"] = now
    if target is RunStatus.FAILURE:
        values["failure"] = text(failure)
    return values
