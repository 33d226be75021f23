"""Schedules and sensors."""

from __future__ import annotations

from fastapi import APIRouter

from ...core.tick import InstigatorKind
from ...operations import instigators
from ...operations.shapes import instigator_shape, tick_shape
from ..context import Context
from ..fields import Limit
from ..patience import PatientRoute
from ..responses import Json


def _router(kind: InstigatorKind) -> APIRouter:
    """The same addresses for schedules and for sensors."""
    router = APIRouter(prefix=f"/{kind}s", tags=["automation"], route_class=PatientRoute)

    @router.get("", name=f"{kind}s")
    def listing(context: Context) -> Json:
        views = instigators.listing(context.stores, kind, clock=context.clock)
        return Json([instigator_shape(view) for view in views])

    @router.post("/{location}/{name}/start", name=f"start_{kind}")
    def start(context: Context, location: str, name: str) -> Json:
        key = instigators.find(context.stores, kind, name, location, reachable=context.reachable)
        instigators.start(context.stores, key, clock=context.clock)
        return _one(context, kind, location, name)

    @router.post("/{location}/{name}/stop", name=f"stop_{kind}")
    def stop(context: Context, location: str, name: str) -> Json:
        key = instigators.find(context.stores, kind, name, location, reachable=context.reachable)
        instigators.stop(context.stores, key)
        return _one(context, kind, location, name)

    @router.get("/{location}/{name}/ticks", name=f"{kind}_ticks")
    def ticks(context: Context, location: str, name: str, limit: Limit = 50) -> Json:
        key = instigators.find(context.stores, kind, name, location, reachable=context.reachable)
        return Json([tick_shape(tick) for tick in context.stores.ticks.list(key, limit=limit)])

    return router


def _one(context: Context, kind: InstigatorKind, location: str, name: str) -> Json:
    views = instigators.listing(context.stores, kind, clock=context.clock)
    return Json(next(instigator_shape(v) for v in views if (v.key.location_name, v.key.name) == (location, name)))


router = APIRouter()
router.include_router(_router("schedule"))
router.include_router(_router("sensor"))
