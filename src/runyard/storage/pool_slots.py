"""Step slots in pools: holder rows beside a guarded counter, and the line of those who wait.

See ``pool_holders`` for what is locked in which order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from ..core.errors import NeverAdmissible
from ..core.pools import PoolHolder, PoolWaiter
from ..queue.pool_wait import PoolWait, pool_wait
from ..queue.rules import Rules
from .database import Database
from .pool_holders import give_back
from .pool_line import StepTry, hold, is_paused, serve, take, tell
from .schema import IS_ACTIVE, pool_counters, pool_holders, pool_waiters, runs
from .stored_rules import StoredRules, read_rules
from .upsert import insert_new

_ATTEMPT = (
    sa.select(runs.c.run_id)
    .where(runs.c.run_id == sa.bindparam("run_id"), runs.c.attempt == sa.bindparam("attempt"), IS_ACTIVE)
    .with_for_update(read=True)
)
_RUN = sa.select(runs.c.run_id).where(runs.c.run_id == sa.bindparam("run_id")).with_for_update()
_USED = sa.select(pool_counters.c.used).where(pool_counters.c.pool == sa.bindparam("pool")).with_for_update()


def _mine(table: sa.Table) -> sa.Exists:
    same = (table.c[name] == sa.bindparam(name) for name in ("pool", "run_id", "step_key", "attempt"))
    return sa.exists().where(*same)


_PLACE = sa.select(
    _mine(pool_holders), _mine(pool_waiters), sa.exists().where(pool_waiters.c.pool == sa.bindparam("pool"))
)
_COLUMNS = ("pool", "run_id", "step_key", "attempt", "slots", "since")
_HOLDERS = sa.select(*(pool_holders.c[name] for name in _COLUMNS)).order_by(
    *(pool_holders.c[name] for name in ("since", "pool", "run_id", "step_key"))
)

_WAITERS = sa.select(
    *(pool_waiters.c[name] for name in ("pool", "run_id", "step_key", "attempt", "slots")),
    -pool_waiters.c.np,
    pool_waiters.c.since,
).order_by(pool_waiters.c.pool, pool_waiters.c.np, pool_waiters.c.seq)


_POOLS_OF_WAITERS = sa.select(pool_waiters.c.pool).where(pool_waiters.c.run_id == sa.bindparam("run_id")).distinct()


class _Wanted(NamedTuple):
    step: StepTry
    pool: str
    slots: int
    np: int
    since: float


class SqlPoolSlots:
    """``storage.protocols.PoolSlots``."""

    def __init__(self, database: Database, stored_rules: StoredRules) -> None:
        self._database = database
        self._rules = stored_rules

    def claim(
        self, run_id: str, step_key: str, *, attempt: int, pool: str, slots: int, priority: int, now: float
    ) -> bool:
        step = StepTry(run_id, step_key, attempt)
        with self._database.write() as connection:
            rules = self._rules.lock(connection).rules.at(now)
            if connection.execute(_ATTEMPT, {"run_id": run_id, "attempt": attempt}).first() is None:
                return False
            if rules.pools.granularity == "run":
                return True
            wanted = _Wanted(step, pool, slots, -priority, now)
            if self._take_place(connection, rules, wanted):
                return True
            served = serve(self._database, connection, [pool], now, rules)
            tell(self._database, connection, served)
            return step in (waiter.step for waiter in served.get(pool, ()))

    def _take_place(self, connection: sa.Connection, rules: Rules, wanted: _Wanted) -> bool:
        """With nobody in line, the slots if there is room for them; else a place in line. True: the step holds them."""
        who = wanted.step._asdict()
        self._lock_counter(connection, wanted.pool)
        place: Any = connection.execute(_PLACE, {"pool": wanted.pool} | who).one()
        holds, waits, is_line = place
        if holds:
            return True
        _check(rules, wanted)
        if waits:
            return False
        if not is_line and self._take(connection, rules, wanted):
            return True
        row = {"pool": wanted.pool, **who, "slots": wanted.slots, "np": wanted.np, "since": wanted.since}
        connection.execute(sa.insert(pool_waiters), row)
        return False

    def _lock_counter(self, connection: sa.Connection, pool: str) -> None:
        if connection.execute(_USED, {"pool": pool}).first() is None:
            insert_new(self._database, connection, pool_counters, [{"pool": pool, "used": 0}], "pool")
            connection.execute(_USED, {"pool": pool}).one()

    def _take(self, connection: sa.Connection, rules: Rules, wanted: _Wanted) -> bool:
        pool, most = wanted.pool, rules.pools.limit_of(wanted.pool)
        if is_paused(rules, pool) or not take(connection, pool, wanted.slots, most):
            return False
        hold(self._database, connection, pool, [(wanted.slots, wanted.step)], wanted.since)
        tell(self._database, connection, [pool])
        return True

    def free(self, run_id: str, step_key: str, *, attempt: int) -> None:
        steps = [StepTry(run_id, step_key, attempt)]
        with self._database.write() as connection:
            connection.execute(_RUN, {"run_id": run_id})
            give_back(self._database, connection, steps=steps, now=self._database.clock.now())

    def holders(self, pools: Sequence[str] | None = None) -> Sequence[PoolHolder]:
        query = _HOLDERS if pools is None else _HOLDERS.where(pool_holders.c.pool.in_(pools))
        with self._database.read() as connection:
            return [PoolHolder(*row) for row in connection.execute(query)]

    def waiters(self, pools: Sequence[str] | None = None) -> Sequence[PoolWaiter]:
        query = _WAITERS if pools is None else _WAITERS.where(pool_waiters.c.pool.in_(pools))
        with self._database.read() as connection:
            return [PoolWaiter(*row) for row in connection.execute(query)]

    def waits(self, run_id: str, *, now: float) -> Sequence[PoolWait]:
        with self._database.read() as connection:
            pools = connection.execute(_POOLS_OF_WAITERS, {"run_id": run_id}).scalars().all()
            if not pools:
                return []
            rules = read_rules(connection).at(now)
            holders = _by_pool(
                PoolHolder(*row) for row in connection.execute(_HOLDERS.where(pool_holders.c.pool.in_(pools)))
            )
            lines = _by_pool(
                PoolWaiter(*row) for row in connection.execute(_WAITERS.where(pool_waiters.c.pool.in_(pools)))
            )
        waiting = [waiter for line in lines.values() for waiter in line if waiter.run_id == run_id]
        return [pool_wait(one, lines[one.pool], holders[one.pool], rules) for one in waiting]


_Entry = TypeVar("_Entry", PoolHolder, PoolWaiter)


def _by_pool(entries: Iterable[_Entry]) -> defaultdict[str, list[_Entry]]:
    found: defaultdict[str, list[_Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.pool].append(entry)
    return found


def _check(rules: Rules, wanted: _Wanted) -> None:
    """Raises NeverAdmissible for a step that takes more than there are."""
    most = rules.pools.limit_of(wanted.pool)
    # A limit of 0 closes the pool for a while: whoever needs it waits.
    if most and wanted.slots > most:
        raise NeverAdmissible(f"Step '{wanted.step.step_key}'", wanted.slots, f"pool '{wanted.pool}'", most)
