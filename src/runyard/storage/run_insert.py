"""Inserting runs, in whatever transaction asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from ..core.bounds import check_run
from ..core.errors import OverlapRefused
from ..core.events import EventType
from ..core.run import NewRun, Run, RunStatus
from .database import Database
from .journal import change, engine_event, same_event_rows, write_changes, write_events
from .overlap import cancel_replaced, settle_overlaps
from .queue_counts import count_moves
from .rows import new_run_row
from .schema import events, run_tags, runs
from .stored_rules import RulesInForce, StoredRules


class Inserted(NamedTuple):
    """``refused``: by run id, those that an overlap policy kept out."""

    runs: list[Run]
    refused: dict[str, OverlapRefused]


def insert_runs(
    database: Database,
    stored_rules: StoredRules,
    connection: sa.Connection,
    new: Sequence[NewRun],
    *,
    enqueue: bool,
    now: float,
) -> Inserted:
    """Insert runs with their tags and events, in the order given; ``enqueue`` gives them their place in the queue.

    Raises:
        TooLarge, InvalidTag: a run is larger than Runyard keeps, or a tag cannot be given back as it was.
    """
    for run in new:
        check_run(run)
    if not enqueue:
        return Inserted(_insert(database, None, connection, new, now), {})
    in_force = stored_rules.lock(connection)
    overlaps = settle_overlaps(database, connection, in_force.rules, new)
    added = _insert(database, in_force, connection, overlaps.wanted, now)
    return Inserted(cancel_replaced(database, connection, overlaps, added, now), overlaps.refused)


def insert_retry(
    database: Database, in_force: RulesInForce, connection: sa.Connection, retry: NewRun, now: float
) -> None:
    """Enqueue one run under rules that are locked; it never takes the place of others.

    What it takes over from a run that was stored before there were bounds is kept as it is.

    Raises:
        OverlapRefused: the overlap policy of its job keeps it out.
    """
    overlaps = settle_overlaps(database, connection, in_force.rules, [retry])
    for refused in overlaps.refused.values():
        raise refused
    if overlaps.replaced:
        raise OverlapRefused(retry.job_name, "cancel_old", "runs that came later have taken its place")
    _insert(database, in_force, connection, [retry], now)


def _insert(
    database: Database, in_force: RulesInForce | None, connection: sa.Connection, new: Sequence[NewRun], now: float
) -> list[Run]:
    """QUEUED under the rules in force, NOT_STARTED without."""
    if not new:
        return []
    rows = [new_run_row(run, now) for run in new]
    if in_force is not None:
        _queue(database, in_force, connection, new, rows, now)
    else:
        for row in rows:
            row["status"] = RunStatus.NOT_STARTED.value
    numbers = database.insert_numbered(connection, runs, rows)
    tags = [
        {"run_no": number, "key": key, "value": value}
        for run, number in zip(new, numbers, strict=True)
        for key, value in run.tags.items()
    ]
    database.insert_all(connection, run_tags, tags)
    if in_force is not None:
        _tell_enqueued(database, connection, rows, now)
    warnings = [engine_event(run.run_id, now, text, level="WARNING") for run in new for text in run.warnings]
    write_events(database, connection, warnings)
    return [_record(run, row) for run, row in zip(new, rows, strict=True)]


def _queue(
    database: Database,
    in_force: RulesInForce,
    connection: sa.Connection,
    new: Sequence[NewRun],
    rows: list[dict[str, Any]],
    now: float,
) -> None:
    """Fill in the queue's columns."""
    places = database.numbers(connection, "queue_seq", len(rows))
    for run, row, place in zip(new, rows, places, strict=True):
        row["status"] = RunStatus.QUEUED.value
        row["queue_seq"] = place
        row["queued_at"] = now
        row["lane_version"] = in_force.lane_version
        row["lane"] = in_force.lane(
            location_name=run.location_name, job_name=run.job_name, tags=run.tags, pools=run.pools
        )


def _tell_enqueued(database: Database, connection: sa.Connection, rows: list[dict[str, Any]], now: float) -> None:
    run_ids = [row["run_id"] for row in rows]
    told = same_event_rows(run_ids, EventType.RUN_ENQUEUED, now, attempt=0, message="Enqueued.")
    database.insert_all(connection, events, told)
    write_changes(database, connection, _changes(rows))
    count_moves(connection, come=[(0, row["np"], row["queue_seq"]) for row in rows])


def _changes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One a lane: the leader reads its head again, however many runs it got."""
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row["lane"], row["run_id"])
    return [change("lane", lane=lane, run_id=run_id, status=RunStatus.QUEUED) for lane, run_id in first.items()]


def _record(run: NewRun, row: dict[str, Any]) -> Run:
    return Run(
        run_id=run.run_id,
        job_name=run.job_name,
        location_name=run.location_name,
        status=RunStatus(row["status"]),
        priority=run.priority,
        tags=run.tags,
        run_config=run.run_config,
        queue_seq=row.get("queue_seq"),
        created_at=row["created_at"],
        queued_at=row.get("queued_at"),
        lane=row.get("lane"),
        pools=run.pools,
        parent_run_id=run.parent_run_id,
        root_run_id=run.root_run_id,
    )
