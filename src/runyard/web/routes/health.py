"""Addresses for whoever watches the process."""

from __future__ import annotations

import os
import socket

from fastapi import APIRouter, Request

from ...operations.daemon_status import DaemonStatus, daemon_statuses
from ..context import Context
from ..responses import Json

router = APIRouter(tags=["health"])


@router.get("/livez")
async def livez() -> Json:
    """The process answers."""
    return Json({"status": "ok"})


@router.get("/readyz")
def readyz(context: Context) -> Json:
    """Storage answers; 503 when not."""
    return Json({"status": "ok", "storage_seconds": context.stores.ping()})


@router.get("/healthz")
def healthz(request: Request, context: Context) -> Json:
    """Every daemon that this process runs passes, a standby counting as passing; 503 when one does not."""
    own = request.app.state.own_daemons
    statuses = daemon_statuses(context.stores, context.settings, clock=context.clock)
    states = {status.type.value: _state_here(status) for status in statuses if status.type in own}
    well = all(passes for _, passes in states.values())
    body = {"status": "ok" if well else "failing", "daemons": {name: state for name, (state, _) in states.items()}}
    return Json(body, status_code=200 if well else 503)


def _state_here(status: DaemonStatus) -> tuple[str, bool]:
    here = (socket.gethostname(), os.getpid())
    if (status.host, status.pid) == here:
        return status.state, status.passes
    if any((standby.host, standby.pid) == here for standby in status.standbys):
        return "standby", True
    return "not_running", False
