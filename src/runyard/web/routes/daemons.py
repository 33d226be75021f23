"""The daemons."""

from __future__ import annotations

from fastapi import APIRouter

from ...operations.daemon_status import daemon_statuses
from ...operations.shapes import daemon_shape
from ..context import Context
from ..responses import Json

router = APIRouter(tags=["daemons"])


@router.get("/daemons")
def daemons(context: Context) -> Json:
    """Every daemon, those that are off too."""
    statuses = daemon_statuses(context.stores, context.settings, clock=context.clock)
    return Json([daemon_shape(status) for status in statuses])
