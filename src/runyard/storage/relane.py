"""Lanes computed again after the tracked keys have changed, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from .database import Database
from .journal import change, write_changes
from .rows import decode_pools, decode_tags
from .schema import IS_ACTIVE, QUEUED, runs
from .stored_rules import RulesInForce

# ruff: noqa: S608  statements are put together from constants
_STALE = runs.c.lane_version < sa.bindparam("lane_version")
_COLUMNS = ["run_id", "lane", "lane_version", "location_name", "job_name", "tags", "pools"]
# Rows are locked in the order in which reports lock theirs, so that neither waits for the other.
_LOCKED = sa.select(*(runs.c[name] for name in _COLUMNS)).order_by(runs.c.run_id).with_for_update()
_UPDATE = (
    sa.update(runs)
    .where(runs.c.run_id == sa.bindparam("key"))
    .values(lane=sa.bindparam("new_lane"), lane_version=sa.bindparam("new_version"))
)


# SQLite, which keeps no statistics here, would rather read every queued run than the few of an older generation.
_OLDER = {
    (status, kind): sa.text(f"SELECT run_id FROM {table} WHERE {status} AND lane_version < :lane_version LIMIT :batch")
    for status, index in ((IS_ACTIVE, "runs_active_by_lane_version"), (QUEUED, "runs_queued_by_lane_version"))
    for kind, table in (("postgres", "runs"), ("sqlite", f"runs INDEXED BY {index}"))
}
_GIVEN = runs.c.run_id.in_(sa.bindparam("run_ids", expanding=True))
_CHOSEN = _LOCKED.where(_GIVEN, QUEUED)


def relane_some(database: Database, connection: sa.Connection, in_force: RulesInForce, limit: int) -> int:
    """Bring up to ``limit`` active runs, or else queued ones, to the generation in force; how many there were."""
    found = _older(database, connection, in_force, IS_ACTIVE, limit)
    if found:
        # They are in no lane's line: the leader reads them anew whenever the rules have changed.
        _relane(connection, in_force, found)
        return len(found)
    found = _older(database, connection, in_force, QUEUED, limit)
    moved = _relane(connection, in_force, found)
    write_changes(database, connection, [change("lane", lane=lane) for lane in moved])
    return len(found)


def has_older(database: Database, connection: sa.Connection, in_force: RulesInForce) -> bool:
    """Whether there is any active or queued run of an older generation."""
    return any(_older_ids(database, connection, in_force, status, 1) for status in (IS_ACTIVE, QUEUED))


def _older(
    database: Database, connection: sa.Connection, in_force: RulesInForce, status: sa.TextClause, limit: int
) -> Sequence[sa.Row[Any]]:
    """Locked runs of an older generation."""
    run_ids = _older_ids(database, connection, in_force, status, limit)
    if not run_ids:
        return ()
    version = {"lane_version": in_force.lane_version}
    return connection.execute(_LOCKED.where(_GIVEN, status, _STALE), {**version, "run_ids": run_ids}).all()


def _older_ids(
    database: Database, connection: sa.Connection, in_force: RulesInForce, status: sa.TextClause, limit: int
) -> list[str]:
    values = {"lane_version": in_force.lane_version, "batch": limit}
    return list(connection.execute(_OLDER[status, database.kind], values).scalars())


def relane_chosen(connection: sa.Connection, in_force: RulesInForce, run_ids: Sequence[str]) -> list[str]:
    """The same for those of these runs that are queued; the lanes that the asker has to read again.

    These are the lanes that they are in, moved or not, and those that they have left. No change is written: the leader
    itself asks.
    """
    found = connection.execute(_CHOSEN, {"run_ids": list(run_ids)}).all()
    moved = _relane(connection, in_force, [row for row in found if row.lane_version < in_force.lane_version])
    return list(dict.fromkeys([*(row.lane for row in found), *moved]))


def _relane(connection: sa.Connection, in_force: RulesInForce, found: Sequence[sa.Row[Any]]) -> list[str]:
    """Give locked runs their new lanes; the lanes that lost or gained one, each once."""
    moved: dict[str, None] = {}
    updates = []
    for row in found:
        lane = in_force.lane(
            location_name=row.location_name,
            job_name=row.job_name,
            tags=decode_tags(row.tags),
            pools=decode_pools(row.pools),
        )
        updates.append({"key": row.run_id, "new_lane": lane, "new_version": in_force.lane_version})
        if lane != row.lane:
            moved.update({row.lane: None, lane: None})
    if updates:
        connection.execute(_UPDATE, updates)
    return list(moved)
