"""What starts were expected to be, kept to be compared with what came."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import sqlalchemy as sa

from ..core.queue import Estimate
from .database import Database
from .schema import estimates, runs
from .upsert import insert_new

KEPT = 1000

_NEWEST = sa.select(estimates.c.run_id).order_by(estimates.c.made_at.desc(), estimates.c.run_id).limit(KEPT)
# Looked up one by one: a join is read from the other side, over all that was ever launched.
_LAUNCHED = sa.select(runs.c.launched_at).where(runs.c.run_id == estimates.c.run_id).scalar_subquery()
_MADE = sa.select(estimates.c.run_id, estimates.c.made_at, estimates.c.estimated_start, _LAUNCHED).order_by(
    estimates.c.made_at.desc(), estimates.c.run_id
)


def keep_estimates(database: Database, connection: sa.Connection, new: Sequence[Estimate]) -> None:
    """Insert those of runs that have none, and forget all but the newest."""
    rows = [
        {"run_id": one.run_id, "made_at": one.made_at, "estimated_start": one.estimated_start}
        # Locked in one order, as two processes may note the same runs.
        for one in sorted(new, key=lambda one: one.run_id)
    ]
    if rows and insert_new(database, connection, estimates, rows, "run_id"):
        connection.execute(sa.delete(estimates).where(estimates.c.run_id.not_in(_NEWEST)))


def started_estimates(connection: sa.Connection, limit: int) -> list[Estimate]:
    """The newest whose runs were launched; a run that went back to the queue counts when it is launched again."""
    made = (Estimate(*row) for row in connection.execute(_MADE))
    return list(islice((one for one in made if one.started_at is not None), limit))
