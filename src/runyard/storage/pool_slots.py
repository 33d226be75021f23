"""Step slots in pools: holder rows beside a guarded counter.

See ``pool_holders`` for what is locked in which order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..core.errors import NeverAdmissible
from ..core.pools import PoolHolder, PoolWaiter
from ..queue.rules import Rules
from .database import Database
from .journal import change, write_changes
from .pool_holders import GIVE, subtract
from .schema import IS_ACTIVE, pool_counters, pool_holders, pool_waiters, runs
from .stored_rules import StoredRules
from .upsert import insert_new

_RUN = sa.select(runs.c.run_id).where(runs.c.run_id == sa.bindparam("run_id"))
_ATTEMPT = _RUN.where(runs.c.attempt == sa.bindparam("attempt"), IS_ACTIVE).with_for_update(read=True)
_MINE = (
    pool_holders.c.run_id == sa.bindparam("run_id"),
    pool_holders.c.step_key == sa.bindparam("step_key"),
    pool_holders.c.attempt == sa.bindparam("attempt"),
)
_COUNTER = sa.update(pool_counters).where(pool_counters.c.pool == sa.bindparam("key"))
_TAKE = _COUNTER.values(used=pool_counters.c.used + sa.bindparam("slots"))
_TAKE_IF_ROOM = _TAKE.where(pool_counters.c.used + sa.bindparam("slots") <= sa.bindparam("most"))
_COLUMNS = ("pool", "run_id", "step_key", "attempt", "slots", "since")
_HOLDERS = sa.select(*(pool_holders.c[name] for name in _COLUMNS)).order_by(
    *(pool_holders.c[name] for name in ("since", "pool", "run_id", "step_key"))
)

_WAITERS = sa.select(
    *(pool_waiters.c[name] for name in ("pool", "run_id", "step_key", "attempt", "slots")),
    -pool_waiters.c.np,
    pool_waiters.c.since,
).order_by(pool_waiters.c.pool, pool_waiters.c.np, pool_waiters.c.seq)


class SqlPoolSlots:
    """``storage.protocols.PoolSlots``."""

    def __init__(self, database: Database, stored_rules: StoredRules) -> None:
        self._database = database
        self._rules = stored_rules

    def claim(
        self, run_id: str, step_key: str, *, attempt: int, pool: str, slots: int, priority: int, now: float
    ) -> bool:
        with self._database.write() as connection:
            rules = self._rules.lock(connection).rules.at(now)
            if connection.execute(_ATTEMPT, {"run_id": run_id, "attempt": attempt}).first() is None:
                return False
            if rules.pools.granularity == "run":
                return True
            most = _most(rules, pool, step_key, slots)
            holder = {"run_id": run_id, "step_key": step_key, "attempt": attempt}
            if _paused(rules, pool) or not self._count(connection, pool, slots, most):
                return _holds(connection, pool, holder)
            row = holder | {"pool": pool, "slots": slots, "since": now}
            if insert_new(self._database, connection, pool_holders, [row], "pool"):
                write_changes(self._database, connection, [change("pool", lane=pool)])
            else:
                connection.execute(GIVE, {"key": pool, "slots": slots})
            return True

    def _count(self, connection: sa.Connection, pool: str, slots: int, most: int | None) -> bool:
        """Add to the pool's counter if there is room; whoever adds to it at the same time waits, and looks again."""
        insert_new(self._database, connection, pool_counters, [{"pool": pool, "used": 0}], "pool")
        statement, bound = (_TAKE, {}) if most is None else (_TAKE_IF_ROOM, {"most": most})
        return connection.execute(statement, {"key": pool, "slots": slots} | bound).rowcount == 1

    def free(self, run_id: str, step_key: str, *, attempt: int) -> None:
        mine = {"run_id": run_id, "step_key": step_key, "attempt": attempt}
        with self._database.write() as connection:
            connection.execute(_RUN.with_for_update(), {"run_id": run_id})
            deleted = sa.delete(pool_holders).where(*_MINE).returning(pool_holders.c.pool, pool_holders.c.slots)
            subtract(self._database, connection, connection.execute(deleted, mine).all())

    def holders(self, pools: Sequence[str] | None = None) -> Sequence[PoolHolder]:
        query = _HOLDERS if pools is None else _HOLDERS.where(pool_holders.c.pool.in_(pools))
        with self._database.read() as connection:
            return [PoolHolder(*row) for row in connection.execute(query)]

    def waiters(self, pools: Sequence[str] | None = None) -> Sequence[PoolWaiter]:
        query = _WAITERS if pools is None else _WAITERS.where(pool_waiters.c.pool.in_(pools))
        with self._database.read() as connection:
            return [PoolWaiter(*row) for row in connection.execute(query)]


def _most(rules: Rules, pool: str, step_key: str, slots: int) -> int | None:
    """The pool's limit. Raises NeverAdmissible for a step that takes more than there are."""
    most = rules.pools.limit_of(pool)
    # A limit of 0 closes the pool for a while: whoever needs it waits.
    if most and slots > most:
        raise NeverAdmissible(f"Step '{step_key}'", slots, f"pool '{pool}'", most)
    return most


def _paused(rules: Rules, pool: str) -> bool:
    return any(pause.scope == "pool" and pause.name == pool for pause in rules.pauses)


def _holds(connection: sa.Connection, pool: str, holder: dict[str, Any]) -> bool:
    query = sa.select(pool_holders.c.slots).where(*_MINE, pool_holders.c.pool == sa.bindparam("pool"))
    return connection.execute(query, holder | {"pool": pool}).first() is not None
