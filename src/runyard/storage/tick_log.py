"""Schedules' and sensors' states, their ticks, and the run keys that were used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ..core.lease import Fence
from ..core.run import NewRun, Run
from ..core.tick import InstigatorKey, InstigatorState, InstigatorStatus, Tick, TickStatus
from .database import Database
from .protocols import RunAddition, TickOutcome
from .run_insert import insert_runs
from .schema import instigators, run_keys, ticks
from .stored_rules import StoredRules
from .tick_rows import (
    STATE_COLUMNS,
    TICK_COLUMNS,
    has_key,
    key_values,
    progress_values,
    state_values,
    tick_values,
    to_state,
    to_tick,
)

_STATES = sa.select(*STATE_COLUMNS)
_TICKS = sa.select(*TICK_COLUMNS)
#: A tick in these may be evaluated (again).
_OPEN = (TickStatus.STARTED, TickStatus.FAILURE)


class SqlTicks:
    """``storage.protocols.Ticks``."""

    def __init__(self, database: Database, stored_rules: StoredRules) -> None:
        self._database = database
        self._rules = stored_rules

    def state(self, key: InstigatorKey) -> InstigatorState | None:
        with self._database.read() as connection:
            return _state(connection, key)

    def states(self) -> Sequence[InstigatorState]:
        query = _STATES.order_by(*(instigators.c[name] for name in ("kind", "location_name", "name")))
        with self._database.read() as connection:
            return [to_state(row) for row in connection.execute(query)]

    def put_state(self, state: InstigatorState, *, fence: Fence | None = None) -> None:
        with self._database.write(fence) as connection:
            self._upsert(connection, state, state_values(state))

    def set_cursor(self, key: InstigatorKey, cursor: str | None) -> None:
        """Nothing happens to a sensor that has no stored state."""
        value = progress_values(InstigatorState(key=key, status=InstigatorStatus.STOPPED, cursor=cursor))["cursor"]
        with self._database.write() as connection:
            connection.execute(sa.update(instigators).where(*has_key(instigators, key)).values(cursor=value))

    def delete_state(self, key: InstigatorKey, *, fence: Fence | None = None) -> None:
        with self._database.write(fence) as connection:
            connection.execute(sa.delete(instigators).where(*has_key(instigators, key)))

    def begin(self, tick: Tick, *, fence: Fence) -> Tick | None:
        started = msgspec.structs.replace(tick, status=TickStatus.STARTED)
        with self._database.write(fence) as connection:
            inserted = connection.execute(self._insert(ticks).on_conflict_do_nothing(), tick_values(started))
            if inserted.rowcount:
                return started
            stored = _same_tick(connection, tick)
            if stored is None or stored.status not in _OPEN:
                return None
            again = msgspec.structs.replace(stored, status=TickStatus.STARTED, ended_at=None)
            _update(connection, again)
            return again

    def commit(
        self,
        tick: Tick,
        state: InstigatorState,
        runs: Sequence[RunAddition],
        *,
        enqueue: bool,
        fence: Fence,
        now: float,
    ) -> TickOutcome:
        with self._database.write(fence) as connection:
            stored = _lock(connection, tick.tick_id)
            if stored is None or stored.status is not TickStatus.STARTED:
                return TickOutcome(stored or tick, ())
            if _stopped(connection, tick.key):
                return TickOutcome(_skip_stopped(connection, stored, now), ())
            wanted, duplicates = self._take_keys(connection, tick, runs)
            added = insert_runs(self._database, self._rules, connection, wanted, enqueue=enqueue, now=now)
            ended = _ended(tick, added, duplicates, now)
            _update(connection, ended)
            self._upsert(connection, state, progress_values(state))
            return TickOutcome(ended, tuple(added))

    def _take_keys(
        self, connection: sa.Connection, tick: Tick, additions: Sequence[RunAddition]
    ) -> tuple[list[NewRun], list[str]]:
        """The runs whose key is new, each key taken for ever, and the keys that had their run already."""
        first: dict[str, RunAddition] = {}
        for addition in additions:
            if addition.run_key is not None:
                first.setdefault(addition.run_key, addition)
        taken = self._insert_keys(connection, tick, first)
        wanted, duplicates = [], dict[str, None]()
        for addition in additions:
            key = addition.run_key
            if key is None or (key in taken and first[key] is addition):
                wanted.append(addition.run)
            else:
                duplicates[key] = None
        return wanted, list(duplicates)

    def _insert_keys(self, connection: sa.Connection, tick: Tick, first: dict[str, RunAddition]) -> set[str]:
        if not first:
            return set()
        scope = key_values(tick.key) | {"time": tick.time if tick.key.kind == "schedule" else 0.0}
        rows = [scope | {"run_key": key, "run_id": first[key].run.run_id} for key in sorted(first)]
        statement = self._insert(run_keys).on_conflict_do_nothing().returning(run_keys.c.run_key)
        return set(connection.execute(statement, rows).scalars())

    def list(self, key: InstigatorKey, *, limit: int, before: float | None = None) -> Sequence[Tick]:
        query = _TICKS.where(*has_key(ticks, key)).order_by(ticks.c.time.desc()).limit(limit)
        if before is not None:
            query = query.where(ticks.c.time < before)
        with self._database.read() as connection:
            return [to_tick(row) for row in connection.execute(query)]

    def _upsert(self, connection: sa.Connection, state: InstigatorState, changed: dict[str, Any]) -> None:
        """Insert the state, or change only ``changed`` of the stored one."""
        statement = self._insert(instigators).values(**key_values(state.key), **state_values(state))
        connection.execute(
            statement.on_conflict_do_update(index_elements=["kind", "location_name", "name"], set_=changed)
        )

    def _insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        return sqlite.insert(table) if self._database.kind == "sqlite" else postgresql.insert(table)


def _state(connection: sa.Connection, key: InstigatorKey) -> InstigatorState | None:
    row = connection.execute(_STATES.where(*has_key(instigators, key))).one_or_none()
    return None if row is None else to_state(row)


def _stopped(connection: sa.Connection, key: InstigatorKey) -> bool:
    """Whether a person has stopped it while it was evaluated; whoever stops it now waits for this transaction."""
    query = sa.select(instigators.c.status).where(*has_key(instigators, key)).with_for_update()
    return connection.execute(query).scalar() == InstigatorStatus.STOPPED.value


def _lock(connection: sa.Connection, tick_id: str) -> Tick | None:
    row = connection.execute(_TICKS.where(ticks.c.tick_id == tick_id).with_for_update()).one_or_none()
    return None if row is None else to_tick(row)


def _same_tick(connection: sa.Connection, tick: Tick) -> Tick | None:
    """The stored tick that kept ``tick`` from being inserted."""
    same_time = sa.and_(*has_key(ticks, tick.key), ticks.c.time == tick.time, ticks.c.kind == "schedule")
    query = _TICKS.where(sa.or_(ticks.c.tick_id == tick.tick_id, same_time)).with_for_update()
    row = connection.execute(query).first()
    return None if row is None else to_tick(row)


def _update(connection: sa.Connection, tick: Tick) -> None:
    connection.execute(sa.update(ticks).where(ticks.c.tick_id == tick.tick_id).values(**tick_values(tick)))


def _skip_stopped(connection: sa.Connection, stored: Tick, now: float) -> Tick:
    skipped = msgspec.structs.replace(
        stored, status=TickStatus.SKIPPED, skip_reason="It was stopped while being evaluated.", ended_at=now
    )
    _update(connection, skipped)
    return skipped


def _ended(tick: Tick, added: Sequence[Run], duplicates: Sequence[str], now: float) -> Tick:
    nothing_left = tick.status is TickStatus.SUCCESS and duplicates and not added
    return msgspec.structs.replace(
        tick,
        status=TickStatus.SKIPPED if nothing_left else tick.status,
        run_ids=tuple(run.run_id for run in added),
        duplicate_run_keys=tuple(duplicates),
        ended_at=now if tick.ended_at is None else tick.ended_at,
    )
