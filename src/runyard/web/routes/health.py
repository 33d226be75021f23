"""Addresses for whoever watches the process. They answer within a deadline, whatever everything else waits for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from fastapi import APIRouter, Request

from ...core.errors import StorageUnavailable
from ...operations.daemon_status import DaemonStatus, daemon_statuses
from ..context import Context, WebContext
from ..responses import Json

router = APIRouter(tags=["health"])

PATHS = frozenset({"/livez", "/readyz", "/healthz"})
#: Seconds until "no" is the answer: shorter than what those who watch processes wait as a rule.
DEADLINE = 2.0


class _Outcome(NamedTuple):
    answer: Any = None
    error: Exception | None = None


class Checks:
    """Looks at storage on threads of their own, one for each kind of look: the handlers' may all be waiting.

    While a look hangs, others who ask wait for the same one, each until its own deadline, so that no threads pile up.
    """

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Future[_Outcome]] = {}

    async def result(self, name: str, look: Callable[[], Any]) -> Any:
        """What ``look`` says.

        Raises:
            StorageUnavailable: it has not come back within the deadline. Whatever it raises itself.
        """
        running = self._running.get(name)
        if running is None or running.done():
            running = self._running[name] = self._started(name, look)
        await asyncio.wait({running}, timeout=DEADLINE)
        if not running.done():
            raise StorageUnavailable(f"The database has not answered within {DEADLINE:.0f} s.")
        outcome = running.result()
        if outcome.error is not None:
            raise outcome.error
        return outcome.answer

    @staticmethod
    def _started(name: str, look: Callable[[], Any]) -> asyncio.Future[_Outcome]:
        loop = asyncio.get_running_loop()
        running: asyncio.Future[_Outcome] = loop.create_future()

        def run() -> None:
            outcome = _outcome(look)
            with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile: nobody waits
                loop.call_soon_threadsafe(running.set_result, outcome)

        threading.Thread(target=run, name=f"health-{name}", daemon=True).start()
        return running


def _outcome(look: Callable[[], Any]) -> _Outcome:
    try:
        return _Outcome(look())
    except Exception as error:  # noqa: BLE001  raised again to those who wait for it
        return _Outcome(error=error)


@router.get("/livez")
async def livez() -> Json:
    """The process answers."""
    return Json({"status": "ok"})


@router.get("/readyz")
async def readyz(request: Request, context: Context) -> Json:
    """Storage answers; 503 when not."""
    checks: Checks = request.app.state.checks
    return Json({"status": "ok", "storage_seconds": await checks.result("ready", context.stores.ping)})


@router.get("/healthz")
async def healthz(request: Request, context: Context) -> Json:
    """Every daemon that this process runs passes, a standby counting as passing; 503 when one does not."""
    checks: Checks = request.app.state.checks
    own = request.app.state.own_daemons
    statuses = await checks.result("health", lambda: _statuses(context))
    states = {status.type.value: _state_here(status) for status in statuses if status.type in own}
    well = all(passes for _, passes in states.values())
    body = {"status": "ok" if well else "failing", "daemons": {name: state for name, (state, _) in states.items()}}
    return Json(body, status_code=200 if well else 503)


def _statuses(context: WebContext) -> list[DaemonStatus]:
    return daemon_statuses(context.stores, context.settings, clock=context.clock)


def _state_here(status: DaemonStatus) -> tuple[str, bool]:
    here = (socket.gethostname(), os.getpid())
    if (status.host, status.pid) == here:
        return status.state, status.passes
    if any((standby.host, standby.pid) == here for standby in status.standbys):
        return "standby", True
    return "not_running", False
