"""The queue: its order, why each run waits, and what a person may do about the runs in it.

What there is under ``/api/v1`` (``pauses.py`` and ``limits.py`` hold their part; every write leaves who and why):

====================================  ==================================================================================
GET    /queue?limit&after             entries by forecast, then position; Link header
GET    /queue/summary                 depth, held, oldest wait, starts of the last hour, estimate error, pauses
GET    /queue/pauses                  pauses in force, each with ``running`` (a drain is done at 0)
GET    /queue/history?limit&before    the audit, newest first; ``before``: the id that the page before ended with
GET    /queue/{id}                    one entry explained, with what overtook it and what would start it sooner
POST   /queue/{id}/priority           ``{priority}``                                            -> run
POST   /queue/{id}/hold               ``{reason?}``                                             -> run
POST   /queue/{id}/release            ``{}``                                                    -> run
POST   /queue/steer                   ``{action, filter, priority?, reason?, after?}``          -> ``{changed, after}``
POST   /queue/count                   ``{filter}``                                              -> ``{count}``
POST   /queue/pause, /queue/drain     ``{scope?, name?, value?, reason?, until?}``              -> pause
POST   /queue/resume                  ``{scope?, name?, value?}``                               -> ``{resumed}``
POST   /queue/simulate                ``{limits?, from?, to?, load?, seed?}``                   -> a what-if
GET    /limits                        every limit with its use
GET    /limits/idle                   limits that match nothing that is known, with the nearest name in use
GET    /limits/in-force               what can be set, by kind and name, with its limit and where that is from
PUT    /limits                        ``{kind, name?, limit}``                                  -> the same
DELETE /limits?kind&name              what the instance file says again
POST   /runs/batch                    ``{runs: [launch, ...]}``, all or nothing                 -> ``{run_ids}``
====================================  ==================================================================================

A filter is ``{run_ids?, job?, location?, tags?, priority?, held?}`` or ``{all: true}``; all that is given must fit.
Steering does at most 1,000 runs a call: while ``after`` is not null, call again with it. ``action`` is ``priority``,
``hold``, ``release`` or ``cancel``; ``scope`` is ``queue`` (the default), ``tag`` (a job is the tag ``runyard/job``),
``pool`` or ``location``; ``until`` is text: ISO 8601, ``18:00`` or ``2h``. ``kind`` is ``runs``, ``pool`` or
``tag``, a tag's name ``key``, ``key=value`` or ``key=*``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator

from ...core.queue import QueueFilter, Steering
from ...core.tags import LEAST_PRIORITY, MOST_PRIORITY
from ...operations.find_run import find_run
from ...operations.queue import steering as queue_steering
from ...operations.queue import view as queue_view
from ...operations.queue.shapes import explained_shape, queue_entry_shape, unqueued_shape
from ...operations.shapes import run_shape
from ..context import Context
from ..fields import BY_WEB, After, Limit
from ..responses import Json, page

router = APIRouter(prefix="/queue", tags=["queue"])

#: Ids that one filter names at most.
MOST_IDS = 1000
RowNumber = Annotated[StrictInt, Field(ge=0, le=2**63 - 1)]
Priority = Annotated[StrictInt, Field(ge=LEAST_PRIORITY, le=MOST_PRIORITY)]


class NewPriority(BaseModel):
    model_config = ConfigDict(extra="forbid")

    priority: StrictInt


class Hold(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str = ""


class Filter(BaseModel):
    """Which queued runs: those that fit all that is given. Every one only by ``all``, so that no slip does it."""

    model_config = ConfigDict(extra="forbid")

    run_ids: Annotated[list[str], Field(max_length=MOST_IDS)] = []
    job: str | None = None
    location: str | None = None
    tags: dict[str, str] = {}
    priority: Priority | None = None
    held: StrictBool | None = None
    all: StrictBool = False

    @model_validator(mode="after")
    def _restricts_or_says_all(self) -> Filter:
        if self.wanted == QueueFilter() and not self.all:
            raise ValueError("give at least one condition, or all: true")
        return self

    @property
    def wanted(self) -> QueueFilter:
        return QueueFilter(
            run_ids=tuple(self.run_ids),
            job_name=self.job,
            location_name=self.location,
            tags=self.tags,
            priority=self.priority,
            held=self.held,
        )


class Count(BaseModel):
    model_config = ConfigDict(extra="forbid")

    filter: Filter


class Steer(BaseModel):
    """The same for many runs; ``after`` as the answer before gave it."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["priority", "hold", "release", "cancel"]
    filter: Filter
    priority: Priority | None = None
    reason: str = ""
    after: RowNumber | None = None

    @model_validator(mode="after")
    def _has_its_priority(self) -> Steer:
        if (self.action == "priority") != (self.priority is not None):
            raise ValueError("the action 'priority' needs 'priority', and no other takes it")
        return self


@router.get("")
def queue(request: Request, context: Context, limit: Limit = 100, after: After = None) -> Json:
    """Queued runs by forecast launch order, then position, each with the reason that it waits."""
    entries = queue_view.entries(context.stores, clock=context.clock, limit=limit + 1, after=after)
    shown, more = entries[:limit], len(entries) > limit
    rows = [queue_entry_shape(entry) for entry in shown]
    return page(request, rows, limit=limit, after=shown[-1].run_id if more else None)


@router.post("/count")
def count(context: Context, body: Count) -> Json:
    """How many queued runs fit, before something is done to them."""
    return Json({"count": context.stores.queue.depth(body.filter.wanted)})


@router.post("/steer")
def steer(context: Context, body: Steer) -> Json:
    """Do the same to up to 1,000 queued runs that fit; while ``after`` is not null, call again with it."""
    steering = Steering(action=body.action, by=BY_WEB, priority=body.priority or 0, reason=body.reason)
    steered = queue_steering.steer_some(
        context.stores, body.filter.wanted, steering, clock=context.clock, after=body.after
    )
    return Json({"changed": len(steered.changed), "after": steered.after})


@router.get("/{run_id}")
def explain(context: Context, run_id: str) -> Json:
    """Why this run waits and what would start it sooner; a run that is not queued is explained by its status."""
    run = find_run(context.stores.runs, run_id)
    entry = queue_view.entry(context.stores, run.run_id, clock=context.clock)
    if entry is None:
        now = context.clock.now()
        run = find_run(context.stores.runs, run.run_id)
        return Json(unqueued_shape(run, context.stores.pool_slots.waits(run.run_id, now=now), now=now))
    return Json(explained_shape(entry, queue_view.sooner(context.stores, run.run_id, clock=context.clock)))


@router.post("/{run_id}/priority")
def priority(context: Context, run_id: str, body: NewPriority) -> Json:
    """Give a queued run another priority; among equals it keeps its place by order of arrival."""
    run = queue_steering.set_priority(context.stores, run_id, body.priority, by=BY_WEB, clock=context.clock)
    return Json(run_shape(run))


@router.post("/{run_id}/hold")
def hold(context: Context, run_id: str, body: Hold | None = None) -> Json:
    """Keep a queued run from starting until it is released."""
    reason = body.reason if body else ""
    return Json(run_shape(queue_steering.hold(context.stores, run_id, by=BY_WEB, reason=reason, clock=context.clock)))


@router.post("/{run_id}/release")
def release(context: Context, run_id: str) -> Json:
    """Let a held run take its place again."""
    return Json(run_shape(queue_steering.release(context.stores, run_id, by=BY_WEB, clock=context.clock)))
