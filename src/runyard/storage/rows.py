"""Between table rows and records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..core.events import Cursor, Event, EventType, StoredEvent
from ..core.pools import PoolNeeds
from ..core.run import NewRun, Run, RunFailure, RunStatus
from .schema import events, runs

encode = msgspec.json.Encoder().encode
_texts = msgspec.json.Decoder(dict[str, str]).decode
_names = msgspec.json.Decoder(tuple[str, ...]).decode
_pools = msgspec.json.Decoder(PoolNeeds).decode
_config = msgspec.json.Decoder(dict[str, Any]).decode
_failure = msgspec.json.Decoder(RunFailure).decode

#: Columns whose value goes into the record as it is.
_PLAIN = (
    "run_id",
    "job_name",
    "location_name",
    "attempt",
    "launch_token",
    "queue_seq",
    "launch_seq",
    "created_at",
    "queued_at",
    "launched_at",
    "started_at",
    "ended_at",
    "canceling_at",
    "lane",
    "held_by",
    "held_reason",
    "host_id",
    "pid",
    "parent_run_id",
    "root_run_id",
    "resumes",
)
RUN_COLUMNS = tuple(
    runs.c[name]
    for name in (*_PLAIN, "id", "status", "np", "tags", "run_config", "failure", "held", "pools", "stop_failure")
)
_COUNT = len(_PLAIN)


class EventBody(msgspec.Struct, omit_defaults=True):
    """The part of an event that no query looks into."""

    message: str = ""
    data: dict[str, Any] = {}


_body = msgspec.json.Decoder(EventBody).decode


def text(value: Any) -> str:
    """``value`` as JSON text."""
    return encode(value).decode()


def to_run(row: Sequence[Any]) -> Run:
    """A row of RUN_COLUMNS as a record."""
    _, status, np, tags, run_config, failure, held, pools, stop_failure = row[_COUNT:]
    return Run(
        **dict(zip(_PLAIN, row[:_COUNT], strict=True)),
        status=RunStatus(status),
        priority=-np,
        tags=_texts(tags),
        run_config=_config(run_config),
        failure=None if failure is None else _failure(failure),
        stop_failure=None if stop_failure is None else _failure(stop_failure),
        held=bool(held),
        pools=_pools(pools),
    )


def decode_tags(tags: str) -> dict[str, str]:
    return _texts(tags)


def decode_config(run_config: str) -> dict[str, Any]:
    return _config(run_config)


def decode_names(names: str) -> tuple[str, ...]:
    return _names(names)


def decode_failure(failure: str) -> RunFailure:
    return _failure(failure)


def decode_pools(pools: str) -> PoolNeeds:
    return _pools(pools)


def new_run_row(run: NewRun, now: float) -> dict[str, Any]:
    """What every new run has; the queue's columns are the caller's."""
    return {
        "run_id": run.run_id,
        "job_name": run.job_name,
        "location_name": run.location_name,
        "np": -run.priority,
        "tags": text(run.tags),
        "run_config": text(run.run_config),
        "pools": text(run.pools),
        "created_at": now,
        "parent_run_id": run.parent_run_id,
        "root_run_id": run.root_run_id,
    }


def event_row(event: Event, *, run_id: str | None = None, attempt: int | None = None) -> dict[str, Any]:
    """An event to insert; ``run_id`` and ``attempt`` of the report that it came in have precedence."""
    return {
        "run_id": event.run_id if run_id is None else run_id,
        "attempt": event.attempt if attempt is None else attempt,
        "seq": event.seq,
        "type": event.type.value,
        "timestamp": event.timestamp,
        "step_key": event.step_key,
        "level": event.level,
        "body": text(EventBody(event.message, event.data)),
    }


EVENT_COLUMNS = tuple(
    events.c[name]
    for name in ["txn", "id", "run_id", "attempt", "seq", "type", "timestamp", "step_key", "level", "body"]
)


def to_event(row: Sequence[Any]) -> StoredEvent:
    """A row of EVENT_COLUMNS as a record."""
    txn, row_id, run_id, attempt, seq, kind, timestamp, step_key, level, body = row
    rest = _body(body)
    event = Event(
        run_id=run_id,
        type=EventType(kind),
        timestamp=timestamp,
        attempt=attempt,
        seq=seq,
        step_key=step_key,
        level=level,
        message=rest.message,
        data=rest.data,
    )
    return StoredEvent(Cursor(txn, row_id), event)
