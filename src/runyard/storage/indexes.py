"""The indexes: the queue's, all partial, and the pages'.

A module of its own because only creating the tables needs it, and it makes SQLAlchemy load both dialects.
"""

from __future__ import annotations

import sqlalchemy as sa

from .schema import IS_ACTIVE, IS_LIVE, QUEUED, events, pool_holders, queue_changes, run_tags, runs, ticks


def _partial(name: str, *columns: sa.Column[object], where: sa.TextClause, unique: bool = False) -> None:
    sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


_WAITING = sa.text("status = 'QUEUED' AND held = 0")
_SCHEDULED = sa.text("kind = 'schedule'")
_TICK = (ticks.c.kind, ticks.c.location_name, ticks.c.name, ticks.c.time)

_partial("runs_waiting_by_lane", runs.c.lane, runs.c.np, runs.c.queue_seq, where=_WAITING)
_partial("runs_queued_in_order", runs.c.np, runs.c.queue_seq, where=QUEUED)
_partial("runs_active_by_lane", runs.c.lane, where=IS_ACTIVE)
sa.Index("runs_by_launch", runs.c.launched_at)
_partial("runs_live_by_lane_version", runs.c.lane_version, where=IS_LIVE)
sa.Index("runs_by_status", runs.c.status, runs.c.id)
sa.Index("runs_by_job", runs.c.job_name, runs.c.id)
sa.Index("run_tags_by_value", run_tags.c.key, run_tags.c.value, run_tags.c.run_no)
sa.Index("pool_holders_of_run", pool_holders.c.run_id)
sa.Index("events_of_run", events.c.run_id, events.c.txn, events.c.id)
# On SQLite the order of ids is the order of commits.
sa.Index("events_in_order", events.c.txn, events.c.id).ddl_if(dialect="postgresql")
sa.Index("queue_changes_in_order", queue_changes.c.txn, queue_changes.c.id).ddl_if(dialect="postgresql")
_partial("ticks_one_per_time", *_TICK, where=_SCHEDULED, unique=True)
sa.Index("ticks_of_instigator", *_TICK)
