"""Everything under ``/api/v1``."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException

from ..context import Context
from . import automation, daemons, events, instance, jobs, limits, locations, queue, runs


async def _refuse_writes_when_read_only(request: Request, context: Context) -> None:
    # Asking whether run config fits is a question with a body, no write.
    asks = request.method in ("GET", "HEAD") or request.url.path.endswith("/validate")
    if context.read_only and not asks:
        raise HTTPException(HTTPStatus.FORBIDDEN, "This server is read-only; it was started with --read-only.")


router = APIRouter(dependencies=[Depends(_refuse_writes_when_read_only)])
for module in (instance, runs, queue, limits, daemons, locations, jobs, automation, events):
    router.include_router(module.router)
