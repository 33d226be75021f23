"""Code locations."""

from __future__ import annotations

from fastapi import APIRouter

from ...operations.shapes import location_shape
from ..context import Context
from ..patience import PatientRoute
from ..responses import Json

router = APIRouter(prefix="/locations", tags=["locations"], route_class=PatientRoute)


@router.get("")
def locations(context: Context) -> Json:
    """Every code location with its state and what it defines."""
    records = sorted(context.stores.locations.all(), key=lambda record: record.name)
    return Json([location_shape(record) for record in records])


@router.post("/{name}/reload")
def reload(context: Context, name: str) -> Json:
    """Load the location's code again; the answer has the new state, the error included when it does not load."""
    location = context.location(name)
    location.reload(timeout=context.settings.code_servers.reload_timeout)
    return Json(location_shape(location.record()))
