"""The queue: its order, why each run waits, and what a person may do about it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, StrictInt

from ...operations import queue_steering, queue_view
from ...operations.find_run import find_run
from ...operations.shapes import queue_entry_shape, run_shape, unqueued_shape
from ...queue.explain import QueueEntry
from ..context import Context
from ..fields import BY_WEB, After, Limit, StorableText
from ..responses import Json, page

router = APIRouter(prefix="/queue", tags=["queue"])


class NewPriority(BaseModel):
    model_config = ConfigDict(extra="forbid")

    priority: StrictInt


class Hold(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: StorableText = ""


@router.get("")
def queue(request: Request, context: Context, limit: Limit = 100, after: After = None) -> Json:
    """Queued runs by forecast launch order, then position, each with the reason that it waits."""
    entries = _behind(queue_view.entries(context.stores, clock=context.clock, limit=queue_view.LOOKED_AT), after)
    shown, more = entries[:limit], len(entries) > limit
    rows = [queue_entry_shape(entry) for entry in shown]
    return page(request, rows, limit=limit, after=shown[-1].run_id if more else None)


@router.get("/{run_id}")
def explain(context: Context, run_id: str) -> Json:
    """Why this run waits; a run that is not queued is explained by its status."""
    run = find_run(context.stores.runs, run_id)
    entry = queue_view.entry(context.stores, run.run_id, clock=context.clock)
    return Json(queue_entry_shape(entry) if entry else unqueued_shape(find_run(context.stores.runs, run.run_id)))


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


def _behind(entries: list[QueueEntry], after: str | None) -> list[QueueEntry]:
    """What follows ``after``; a run that has left the queue meanwhile gives the first page again."""
    places = [index for index, entry in enumerate(entries) if entry.run_id == after]
    return entries[places[0] + 1 :] if places else entries
