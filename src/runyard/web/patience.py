"""Requests that need a code location wait while it loads, without a thread, so that other requests are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from ..core.errors import StillLoading
from ..core.location import LocationState
from ..operations.submit_many import RequestRefused
from .context import WebContext

#: A request waits for so long at most, in seconds.
LONGEST_WAIT = 60.0
#: Seconds between two looks at the location's state, which cost nothing.
LOOK_EVERY = 0.1

Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class PatientRoute(APIRoute):
    """Asks again once the location has loaded. What raises StillLoading has changed nothing."""

    def get_route_handler(self) -> Answer:
        answer = super().get_route_handler()

        async def patient(request: Request) -> Response:
            until = asyncio.get_running_loop().time() + LONGEST_WAIT
            while True:
                try:
                    return await answer(request)
                except (StillLoading, RequestRefused) as error:  # noqa: PERF203 - it is asked again seldom
                    loading = error.error if isinstance(error, RequestRefused) else error
                    if not isinstance(loading, StillLoading) or not await _settled(request, loading.location, until):
                        raise

        return patient


async def _settled(request: Request, name: str, until: float) -> bool:
    """Wait for the location; False when the client has hung up.

    Raises:
        StillLoading: it took too long.
    """
    context: WebContext = request.app.state.context
    loading = True
    while loading:
        if asyncio.get_running_loop().time() >= until:
            raise StillLoading(name, f"it is still loading after {LONGEST_WAIT:g} s.")
        await asyncio.sleep(LOOK_EVERY)
        # Also after the last look: the client may have hung up since the one before.
        if await request.is_disconnected():
            return False
        location = context.reachable.get(name)
        loading = location is not None and location.record().state is LocationState.LOADING
    return True
