"""Pause, drain and resume the queue or a part of it, the queue in numbers, and what people did to it so far."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from ...operations.queue import pauses
from ...operations.queue.control_shapes import audit_shape, made_pause_shape, pause_shape
from ...operations.queue.drain import running
from ...operations.queue.shapes import summary_shape
from ...operations.shapes import Shape
from ...operations.until import parse_until
from ...queue.rules import Pause, PauseScope
from ..context import Context, WebContext
from ..fields import BY_WEB, Limit
from ..responses import Json

router = APIRouter(prefix="/queue", tags=["queue"])


class Subject(BaseModel):
    """What is meant: the queue as a whole, a tag's value, a pool, a location."""

    model_config = ConfigDict(extra="forbid")

    scope: PauseScope = "queue"
    name: str = ""
    value: str = ""


class NewPause(Subject):
    """``until``: ISO 8601, a time of day such as ``18:00``, or a span such as ``2h``; null: until it is resumed."""

    reason: str = ""
    until: str | None = None


@router.post("/pause")
def pause(context: Context, body: NewPause) -> Json:
    """Launch nothing of it until it is resumed or the time has come; what runs goes on."""
    return _pause(context, body, drain=False)


@router.post("/drain")
def drain(context: Context, body: NewPause) -> Json:
    """Pause it and wait for what runs: ``running`` of ``GET /queue/pauses`` goes down to 0."""
    return _pause(context, body, drain=True)


@router.post("/resume")
def resume(context: Context, body: Subject | None = None) -> Json:
    """End the pause or drain of exactly this; ``resumed`` is null when there was none."""
    subject = body or Subject()
    ended = pauses.resume(context.stores, subject.scope, subject.name, subject.value, by=BY_WEB, clock=context.clock)
    return Json({"resumed": _shape(context, ended) if ended else None})


@router.get("/summary")
def summary(context: Context) -> Json:
    """The queue in numbers: depth, held, waits, starts, how far off estimates were, starvation; and what is paused."""
    return Json(summary_shape(context.queue_summary.get()) | {"pauses": _pauses(context)})


@router.get("/pauses")
def listing(context: Context) -> Json:
    """Pauses and drains in force, the oldest first."""
    return Json(_pauses(context))


@router.get("/history")
def history(
    context: Context, limit: Limit = 100, before: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None
) -> Json:
    """What people did to the queue and its limits, newest first; ``before``: the id that the page before ended with."""
    return Json([audit_shape(entry) for entry in context.stores.limits.audit(limit=limit, before=before)])


def _pause(context: WebContext, body: NewPause, *, drain: bool) -> Json:
    until = parse_until(body.until, now=context.clock.now()) if body.until else None
    made = pauses.pause(
        context.stores,
        body.scope,
        body.name,
        body.value,
        by=BY_WEB,
        reason=body.reason,
        until=until,
        drain=drain,
        clock=context.clock,
    )
    note = pauses.unmatched(context.stores, made)
    return Json(made_pause_shape(made, running=running(context.stores, made), note=note))


def _pauses(context: WebContext) -> list[Shape]:
    return [_shape(context, each) for each in pauses.pauses(context.stores, clock=context.clock)]


def _shape(context: WebContext, paused: Pause) -> Shape:
    return pause_shape(paused, running=running(context.stores, paused))
