"""QUEUED → STARTING for a batch: the queue's hot transaction, one statement a table and in each database's own SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..core.events import EventType
from ..core.ids import new_id
from ..core.queue import Claim, QueueHead
from .database import Database
from .journal import status_event
from .rows import event_row, text
from .schema import events

_SET = """
    UPDATE runs SET status = 'STARTING', attempt = attempt + 1, launched_at = :now, launch_token = head.token,
        launch_seq = head.launch_seq, host_id = NULL, pid = NULL
"""
_WHERE = """
    WHERE runs.run_id = head.run_id AND runs.lane = head.lane AND runs.status = 'QUEUED' AND runs.held = 0
    RETURNING runs.run_id, runs.attempt, runs.launch_token, runs.launch_seq, runs.job_name, runs.location_name
"""
# ruff: noqa: S608  the statements are put together from the constants above
_UPDATE = {
    "postgres": sa.text(
        f"""{_SET} FROM unnest(CAST(:run_ids AS text[]), CAST(:lanes AS text[]), CAST(:tokens AS text[]),
        CAST(:launch_seqs AS bigint[])) AS head(run_id, lane, token, launch_seq) {_WHERE}"""
    ),
    "sqlite": sa.text(
        f"""{_SET} FROM (SELECT json_extract(value, '$[0]') AS run_id, json_extract(value, '$[1]') AS lane,
        json_extract(value, '$[2]') AS token, json_extract(value, '$[3]') AS launch_seq
        FROM json_each(:heads)) AS head {_WHERE}"""
    ),
}


def claim_heads(database: Database, connection: sa.Connection, heads: Sequence[QueueHead], now: float) -> list[Claim]:
    """Move the heads that are still queued, in the lane given and not held, to STARTING; those won, in order.

    No queue change is written: only the leader claims, and it knows what it has won.
    """
    if not heads:
        return []
    numbers = database.numbers(connection, "launch_seq", len(heads))
    rows = connection.execute(_UPDATE[database.kind], _parameters(database, heads, numbers) | {"now": now})
    won = sorted((Claim(*row) for row in rows), key=lambda claim: claim.launch_seq)
    database.insert_all(connection, events, [row for claim in won for row in _events(claim, now)])
    return won


def _parameters(database: Database, heads: Sequence[QueueHead], numbers: Sequence[int]) -> dict[str, Any]:
    rows = [(head.run_id, head.lane, new_id(), number) for head, number in zip(heads, numbers, strict=True)]
    if database.kind == "sqlite":
        return {"heads": text(rows)}
    names = ("run_ids", "lanes", "tokens", "launch_seqs")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def _events(claim: Claim, now: float) -> list[dict[str, Any]]:
    told = ((EventType.RUN_DEQUEUED, "Dequeued."), (EventType.RUN_STARTING, "Handed over for launch."))
    return [
        event_row(status_event(claim.run_id, kind, now, attempt=claim.attempt, message=message))
        for kind, message in told
    ]
