"""Limits, what fills them, and other ones in their place."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictInt

from ...core.queue import LimitChange
from ...operations.queue import limits as limit_changes
from ...operations.queue.control_shapes import idle_limit_shape, limit_change_shape, limit_in_force_shape
from ...operations.queue.shapes import limit_shape
from ...queue.idle_limits import by_rule
from ..context import Context, WebContext
from ..fields import BY_WEB
from ..responses import Json

router = APIRouter(tags=["queue"])


class NewLimit(BaseModel):
    """``name``: the pool; of tags ``key`` (all values together), ``key=value`` or ``key=*`` (each); else empty.
    ``limit`` null: what the instance file says again.
    """

    model_config = ConfigDict(extra="forbid")

    kind: limit_changes.LimitKind
    name: str = ""
    limit: Annotated[StrictInt, Field(ge=-1, le=2**31 - 1)] | None


@router.get("/limits")
def limits(context: Context) -> Json:
    """Every limit with its use, the runs that hold it and how many wait at it; ``kind`` as in a queue reason."""
    notes = by_rule(context.idle_limits.get())
    return Json([limit_shape(use, notes.get((use.kind, use.rule))) for use in context.limits.get()])


@router.get("/limits/idle")
def idle_limits(context: Context) -> Json:
    """Limits that match nothing that is known, of every kind, each with a sentence that names the nearest in use."""
    return Json([idle_limit_shape(limit) for limit in context.idle_limits.get()])


@router.get("/limits/in-force")
def in_force(context: Context) -> Json:
    """What can be set: run slots, every tag rule and every known pool, each by its ``kind`` and ``name``."""
    return Json([limit_in_force_shape(limit) for limit in limit_changes.limits_in_force(context.stores)])


@router.put("/limits")
def set_limit(context: Context, body: NewLimit) -> Json:
    """Put another limit in force, in place of the instance file's, until it is taken back. It evicts nobody."""
    if body.limit is None:
        limit_changes.unset_limit(context.stores, body.kind, body.name, by=BY_WEB, clock=context.clock)
    else:
        limit_changes.set_limit(context.stores, body.kind, body.name, body.limit, by=BY_WEB, clock=context.clock)
    return _changed(context, LimitChange(kind=body.kind, name=body.name, limit=body.limit))


@router.delete("/limits")
def unset_limit(context: Context, kind: limit_changes.LimitKind, name: str = "") -> Json:
    """Have what the instance file says again; for a pool without one that is the default."""
    limit_changes.unset_limit(context.stores, kind, name, by=BY_WEB, clock=context.clock)
    return _changed(context, LimitChange(kind=kind, name=name, limit=None))


def _changed(context: WebContext, change: LimitChange) -> Json:
    note = limit_changes.in_force(context.stores, change.kind, change.name).note
    return Json(limit_change_shape(change, note))
