"""The indexes: the queue's, all partial, and the pages'.

A module of its own because only creating the tables needs it, and it makes SQLAlchemy load both dialects.
"""

from __future__ import annotations

import sqlalchemy as sa

from .schema import IS_ACTIVE, QUEUED, events, pool_holders, pool_waiters, queue_changes, run_tags, runs, ticks


def _partial(name: str, *columns: sa.Column[object], where: sa.TextClause, unique: bool = False) -> None:
    sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


_WAITING = sa.text("status = 'QUEUED' AND held = 0")
_HELD = sa.text("status = 'QUEUED' AND held = 1")
_LAUNCHED = sa.text("launched_at IS NOT NULL")
_ENDED = sa.text("ended_at IS NOT NULL")
_DESCENDS = sa.text("root_run_id IS NOT NULL")
_SCHEDULED = sa.text("kind = 'schedule'")
_NUMBERED = sa.text("seq IS NOT NULL")
_TICK = (ticks.c.kind, ticks.c.location_name, ticks.c.name, ticks.c.time)

# A queued run is in either of the two orders, so that neither steps over the other's.
_partial("runs_waiting_by_lane", runs.c.lane, runs.c.np, runs.c.queue_seq, where=_WAITING)
_partial("runs_waiting_in_order", runs.c.np, runs.c.queue_seq, where=_WAITING)
_partial("runs_held_in_order", runs.c.np, runs.c.queue_seq, where=_HELD)
_partial("runs_queued_by_lane_version", runs.c.lane_version, where=QUEUED)
_partial("runs_active_by_lane_version", runs.c.lane_version, where=IS_ACTIVE)
# A million that were never launched are not in it.
_partial("runs_by_launch", runs.c.launched_at, where=_LAUNCHED)
_partial("runs_by_end", runs.c.ended_at, where=_ENDED)
_partial("runs_by_root", runs.c.root_run_id, where=_DESCENDS)
sa.Index("runs_by_status", runs.c.status, runs.c.id)
sa.Index("runs_by_job", runs.c.job_name, runs.c.id)
sa.Index("run_tags_by_value", run_tags.c.key, run_tags.c.value, run_tags.c.run_no)
sa.Index("pool_holders_of_run", pool_holders.c.run_id)
sa.Index("pool_waiters_in_order", pool_waiters.c.pool, pool_waiters.c.np, pool_waiters.c.seq)
sa.Index(
    "pool_waiters_once",
    *(pool_waiters.c[name] for name in ("run_id", "step_key", "attempt", "pool")),
    unique=True,
)
# Only workers number their events: those of the queue, three a run, would each touch another page of it for nothing.
_partial("events_once", events.c.run_id, events.c.attempt, events.c.seq, where=_NUMBERED, unique=True)
sa.Index("events_of_run", events.c.run_id, events.c.txn, events.c.id)
# On SQLite the order of ids is the order of commits.
sa.Index("events_in_order", events.c.txn, events.c.id).ddl_if(dialect="postgresql")
sa.Index("queue_changes_in_order", queue_changes.c.txn, queue_changes.c.id).ddl_if(dialect="postgresql")
_partial("ticks_one_per_time", *_TICK, where=_SCHEDULED, unique=True)
sa.Index("ticks_of_instigator", *_TICK)
