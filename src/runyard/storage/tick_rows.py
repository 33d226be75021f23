"""Between rows and records of schedules, sensors and their ticks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import sqlalchemy as sa

from ..core.events import ErrorInfo
from ..core.tick import InstigatorKey, InstigatorKind, InstigatorState, InstigatorStatus, Tick, TickStatus
from .rows import text
from .schema import instigators, ticks

_KEY = ("kind", "location_name", "name")
STATE_COLUMNS = tuple(
    instigators.c[name]
    for name in (
        *_KEY,
        "status",
        "started_at",
        "cursor",
        "last_tick_at",
        "last_run_key",
        "decided_until",
        "consecutive_failures",
        "version",
    )
)
TICK_COLUMNS = tuple(ticks.c[name] for name in ("tick_id", *_KEY, "time", "status", "body"))


class TickBody(msgspec.Struct, omit_defaults=True):
    """The part of a tick that no query looks into; fields as in ``core.tick.Tick``."""

    run_ids: tuple[str, ...] = ()
    duplicate_run_keys: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    skip_reason: str | None = None
    error: ErrorInfo | None = None
    cursor: str | None = None
    failure_count: int = 0
    consecutive_failures: int = 0
    failing_since: float | None = None
    log: tuple[str, ...] = ()
    ended_at: float | None = None


_body = msgspec.json.Decoder(TickBody).decode
_text = msgspec.json.Decoder(str | None).decode


def key_values(key: InstigatorKey) -> dict[str, str]:
    return {"kind": key.kind, "location_name": key.location_name, "name": key.name}


def has_key(table: sa.Table, key: InstigatorKey) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key_values(key).items()]


def state_values(state: InstigatorState) -> dict[str, Any]:
    """Every column but the version, which is storage's to give."""
    return key_values(state.key) | {
        "status": state.status.value,
        "started_at": state.started_at,
        "cursor": text(state.cursor),
        "last_tick_at": state.last_tick_at,
        "last_run_key": text(state.last_run_key),
        "decided_until": state.decided_until,
        "consecutive_failures": state.consecutive_failures,
    }


def to_state(row: Sequence[Any]) -> InstigatorState:
    kind, location, name, status, started_at, cursor, last_tick_at, last_run_key, decided_until, failures, version = row
    return InstigatorState(
        key=InstigatorKey(cast("InstigatorKind", kind), location, name),
        status=InstigatorStatus(status),
        started_at=started_at,
        cursor=None if cursor is None else _text(cursor),
        last_tick_at=last_tick_at,
        last_run_key=None if last_run_key is None else _text(last_run_key),
        decided_until=decided_until,
        consecutive_failures=failures,
        version=version,
    )


def tick_values(tick: Tick) -> dict[str, Any]:
    body = TickBody(**{name: getattr(tick, name) for name in TickBody.__struct_fields__})
    own = {"tick_id": tick.tick_id, "time": tick.time, "status": tick.status.value, "body": text(body)}
    return own | key_values(tick.key)


def to_tick(row: Sequence[Any]) -> Tick:
    tick_id, kind, location, name, time, status, body = row
    return Tick(
        tick_id=tick_id,
        key=InstigatorKey(cast("InstigatorKind", kind), location, name),
        time=time,
        status=TickStatus(status),
        **msgspec.structs.asdict(_body(body)),
    )
