"""QUEUED → STARTING for a batch: the queue's hot transaction, one statement a table and in each database's own SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ..core.events import EventType
from ..core.ids import new_id
from ..core.queue import Claim, QueueHead
from .database import Database
from .queue_counts import COUNT, OR_ADD, count_moves
from .rows import EventBody, decode_config, decode_tags, text
from .schema import BLOCK


class _Wanted(NamedTuple):
    lane: str
    token: str
    launch_seq: int


# ruff: noqa: S608  the statements are put together from these constants
_SET = "status = 'STARTING', attempt = attempt + 1, host_id = NULL, pid = NULL, launched_at"
_STILL = "runs.status = 'QUEUED' AND runs.held = 0 AND runs.lane_version"
_CARRIED = "job_name, location_name, run_config, tags"
_EVENT = "INSERT INTO events (run_id, attempt, type, timestamp, level, body)"
_DEQUEUED, _STARTING = (
    f"'{kind.value}', {{now}}, 'INFO', '{text(EventBody(message))}'"
    for kind, message in (
        (EventType.RUN_DEQUEUED, "Dequeued."),
        (EventType.RUN_STARTING, "Handed over for launch."),
    )
)
# Not the column itself: a planner without statistics takes partial indexes of queued runs for empty, and reads them.
_QUEUED = "runs.status || '' = 'QUEUED'"
_BY_ID = _STILL.replace("runs.status = 'QUEUED'", _QUEUED)
# Rows are locked in the order in which reports lock theirs: a report of a given-up attempt may name the same runs.
_POSTGRES = f"""
    WITH won AS MATERIALIZED (
        SELECT runs.run_id, head.token, head.launch_seq
        FROM json_to_recordset(%(heads)s::json) AS head(run_id text, lane text, token text, launch_seq bigint)
        JOIN runs ON runs.run_id = head.run_id AND runs.lane = head.lane AND {_BY_ID} = %(lane_version)s
        ORDER BY runs.run_id FOR UPDATE OF runs
    ), changed AS (
        UPDATE runs SET {_SET} = %(now)s, launch_token = won.token, launch_seq = won.launch_seq
        FROM won WHERE runs.run_id = won.run_id AND {_QUEUED}
        RETURNING runs.run_id, runs.attempt, runs.launch_token, runs.launch_seq, {_CARRIED}, np, queue_seq
    ), counted AS (
        {COUNT} SELECT 0, np, queue_seq / {BLOCK}, -count(*) FROM changed GROUP BY 1, 2, 3 {OR_ADD}
    ), told AS (
        {_EVENT} SELECT run_id, attempt, type, at, level, body FROM changed,
            (VALUES (1, {_DEQUEUED}), (2, {_STARTING})) AS told(n, type, at, level, body) ORDER BY launch_seq, n
    ) SELECT run_id, attempt, launch_token, launch_seq, {_CARRIED} FROM changed
""".replace("{now}", "%(now)s::float8")
# SQLite would read every run for an UPDATE FROM. Its writer is alone: what is found is still so when it is changed.
_SQLITE_FIND = f"""
    SELECT runs.id, runs.lane, runs.np, runs.queue_seq, runs.run_id, runs.attempt + 1, {_CARRIED}
    FROM json_each(?) AS head CROSS JOIN runs WHERE runs.run_id = head.value AND {_STILL} = ?
"""
_SQLITE_UPDATE = f"UPDATE runs SET {_SET} = ?, launch_token = ?, launch_seq = ? WHERE id = ?"
_SQLITE_EVENTS = f"{_EVENT} VALUES (?1, ?2, {_DEQUEUED}), (?1, ?2, {_STARTING})".replace("{now}", "?3")


def claim_heads(
    database: Database, connection: sa.Connection, heads: Sequence[QueueHead], lane_version: int, now: float
) -> list[Claim]:
    """Move the heads that are still queued, in the lane given and not held, to STARTING; those won, in order.

    A lane of an older generation than ``lane_version`` does not count: it may hide what the rules look at now. No queue
    change is written: only the leader claims, and it knows what it has won.
    """
    if not heads:
        return []
    numbers = database.numbers(connection, "launch_seq", len(heads))
    wanted = {head.run_id: _Wanted(head.lane, new_id(), number) for head, number in zip(heads, numbers, strict=True)}
    change = _change_sqlite if database.kind == "sqlite" else _change_postgres
    return sorted(change(connection, wanted, lane_version, now), key=lambda claim: claim.launch_seq)


def _change_postgres(
    connection: sa.Connection, wanted: Mapping[str, _Wanted], lane_version: int, now: float
) -> list[Claim]:
    given = text([head._asdict() | {"run_id": run_id} for run_id, head in wanted.items()])
    rows = connection.exec_driver_sql(_POSTGRES, {"heads": given, "lane_version": lane_version, "now": now})
    return [_to_claim(*row) for row in rows.all()]


def _change_sqlite(
    connection: sa.Connection, wanted: Mapping[str, _Wanted], lane_version: int, now: float
) -> list[Claim]:
    rows = connection.exec_driver_sql(_SQLITE_FIND, (text(list(wanted)), lane_version))
    claims, updates, places = [], [], []
    for row_id, lane, np, seq, run_id, attempt, *carried in rows.all():
        head = wanted[run_id]
        if lane == head.lane:
            claims.append(_to_claim(run_id, attempt, head.token, head.launch_seq, *carried))
            updates.append((now, head.token, head.launch_seq, row_id))
            places.append((0, np, seq))
    if claims:
        connection.exec_driver_sql(_SQLITE_UPDATE, updates)
        connection.exec_driver_sql(_SQLITE_EVENTS, [(claim.run_id, claim.attempt, now) for claim in claims])
        count_moves(connection, go=places)
    return claims


def _to_claim(
    run_id: str,
    attempt: int,
    token: str,
    launch_seq: int,
    job_name: str,
    location_name: str,
    run_config: str,
    tags: str,
) -> Claim:
    config = decode_config(run_config)
    return Claim(run_id, attempt, token, launch_seq, job_name, location_name, config, decode_tags(tags))
