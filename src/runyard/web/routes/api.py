"""Everything under ``/api/v1``."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from ..context import Context
from ..problems import RESPONSES, ReadOnly
from . import (
    automation,
    daemons,
    events,
    instance,
    jobs,
    limits,
    locations,
    output,
    pauses,
    queue,
    run_acts,
    runs,
    simulate,
)

_QUESTIONS = ("/validate", "/queue/count", "/queue/simulate")


async def _refuse_writes_when_read_only(request: Request, context: Context) -> None:
    # Whether run config fits and how many runs a filter hits and what-ifs are questions with a body, no writes.
    asks = request.method in ("GET", "HEAD") or request.url.path.endswith(_QUESTIONS)
    if context.read_only and not asks:
        raise ReadOnly


router = APIRouter(dependencies=[Depends(_refuse_writes_when_read_only)], responses=RESPONSES)
# Addresses like /queue/pauses come before /queue/{run_id}.
for module in (
    instance,
    runs,
    run_acts,
    output,
    pauses,
    queue,
    simulate,
    limits,
    daemons,
    locations,
    jobs,
    automation,
    events,
):
    router.include_router(module.router)
