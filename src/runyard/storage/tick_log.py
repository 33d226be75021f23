"""Schedules' and sensors' states, their ticks, and the run keys that were used."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import sqlalchemy as sa

from ..core.lease import Fence
from ..core.run import NewRun
from ..core.text import listing
from ..core.tick import InstigatorKey, InstigatorState, Tick, TickStatus
from .database import Database
from .protocols import RunAddition, TickOutcome
from .rows import text
from .run_insert import Inserted, insert_runs
from .schema import instigators, run_keys, ticks
from .stored_rules import StoredRules
from .tick_rows import (
    STATE_COLUMNS,
    TICK_COLUMNS,
    has_key,
    key_values,
    state_values,
    tick_values,
    to_state,
    to_tick,
)
from .upsert import insert_new, put

_STATES = sa.select(*STATE_COLUMNS)
_TICKS = sa.select(*TICK_COLUMNS)


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
            self._put_state(connection, state)

    def set_cursor(self, key: InstigatorKey, cursor: str | None) -> None:
        """Nothing happens to a sensor that has no stored state."""
        with self._database.write() as connection:
            values = {"cursor": text(cursor), "version": self._version(connection)}
            connection.execute(sa.update(instigators).where(*has_key(instigators, key)).values(**values))

    def change_state(
        self,
        key: InstigatorKey,
        change: Callable[[InstigatorState | None], InstigatorState],
        *,
        fence: Fence | None = None,
    ) -> InstigatorState:
        with self._database.write(fence) as connection:
            old = _state(connection, key, lock=True)
            if old is None and not self._insert_state(connection, change(None)):
                # Somebody was quicker to insert one.
                old = _state(connection, key, lock=True)
            if old is not None and (new := change(old)) != old:
                self._put_state(connection, new)
            return to_state(connection.execute(_STATES.where(*has_key(instigators, key))).one())

    def _insert_state(self, connection: sa.Connection, state: InstigatorState) -> bool:
        row = state_values(state) | {"version": self._version(connection)}
        return bool(insert_new(self._database, connection, instigators, [row], "name"))

    def delete_state(self, key: InstigatorKey, *, version: int | None = None, fence: Fence | None = None) -> None:
        which = has_key(instigators, key)
        if version is not None:
            which.append(instigators.c.version == version)
        with self._database.write(fence) as connection:
            connection.execute(sa.delete(instigators).where(*which))

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
            version = _lock_version(connection, tick.key)
            stored = _same_tick(connection, tick)
            if stored is not None and stored.status is not TickStatus.FAILURE:
                return TickOutcome(stored, ())
            if version != state.version:
                return TickOutcome(self._store(connection, _skipped(tick, now), stored), ())
            wanted, duplicates = self._take_keys(connection, tick, runs)
            added = insert_runs(self._database, self._rules, connection, wanted, enqueue=enqueue, now=now)
            self._give_back_keys(connection, tick, [one for one in runs if one.run.run_id in added.refused])
            tick = msgspec.structs.replace(tick, failing_since=_failing_since(connection, tick))
            ended = self._store(connection, _ended(tick, added, duplicates, now), stored)
            self._put_state(connection, state)
            return TickOutcome(ended, tuple(added.runs))

    def _store(self, connection: sa.Connection, tick: Tick, failed: Tick | None) -> Tick:
        """Insert a tick, or put it in the place of the failed one that it repeats."""
        if failed is None:
            connection.execute(sa.insert(ticks), tick_values(tick))
            return tick
        retried = msgspec.structs.replace(tick, failure_count=failed.failure_count + tick.failure_count)
        statement = sa.update(ticks).where(ticks.c.tick_id == failed.tick_id)
        connection.execute(statement.values(**tick_values(retried)))
        return retried

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
        scope = key_values(tick.key) | {"time": _key_time(tick)}
        rows = [scope | {"run_key": key, "run_id": first[key].run.run_id} for key in sorted(first)]
        return insert_new(self._database, connection, run_keys, rows, "run_key")

    def _give_back_keys(self, connection: sa.Connection, tick: Tick, refused: Sequence[RunAddition]) -> None:
        """Runs that were refused may be asked for again by the same keys."""
        keys = [addition.run_key for addition in refused if addition.run_key is not None]
        if keys:
            scope = (*has_key(run_keys, tick.key), run_keys.c.time == _key_time(tick))
            connection.execute(sa.delete(run_keys).where(*scope, run_keys.c.run_key.in_(keys)))

    def list(self, key: InstigatorKey, *, limit: int, before: float | None = None) -> Sequence[Tick]:
        query = _TICKS.where(*has_key(ticks, key)).order_by(ticks.c.time.desc()).limit(limit)
        if before is not None:
            query = query.where(ticks.c.time < before)
        with self._database.read() as connection:
            return [to_tick(row) for row in connection.execute(query)]

    def _put_state(self, connection: sa.Connection, state: InstigatorState) -> None:
        put(self._database, connection, instigators, state_values(state) | {"version": self._version(connection)})

    def _version(self, connection: sa.Connection) -> int:
        return self._database.numbers(connection, "state_version", 1)[0]


def _key_time(tick: Tick) -> float:
    """A schedule's keys are used up for one time, a sensor's for ever."""
    return tick.time if tick.key.kind == "schedule" else 0.0


def _state(connection: sa.Connection, key: InstigatorKey, *, lock: bool = False) -> InstigatorState | None:
    query = _STATES.where(*has_key(instigators, key))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else to_state(row)


def _lock_version(connection: sa.Connection, key: InstigatorKey) -> int:
    """The state's version, 0 when there is none; whoever changes it now waits for this transaction."""
    query = sa.select(instigators.c.version).where(*has_key(instigators, key)).with_for_update()
    return connection.execute(query).scalar() or 0


