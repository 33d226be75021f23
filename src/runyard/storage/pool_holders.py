"""Giving step slots back: counters shrink by exactly what was deleted, and who is next in line is served.

What is locked, in this order: the rules (shared by who claims), runs' rows in the order of their ids, the counters of
pools in the order of their keys. A pool's holders and waiters change only under the lock of its counter. A run's come
only to a pool where it is known to have some while its row is locked: shared by its claims, alone for what gives back.
So whoever ends a run may look for its pools first, then lock their counters, then delete; nobody waits for a row of
the holders or of the line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from .database import Database
from .pool_line import StepTry, lock_counters, serve, tell
from .rows import text
from .schema import pool_counters, pool_holders, pool_waiters

# In the driver's own SQL: this is part of every transaction that ends a run, and nearly always finds nothing.
_POOLS_OF_RUNS = {
    kind: f"SELECT pool FROM pool_holders WHERE {which} UNION SELECT pool FROM pool_waiters WHERE {which}"  # noqa: S608  from constants
    for kind, which in (
        ("postgres", "run_id = ANY(%(runs)s)"),
        ("sqlite", "run_id IN (SELECT value FROM json_each(:runs))"),
    )
}
_GIVE = (
    sa.update(pool_counters)
    .where(pool_counters.c.pool == sa.bindparam("key"))
    .values(used=pool_counters.c.used - sa.bindparam("slots"))
)


def give_back(
    database: Database,
    connection: sa.Connection,
    *,
    run_ids: Sequence[str] = (),
    steps: Sequence[StepTry] = (),
    now: float,
) -> None:
    """Give back whatever these runs and steps hold, with their places in line; the caller has locked the runs' rows.

    A transaction does so once: counters are locked in the order of their keys.
    """
    pools = _pools_of(database, connection, run_ids, steps)
    if not pools:
        return
    lock_counters(connection, pools)
    freed: Counter[str] = Counter()
    holding = sa.delete(pool_holders).where(_of(pool_holders, run_ids, steps))
    for pool, slots in connection.execute(holding.returning(pool_holders.c.pool, pool_holders.c.slots)):
        freed[pool] += slots
    connection.execute(sa.delete(pool_waiters).where(_of(pool_waiters, run_ids, steps)))
    if freed:
        connection.execute(_GIVE, [{"key": pool, "slots": freed[pool]} for pool in sorted(freed)])
    served = serve(database, connection, pools, now)
    tell(database, connection, [*freed, *served])


def _pools_of(
    database: Database, connection: sa.Connection, run_ids: Sequence[str], steps: Sequence[StepTry]
) -> set[str]:
    found: set[str] = set()
    if run_ids:
        wanted = text(run_ids) if database.kind == "sqlite" else list(run_ids)
        found.update(connection.exec_driver_sql(_POOLS_OF_RUNS[database.kind], {"runs": wanted}).scalars())
    if steps:
        tables = (pool_holders, pool_waiters)
        query = sa.union(*(sa.select(table.c.pool).where(_of(table, (), steps)) for table in tables))
        found.update(connection.execute(query).scalars())
    return found


def _of(table: sa.Table, run_ids: Sequence[str], steps: Sequence[StepTry]) -> sa.ColumnElement[bool]:
    """Rows of these runs and steps, found by the index of runs."""
    of_steps = sa.tuple_(table.c.run_id, table.c.step_key, table.c.attempt).in_(steps)
    everyone = {*run_ids, *(step.run_id for step in steps)}
    return sa.and_(table.c.run_id.in_(sorted(everyone)), sa.or_(table.c.run_id.in_(list(run_ids)), of_steps))
