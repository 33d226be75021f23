"""Giving step slots back: counters shrink by exactly what was deleted.

A run's holders change only under its row's lock: shared by its claims, alone for what gives slots back. Counters are
locked after it, in the order of their keys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from .database import Database
from .journal import change, write_changes
from .rows import text
from .schema import pool_counters

GIVE = (
    sa.update(pool_counters)
    .where(pool_counters.c.pool == sa.bindparam("key"))
    .values(used=pool_counters.c.used - sa.bindparam("slots"))
)

# In the driver's own SQL: this is part of every transaction that ends a run, and nearly always finds nothing.
_FREE_RUNS = {
    "postgres": "DELETE FROM pool_holders WHERE run_id = ANY(%s) RETURNING pool, slots",
    "sqlite": "DELETE FROM pool_holders WHERE run_id IN (SELECT value FROM json_each(?)) RETURNING pool, slots",
}


def free_runs(database: Database, connection: sa.Connection, run_ids: Sequence[str]) -> None:
    """Give back whatever the steps of these runs hold; the caller has locked the runs' rows."""
    wanted = text(run_ids) if database.kind == "sqlite" else list(run_ids)
    found = connection.exec_driver_sql(_FREE_RUNS[database.kind], (wanted,)).all()
    subtract(database, connection, found)


def subtract(database: Database, connection: sa.Connection, freed: Sequence[Sequence[Any]]) -> None:
    """Take from the counters exactly what was deleted."""
    if not freed:
        return
    slots: Counter[str] = Counter()
    for pool, number in freed:
        slots[pool] += number
    connection.execute(GIVE, [{"key": pool, "slots": slots[pool]} for pool in sorted(slots)])
    write_changes(database, connection, [change("pool", lane=pool) for pool in sorted(slots)])