def _same_tick(connection: sa.Connection, tick: Tick) -> Tick | None:
    """The tick that is stored already: this very one, or another of the same schedule and time."""
    same = ticks.c.tick_id == tick.tick_id
    if tick.key.kind == "schedule":
        same = sa.or_(same, sa.and_(*has_key(ticks, tick.key), ticks.c.time == tick.time))
    row = connection.execute(_TICKS.where(same).with_for_update()).first()
    return None if row is None else to_tick(row)


def _failing_since(connection: sa.Connection, tick: Tick) -> float | None:
    """When the failures in a row began that this tick goes on with; itself when the one before it did not fail."""
    if tick.status is not TickStatus.FAILURE:
        return None
    query = _TICKS.where(*has_key(ticks, tick.key), ticks.c.time <= tick.time).order_by(ticks.c.time.desc()).limit(1)
    row = connection.execute(query).first() if tick.consecutive_failures > 1 else None
    before = None if row is None else to_tick(row)
    return tick.time if before is None else before.failing_since or before.time


def _skipped(tick: Tick, now: float) -> Tick:
    return Tick(
        tick_id=tick.tick_id,
        key=tick.key,
        time=tick.time,
        status=TickStatus.SKIPPED,
        skip_reason=f"The {tick.key.kind} was stopped, reset or given another cursor while it was being evaluated.",
        log=tick.log,
        ended_at=now,
    )


def _ended(tick: Tick, added: Inserted, duplicates: Sequence[str], now: float) -> Tick:
    refused = tuple(str(refused) for refused in added.refused.values())
    nothing_left = tick.status is TickStatus.SUCCESS and (duplicates or refused) and not added.runs
    return msgspec.structs.replace(
        tick,
        status=TickStatus.SKIPPED if nothing_left else tick.status,
        run_ids=tuple(run.run_id for run in added.runs),
        duplicate_run_keys=tuple(duplicates),
        refused=refused,
        skip_reason=_nothing_left(refused, duplicates) if nothing_left else tick.skip_reason,
        ended_at=now if tick.ended_at is None else tick.ended_at,
    )


def _nothing_left(refused: Sequence[str], duplicates: Sequence[str]) -> str:
    """Why a tick that asked for runs made none."""
    seen = [f"{'Run keys' if len(duplicates) > 1 else 'Run key'} {listing(map(repr, duplicates))} had a run already."]
    return " ".join([*dict.fromkeys(refused), *(seen if duplicates else [])])
