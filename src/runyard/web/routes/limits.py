"""Limits and what fills them."""

from __future__ import annotations

from fastapi import APIRouter

from ...operations import queue_view
from ...operations.shapes import limit_shape
from ...queue.groups import RUN_SLOTS
from ..context import Context
from ..responses import Json

router = APIRouter(tags=["queue"])


@router.get("/limits")
def limits(context: Context) -> Json:
    """Every limit with its use, the runs that hold it and how many wait at it; ``kind`` as in a queue reason."""
    uses = queue_view.limits(context.stores)
    return Json(
        [limit_shape(use) | {"kind": "max_concurrent_runs" if use.rule == RUN_SLOTS else "tag_limit"} for use in uses]
    )
