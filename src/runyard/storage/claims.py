"""QUEUED → STARTING for a batch: the queue's hot transaction, one statement a table and in each database's own SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from ..core.events import EventType
from ..core.ids import new_id
from ..core.queue import Claim, QueueHead
from .database import Database
from .journal import status_event
from .rows import decode_config, decode_tags, event_row, text
from .schema import events

#: run_id, lane, new token, launch_seq.
_Wanted: TypeAlias = tuple[str, str, str, int]

# ruff: noqa: S608  the statements are put together from these constants
_SET = """
    UPDATE runs SET status = 'STARTING', attempt = attempt + 1, launched_at = :now, launch_token = {0},
        launch_seq = {1}, host_id = NULL, pid = NULL
"""
_STILL = "runs.run_id = head.run_id AND runs.lane = head.lane AND runs.status = 'QUEUED' AND runs.held = 0"
# Rows are locked in the order in which reports lock theirs: a report of a given-up attempt may name the same runs.
_POSTGRES = sa.text(
    f"""WITH won AS MATERIALIZED (SELECT head.run_id, head.token, head.launch_seq
        FROM unnest(CAST(:run_ids AS text[]), CAST(:lanes AS text[]), CAST(:tokens AS text[]),
            CAST(:launch_seqs AS bigint[])) AS head(run_id, lane, token, launch_seq)
        JOIN runs ON {_STILL} ORDER BY runs.run_id FOR UPDATE OF runs)
    {_SET.format("won.token", "won.launch_seq")} FROM won WHERE runs.run_id = won.run_id AND runs.status = 'QUEUED'
    RETURNING runs.run_id, runs.attempt, runs.launch_token, runs.launch_seq, runs.job_name, runs.location_name,
        runs.run_config, runs.tags"""
)
# SQLite would read every run for an UPDATE FROM. Its writer is alone: what is found is still so when it is changed.
_SQLITE_FIND = sa.text(
    f"""WITH head AS MATERIALIZED (SELECT json_extract(value, '$[0]') AS run_id, json_extract(value, '$[1]') AS lane,
        json_extract(value, '$[2]') AS token, json_extract(value, '$[3]') AS launch_seq FROM json_each(:heads))
    SELECT runs.run_id, runs.attempt + 1, head.token, head.launch_seq, runs.job_name, runs.location_name,
        runs.run_config, runs.tags
    FROM head CROSS JOIN runs WHERE {_STILL}"""
)
_SQLITE_UPDATE = sa.text(f"{_SET.format(':token', ':launch_seq')} WHERE run_id = :run_id")


def claim_heads(database: Database, connection: sa.Connection, heads: Sequence[QueueHead], now: float) -> list[Claim]:
    """Move the heads that are still queued, in the lane given and not held, to STARTING; those won, in order.

    No queue change is written: only the leader claims, and it knows what it has won.
    """
    if not heads:
        return []
    numbers = database.numbers(connection, "launch_seq", len(heads))
    wanted = [(head.run_id, head.lane, new_id(), number) for head, number in zip(heads, numbers, strict=True)]
    change = _change_sqlite if database.kind == "sqlite" else _change_postgres
    won = sorted(change(connection, wanted, now), key=lambda claim: claim.launch_seq)
    database.insert_all(connection, events, [row for claim in won for row in _events(claim, now)])
    return won


def _change_postgres(connection: sa.Connection, wanted: Sequence[_Wanted], now: float) -> list[Claim]:
    run_ids, lanes, tokens, numbers = (list(column) for column in zip(*wanted, strict=True))
    values = {"run_ids": run_ids, "lanes": lanes, "tokens": tokens, "launch_seqs": numbers, "now": now}
    return [_to_claim(row) for row in connection.execute(_POSTGRES, values)]


def _change_sqlite(connection: sa.Connection, wanted: Sequence[_Wanted], now: float) -> list[Claim]:
    won = [_to_claim(row) for row in connection.execute(_SQLITE_FIND, {"heads": text(wanted)})]
    if won:
        values = [
            {"run_id": claim.run_id, "token": claim.token, "launch_seq": claim.launch_seq, "now": now} for claim in won
        ]
        connection.execute(_SQLITE_UPDATE, values)
    return won


def _to_claim(row: Sequence[Any]) -> Claim:
    run_id, attempt, token, launch_seq, job_name, location_name, run_config, tags = row
    config = decode_config(run_config)
    return Claim(run_id, attempt, token, launch_seq, job_name, location_name, config, decode_tags(tags))


def _events(claim: Claim, now: float) -> list[dict[str, Any]]:
    told = ((EventType.RUN_DEQUEUED, "Dequeued."), (EventType.RUN_STARTING, "Handed over for launch."))
    return [
        event_row(status_event(claim.run_id, kind, now, attempt=claim.attempt, message=message))
        for kind, message in told
    ]
