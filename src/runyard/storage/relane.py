"""Lanes computed again after the tracked keys have changed, a bounded number at a time."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..core.run import RunStatus
from .database import Database
from .journal import ChangeRow, change, write_changes
from .rows import decode_pools, decode_tags
from .schema import IS_LIVE, runs
from .stored_rules import RulesInForce

_SOME = (
    sa.select(runs.c.run_id)
    .where(IS_LIVE, runs.c.lane_version < sa.bindparam("lane_version"))
    .limit(sa.bindparam("batch"))
)
# Locked in the order in which reports lock theirs, so that neither waits for the other.
_OLDER = (
    sa.select(*(runs.c[name] for name in ["run_id", "status", "lane", "location_name", "job_name", "tags", "pools"]))
    .where(runs.c.run_id.in_(_SOME), IS_LIVE)
    .order_by(runs.c.run_id)
    .with_for_update()
)
_UPDATE = (
    sa.update(runs)
    .where(runs.c.run_id == sa.bindparam("key"))
    .values(lane=sa.bindparam("new_lane"), lane_version=sa.bindparam("new_version"))
)


def relane_some(database: Database, connection: sa.Connection, in_force: RulesInForce, limit: int) -> int:
    """Bring up to ``limit`` queued or active runs to the generation in force; how many there were."""
    found = connection.execute(_OLDER, {"lane_version": in_force.lane_version, "batch": limit}).all()
    if not found:
        return 0
    updates, changes = [], list[ChangeRow]()
    for row in found:
        lane = in_force.lane(
            location_name=row.location_name,
            job_name=row.job_name,
            tags=decode_tags(row.tags),
            pools=decode_pools(row.pools),
        )
        updates.append({"key": row.run_id, "new_lane": lane, "new_version": in_force.lane_version})
        if lane != row.lane:
            changes.extend(_changes(row, lane))
    connection.execute(_UPDATE, updates)
    write_changes(database, connection, _distinct(changes))
    return len(found)


def _changes(row: sa.Row[Any], lane: str) -> list[ChangeRow]:
    if row.status != RunStatus.QUEUED.value:
        # Active runs are not in a lane's line: the leader reads them anew whenever the rules have changed.
        return []
    return [change("lane", lane=row.lane), change("lane", lane=lane)]


def _distinct(changes: list[ChangeRow]) -> list[ChangeRow]:
    """Many runs move between the same two lanes; each lane is named once."""
    return list({(row["kind"], row["lane"], row["run_id"]): row for row in changes}.values())
