"""What people do to queued runs, many in one transaction, in as many statements however many runs there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ..core.events import Event
from ..core.queue import QueueFilter, Steering
from ..core.run import RunStatus
from ..core.tags import PRIORITY
from ..core.transitions import transition
from .database import Database
from .journal import change, engine_event, status_event, write_changes, write_events
from .queue_counts import Place, count_moves
from .rows import decode_pools, decode_tags, text
from .schema import QUEUED, run_tags, runs
from .stored_rules import RulesInForce, StoredRules

_KEYS = sa.select(runs.c.id, runs.c.run_id).order_by(runs.c.id)
# SQLite would rather walk all that is queued than look up a few runs by their ids.
_QUEUED_BY_ID = runs.c.status.concat("") == RunStatus.QUEUED.value
# Locked in the order in which reports and claims lock theirs, so that neither waits for the other.
_LOCKED = (
    sa.select(
        *(runs.c[name] for name in ["id", "run_id", "attempt", "np", "queue_seq", "held", "lane"]),
        *(runs.c[name] for name in ["lane_version", "job_name", "location_name", "tags", "pools"]),
    )
    .where(runs.c.id.in_(sa.bindparam("ids", expanding=True)), _QUEUED_BY_ID)
    .order_by(runs.c.run_id)
    .with_for_update()
)
_REPRIORITISE = (
    sa.update(runs)
    .where(runs.c.id == sa.bindparam("key"))
    .values({name: sa.bindparam(f"new_{name}") for name in ["np", "tags", "lane", "lane_version"]})
)


class Key(NamedTuple):
    id: int
    run_id: str


class _Target(msgspec.Struct):
    """A queued run that is steered, its row locked."""

    id: int
    run_id: str
    attempt: int
    np: int
    queue_seq: int
    held: int
    lane: str
    lane_version: int
    job_name: str
    location_name: str
    tags: str
    pools: str


def queued_where(where: QueueFilter) -> list[sa.ColumnElement[bool]]:
    """The conditions of a filter, beside that of being queued."""
    plain = {"job_name": where.job_name, "location_name": where.location_name}
    found = [runs.c[name] == value for name, value in plain.items() if value is not None]
    if where.run_ids:
        found.append(runs.c.run_id.in_(where.run_ids))
    if where.priority is not None:
        found.append(runs.c.np == -where.priority)
    if where.held is not None:
        found.append(runs.c.held == int(where.held))
    return found + [_has_tag(key, value) for key, value in where.tags.items()]


def _has_tag(key: str, value: str) -> sa.ColumnElement[bool]:
    """Looked up run by run: a list of all runs that ever had the tag would be made for every transaction."""
    return sa.exists().where(run_tags.c.run_no == runs.c.id, run_tags.c.key == key, run_tags.c.value == value)


def find_some(
    connection: sa.Connection, where: QueueFilter, steering: Steering, *, after: int | None, limit: int
) -> Sequence[Key]:
    """Runs to be steered, in the order of their rows; looked for before anything is locked, as it may take long."""
    status = _QUEUED_BY_ID if where.run_ids else QUEUED
    query = _KEYS.where(status, *queued_where(where), _differs(steering)).limit(limit)
    if after is not None:
        query = query.where(runs.c.id > after)
    return [Key(*row) for row in connection.execute(query)]


def steer_some(
    database: Database,
    stored_rules: StoredRules,
    connection: sa.Connection,
    keys: Sequence[Key],
    where: QueueFilter,
    steering: Steering,
    now: float,
) -> tuple[str, ...]:
    """Steer those of the runs that still match; their ids."""
    # Before any run's row, as everywhere: lanes are computed under rules that stay.
    in_force = stored_rules.lock(connection) if steering.action == "priority" else None
    still = queued_where(msgspec.structs.replace(where, run_ids=()))
    query = _LOCKED.where(*still, _differs(steering))
    targets = [_Target(*row) for row in connection.execute(query, {"ids": [key.id for key in keys]})]
    if not targets:
        return ()
    lanes = [target.lane for target in targets]
    if in_force is not None:
        lanes += _reprioritise(database, connection, in_force, targets, -steering.priority)
    else:
        _set_all(connection, targets, _values(steering, now))
    _count(connection, targets, steering)
    write_events(database, connection, [_event(target, steering, now) for target in targets])
    _tell(database, connection, targets, lanes, steering)
    done = {target.id for target in targets}
    return tuple(key.run_id for key in keys if key.id in done)


def _count(connection: sa.Connection, targets: Sequence[_Target], steering: Steering) -> None:
    go = [(target.held, target.np, target.queue_seq) for target in targets]
    count_moves(connection, come=[place for one in go for place in _comes_to(one, steering)], go=go)


def _comes_to(place: Place, steering: Steering) -> tuple[Place, ...]:
    held, np, seq = place
    if steering.action == "cancel":
        return ()
    if steering.action == "priority":
        return ((held, -steering.priority, seq),)
    return ((int(steering.action == "hold"), np, seq),)


def _differs(steering: Steering) -> sa.ColumnElement[bool]:
    """Which runs are not so already."""
    if steering.action == "priority":
        return runs.c.np != -steering.priority
    if steering.action == "cancel":
        return sa.true()
    return runs.c.held == (0 if steering.action == "hold" else 1)


def _values(steering: Steering, now: float) -> dict[str, Any]:
    if steering.action == "cancel":
        return {"status": RunStatus.CANCELED.value, "held": 0, "ended_at": now}
    if steering.action == "hold":
        return {"held": 1, "held_by": steering.by, "held_reason": steering.reason}
    return {"held": 0, "held_by": None, "held_reason": None}


def _set_all(connection: sa.Connection, targets: Sequence[_Target], values: dict[str, Any]) -> None:
    chosen = runs.c.id.in_(sa.bindparam("ids", expanding=True))
    connection.execute(sa.update(runs).where(chosen).values(**values), {"ids": [target.id for target in targets]})


def _reprioritise(
    database: Database, connection: sa.Connection, in_force: RulesInForce, targets: Sequence[_Target], np: int
) -> list[str]:
    """Give the runs their new place and tag; returns the lanes that they came to."""
    in_lane = PRIORITY in in_force.rules.tracked_keys
    updates = []
    for target in targets:
        tags = decode_tags(target.tags) | {PRIORITY: str(-np)}
        lane, version = target.lane, target.lane_version
        if in_lane:
            lane, version = _lane(in_force, target, tags), in_force.lane_version
        updates.append(
            {"key": target.id, "new_np": np, "new_tags": text(tags), "new_lane": lane, "new_lane_version": version}
        )
    connection.execute(_REPRIORITISE, updates)
    insert = database.insert(run_tags)
    put = insert.on_conflict_do_update(index_elements=["run_no", "key"], set_={"value": insert.excluded.value})
    connection.execute(put, [{"run_no": target.id, "key": PRIORITY, "value": str(-np)} for target in targets])
    return [str(update["new_lane"]) for update in updates]


def _lane(in_force: RulesInForce, target: _Target, tags: dict[str, str]) -> str:
    return in_force.lane(
        location_name=target.location_name, job_name=target.job_name, tags=tags, pools=decode_pools(target.pools)
    )


def _event(target: _Target, steering: Steering, now: float) -> Event:
    because = f": {steering.reason}" if steering.reason else "."
    if steering.action == "cancel":
        kind = transition(RunStatus.QUEUED, RunStatus.CANCELED).event
        message = f"Canceled by {steering.by}{because}"
        return status_event(target.run_id, kind, now, attempt=target.attempt, message=message)
    message = {
        "priority": f"Priority changed from {-target.np} to {steering.priority} by {steering.by}.",
        "hold": f"Held by {steering.by}{because}",
        "release": f"Released by {steering.by}.",
    }[steering.action]
    return engine_event(target.run_id, now, message, attempt=target.attempt)


def _tell(
    database: Database,
    connection: sa.Connection,
    targets: Sequence[_Target],
    lanes: Sequence[str],
    steering: Steering,
) -> None:
    """One change a lane, however many of its runs were steered."""
    status = RunStatus.CANCELED if steering.action == "cancel" else RunStatus.QUEUED
    run_id = targets[0].run_id if len(targets) == 1 else None
    rows = [change("lane", lane=lane, run_id=run_id, status=status) for lane in dict.fromkeys(lanes)]
    write_changes(database, connection, rows)
