"""Queries of the queue that must cost the same however deep it is, in each database's own SQL.

Every one of them walks a partial index. SQLite, which keeps no statistics here, is told which: it would rather take the
index by status and sort a million rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from ..core.queue import ActiveRun, Launch, QueueHead
from ..core.run import Run, RunStatus
from .database import Database
from .rows import RUN_COLUMNS, decode_pools, decode_tags, text, to_run
from .schema import IS_ACTIVE
from .stored_rules import RulesInForce

_Statements: TypeAlias = dict[str, sa.TextClause]

# ruff: noqa: S608  statements are put together from these constants
#: Behind every place, and more than any page holds.
_BEGINNING = (-(2**62), 0)
_ALL = 2**62
WAITING = "status = 'QUEUED' AND held = 0"
_STALE = "lane_version < (SELECT lane_version FROM rules)"
_HEAD = f"run_id, lane, -np, queue_seq, {_STALE}"
_RUN = ", ".join(column.name for column in RUN_COLUMNS)


def _by(index: str) -> dict[str, str]:
    return {"postgres": "runs", "sqlite": f"runs INDEXED BY {index}"}


_BY_LANE = _by("runs_waiting_by_lane")
_IN_ORDER = _by("runs_waiting_in_order")
_HELD = _by("runs_held_in_order")
_ACTIVE_RUNS = _by("runs_active_by_lane_version")
_LAUNCHED = _by("runs_by_launch")

# Jumps from lane to lane in the index: as many steps as there are lanes, however many runs.
_LANES: _Statements = {
    kind: sa.text(
        f"""
        WITH RECURSIVE found(lane) AS (
            SELECT (SELECT lane FROM {table} WHERE {WAITING} AND lane > :after ORDER BY lane LIMIT 1)
            UNION ALL
            SELECT (SELECT runs.lane FROM {table} WHERE {WAITING} AND runs.lane > found.lane ORDER BY runs.lane LIMIT 1)
            FROM found WHERE found.lane IS NOT NULL
        ) SELECT lane FROM found WHERE lane IS NOT NULL LIMIT :most
        """
    )
    for kind, table in _BY_LANE.items()
}
_WANTED = "json_extract(wanted.value, '$.{}')"
_HEADS: _Statements = {
    # From the lane's place on, not in the lane: for an empty one PostgreSQL would rather read the whole queue in order.
    "postgres": sa.text(
        f"SELECT head.run_id, head.lane, -head.np, head.queue_seq, head.{_STALE}"
        " FROM json_to_recordset(CAST(:places AS json)) AS wanted(lane text, np bigint, seq bigint),"
        " LATERAL (SELECT * FROM runs"
        f" WHERE (lane, np, queue_seq) >= (wanted.lane, wanted.np, wanted.seq) AND {WAITING}"
        " ORDER BY lane, np, queue_seq LIMIT :per_lane) AS head WHERE head.lane = wanted.lane"
    ),
    # SQLite has no LATERAL, but takes a correlated list of row ids.
    "sqlite": sa.text(
        f"SELECT {_HEAD} FROM json_each(:places) AS wanted CROSS JOIN runs"
        f" WHERE runs.id IN (SELECT id FROM {_BY_LANE['sqlite']} WHERE lane = {_WANTED.format('lane')} AND {WAITING}"
        f" AND np >= {_WANTED.format('np')} AND (np > {_WANTED.format('np')} OR queue_seq >= {_WANTED.format('seq')})"
        " ORDER BY np, queue_seq LIMIT :per_lane)"
    ),
}


def _page(index: dict[str, str], condition: str) -> _Statements:
    return {
        "postgres": sa.text(
            f"SELECT {_HEAD} FROM runs WHERE {condition} AND (np, queue_seq) > (:np, :seq)"
            " ORDER BY np, queue_seq LIMIT :most"
        ),
        # By (np, seq) > (…) SQLite would use only the first half of the index.
        "sqlite": sa.text(
            f"SELECT {_HEAD}, np FROM {index['sqlite']} WHERE {condition} AND np = :np AND queue_seq > :seq"
            f" UNION ALL SELECT {_HEAD}, np FROM {index['sqlite']} WHERE {condition} AND np > :np"
            " ORDER BY np, queue_seq LIMIT :most"
        ),
    }


_PAGE = _page(_IN_ORDER, WAITING)
_HELD_PAGE = _page(_HELD, "status = 'QUEUED' AND held = 1")
# Held runs have an index of their own, so that runs that wait are found without stepping over them.
_QUEUED = {
    "postgres": sa.text(
        f"(SELECT {_RUN} FROM runs WHERE {WAITING} ORDER BY np, queue_seq LIMIT :most) UNION ALL"
        f" (SELECT {_RUN} FROM runs WHERE status = 'QUEUED' AND held = 1 ORDER BY np, queue_seq LIMIT :most)"
        " ORDER BY np, queue_seq LIMIT :most"
    ),
    "sqlite": sa.text(
        f"SELECT {_RUN} FROM {_IN_ORDER['sqlite']} WHERE {WAITING}"
        f" UNION ALL SELECT {_RUN} FROM {_HELD['sqlite']} WHERE status = 'QUEUED' AND held = 1"
        " ORDER BY np, queue_seq LIMIT :most"
    ),
}
_ACTIVE: _Statements = {
    kind: sa.text(
        f"SELECT run_id, lane, status, launched_at, started_at, canceling_at FROM {table} WHERE {IS_ACTIVE.text}"
    )
    for kind, table in _ACTIVE_RUNS.items()
}
# What a lane is made of is only read where the lane has to be made anew.
_LAUNCHES: _Statements = {
    kind: sa.text(
        f"SELECT run_id, launched_at, lane, location_name, job_name, CASE WHEN {_STALE} THEN tags END, pools"
        f" FROM {table} WHERE launched_at >= :since ORDER BY launched_at"
    )
    for kind, table in _LAUNCHED.items()
}


def lanes(database: Database, connection: sa.Connection, after: str, limit: int | None) -> list[str]:
    most = _ALL if limit is None else limit
    return list(connection.execute(_LANES[database.kind], {"after": after, "most": most}).scalars())


def heads(
    database: Database,
    connection: sa.Connection,
    wanted: Sequence[str],
    per_lane: int,
    since: Mapping[str, tuple[int, int]],
) -> list[QueueHead]:
    places = [dict(zip(("lane", "np", "seq"), (lane, *since.get(lane, _BEGINNING)), strict=True)) for lane in wanted]
    rows = connection.execute(_HEADS[database.kind], {"places": text(places), "per_lane": per_lane}).all()
    return sorted((_head(row) for row in rows), key=lambda head: (head.lane, -head.priority, head.seq))


def in_order(
    database: Database, connection: sa.Connection, after: tuple[int, int] | None, limit: int
) -> list[QueueHead]:
    np, seq = after or _BEGINNING
    rows = connection.execute(_PAGE[database.kind], {"np": np, "seq": seq, "most": limit})
    return [_head(row) for row in rows.all()]


def held(database: Database, connection: sa.Connection, after: tuple[int, int] | None, limit: int) -> list[QueueHead]:
    np, seq = after or _BEGINNING
    rows = connection.execute(_HELD_PAGE[database.kind], {"np": np, "seq": seq, "most": limit})
    return [_head(row) for row in rows]


def queued(database: Database, connection: sa.Connection, limit: int) -> list[Run]:
    return [to_run(row) for row in connection.execute(_QUEUED[database.kind], {"most": limit})]


def active(database: Database, connection: sa.Connection) -> list[ActiveRun]:
    return [_active(row) for row in connection.execute(_ACTIVE[database.kind]).all()]


def launches(database: Database, connection: sa.Connection, in_force: RulesInForce, since: float) -> list[Launch]:
    return [_launch(row, in_force) for row in connection.execute(_LAUNCHES[database.kind], {"since": since})]


def _head(row: Sequence[Any]) -> QueueHead:
    return QueueHead(row[0], row[1], row[2], row[3], bool(row[4]))


def _active(row: Sequence[Any]) -> ActiveRun:
    run_id, lane, status, launched_at, started_at, canceling_at = row
    since = {RunStatus.STARTING: launched_at, RunStatus.STARTED: started_at}.get(status, canceling_at)
    return ActiveRun(run_id, lane, RunStatus(status), since, started_at)


def _launch(row: Sequence[Any], in_force: RulesInForce) -> Launch:
    run_id, launched_at, lane, location_name, job_name, tags, pools = row
    if tags is not None:
        lane = in_force.lane(
            location_name=location_name, job_name=job_name, tags=decode_tags(tags), pools=decode_pools(pools)
        )
    return Launch(run_id, lane, launched_at)
