"""Everything under ``/api/v1``."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from ..context import Context
from ..problems import RESPONSES, ReadOnly
from . import automation, daemons, events, instance, jobs, limits, locations, logs, queue, runs


async def _refuse_writes_when_read_only(request: Request, context: Context) -> None:
    # Asking whether run config fits is a question with a body, no write.
    asks = request.method in ("GET", "HEAD") or request.url.path.endswith("/validate")
    if context.read_only and not asks:
        raise ReadOnly


router = APIRouter(dependencies=[Depends(_refuse_writes_when_read_only)], responses=RESPONSES)
for module in (instance, runs, logs, queue, limits, daemons, locations, jobs, automation, events):
    router.include_router(module.router)
