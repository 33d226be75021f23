"""What every change of a run leaves behind in its transaction: an event, and the changes that admission follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..core.events import Event, EventType
from ..core.run import ACTIVE, RunFailure, RunStatus
from .database import Database
from .rows import event_row
from .schema import events, queue_changes

ChangeRow = dict[str, Any]


def write_events(database: Database, connection: sa.Connection, rows: list[Event]) -> None:
    database.insert_all(connection, events, [event_row(event) for event in rows])


def write_changes(database: Database, connection: sa.Connection, rows: list[ChangeRow]) -> None:
    database.insert_all(connection, queue_changes, rows)


def change(kind: str, *, lane: str | None, run_id: str | None = None, status: RunStatus | None = None) -> ChangeRow:
    return {"kind": kind, "lane": lane, "run_id": run_id, "status": None if status is None else status.value}


def changes_of(run_id: str, lane: str | None, source: RunStatus, target: RunStatus) -> list[ChangeRow]:
    """What a change of status means to admission; a claim needs none, see ``claims``."""
    found = []
    if target is RunStatus.STARTED or (source, target) == (RunStatus.NOT_STARTED, RunStatus.STARTING):
        found.append(change("started", lane=lane, run_id=run_id, status=target))
    elif source in ACTIVE and target not in ACTIVE:
        found.append(change("ended", lane=lane, run_id=run_id, status=target))
    if RunStatus.QUEUED in (source, target) and target is not RunStatus.STARTING:
        found.append(change("lane", lane=lane, run_id=run_id, status=target))
    return found


def status_event(
    run_id: str, kind: EventType, now: float, *, attempt: int, message: str, failure: RunFailure | None = None
) -> Event:
    """The event that a change of status is recorded with."""
    data = {}
    if failure is not None:
        data = {
            "failure": {
                "error_class": failure.error_class,
                "message": failure.message,
                "step_key": failure.step_key,
            }
        }
    return Event(
        run_id=run_id,
        type=kind,
        timestamp=now,
        attempt=attempt,
        level="ERROR" if kind is EventType.RUN_FAILURE else "INFO",
        message=message,
        data=data,
    )


def same_event_rows(
    run_ids: Sequence[str], kind: EventType, now: float, *, attempt: int, message: str
) -> list[dict[str, Any]]:
    """Rows of one event on many runs: what is the same in all of them is made once."""
    row = event_row(status_event("", kind, now, attempt=attempt, message=message))
    return [row | {"run_id": run_id} for run_id in run_ids]


def engine_event(run_id: str, now: float, message: str, *, attempt: int = 0, level: str = "INFO") -> Event:
    return Event(
        run_id=run_id, type=EventType.ENGINE_EVENT, timestamp=now, attempt=attempt, level=level, message=message
    )
