"""Runs as they went through the queue in a window of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..core.queue import PastRun
from ..core.run import FINISHED, RunStatus
from .database import Database
from .rows import decode_pools, decode_tags
from .schema import runs

_ENQUEUED = sa.func.coalesce(runs.c.queued_at, runs.c.launched_at, runs.c.created_at)
_COLUMNS = (
    runs.c.run_id,
    runs.c.job_name,
    runs.c.location_name,
    runs.c.np,
    runs.c.tags,
    runs.c.pools,
    runs.c.id,
    _ENQUEUED.label("enqueued"),
    runs.c.launched_at,
    runs.c.ended_at,
)

_UNFINISHED = [status for status in RunStatus if status not in FINISHED and status is not RunStatus.NOT_STARTED]


class SqlHistory:
    """``storage.protocols.History``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def between(self, since: float, until: float, *, limit: int) -> Sequence[PastRun]:
        # Each of them an index's range: neither all that ever ran nor all that is queued is looked through.
        came = sa.select(*_COLUMNS).where(until > _ENQUEUED)
        still_there = [
            sa.select(came.where(runs.c.status == status.value).order_by(runs.c.id).limit(limit).subquery())
            for status in _UNFINISHED
        ]
        found = sa.union_all(*still_there, came.where(runs.c.ended_at > since)).subquery()
        # Not by the bare id: SQLite would rather walk all runs in that order.
        query = sa.select(found).order_by(found.c.id + 0).limit(limit)
        with self._database.read() as connection:
            return [_past(tuple(row)) for row in connection.execute(query)]


def _past(row: Sequence[Any]) -> PastRun:
    run_id, job_name, location_name, np, tags, pools, seq, queued_at, launched_at, ended_at = row
    return PastRun(
        run_id=run_id,
        job_name=job_name,
        location_name=location_name,
        priority=-np,
        tags=decode_tags(tags),
        pools=decode_pools(pools),
        seq=seq,
        queued_at=queued_at,
        launched_at=launched_at,
        ended_at=ended_at,
    )
