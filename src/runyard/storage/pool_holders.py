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


def _theirs(table: sa.Table) -> sa.ColumnElement[bool]:
    """Rows of ``run_ids`` and of ``steps``, found by the index of runs: ``everyone`` are the runs of both."""
    step = sa.tuple_(*(table.c[name] for name in StepTry._fields))
    return sa.and_(
        table.c.run_id.in_(sa.bindparam("everyone", expanding=True)),
        sa.or_(
            table.c.run_id.in_(sa.bindparam("run_ids", expanding=True)),
            step.in_(sa.bindparam("steps", expanding=True)),
        ),
    )


_POOLS = sa.union(*(sa.select(table.c.pool).where(_theirs(table)) for table in (pool_holders, pool_waiters)))
_LET_GO = sa.delete(pool_holders).where(_theirs(pool_holders)).returning(pool_holders.c.pool, pool_holders.c.slots)
_LEAVE = sa.delete(pool_waiters).where(_theirs(pool_waiters))


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
    everyone = sorted({*run_ids, *(step.run_id for step in steps)})
    theirs = {"everyone": everyone, "run_ids": list(run_ids), "steps": list(steps)}
    pools = connection.execute(_POOLS, theirs).scalars().all() if steps else _of_runs(database, connection, run_ids)
    if not pools:
        return
    lock_counters(connection, pools)
    freed: Counter[str] = Counter()
    for pool, slots in connection.execute(_LET_GO, theirs):
        freed[pool] += slots
    connection.execute(_LEAVE, theirs)
    if freed:
        connection.execute(_GIVE, [{"key": pool, "slots": freed[pool]} for pool in sorted(freed)])
    served = serve(database, connection, pools, now)
    tell(database, connection, [*freed, *served])


def _of_runs(database: Database, connection: sa.Connection, run_ids: Sequence[str]) -> Sequence[str]:
    wanted = text(run_ids) if database.kind == "sqlite" else list(run_ids)
    return connection.exec_driver_sql(_POOLS_OF_RUNS[database.kind], {"runs": wanted}).scalars().all()
