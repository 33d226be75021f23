"""Puts the web side together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

from .. import __version__
from ..core.daemon import DaemonType
from ..locations.api import Workspace
from . import problems
from .bodies import BodyMiddleware
from .context import InstanceLike, WebContext
from .feed import Feed
from .head import HeadMiddleware
from .pages import Pages
from .routes import api, health
from .security import SecurityMiddleware

#: Requests that may wait for storage side by side; each takes a thread and a database connection.
BLOCKING_CALLS = 8


def create_app(
    instance: InstanceLike,
    workspace: Workspace | None,
    *,
    read_only: bool = False,
    allowed_hosts: Collection[str] = (),
    own_daemons: Collection[DaemonType] = (),
) -> FastAPI:
    """The app for one instance.

    Parameters:
        workspace: the code locations of this process, None when it has none.
        read_only: refuse everything that changes something.
        allowed_hosts: names under which browsers may ask, beside localhost; a wildcard address such as 0.0.0.0
            lets in every literal address and the machine's own name.
        own_daemons: the daemons that this process runs; ``/healthz`` answers for them.
    """
    feed = Feed(instance.stores.wakeups.listen)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = BLOCKING_CALLS
        async with feed.running():
            yield

    app = FastAPI(
        title="Runyard",
        version=__version__,
        description="Times are ISO 8601 in UTC, durations are seconds, errors are application/problem+json.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.context = WebContext(instance, workspace, read_only)
    app.state.feed = feed
    app.state.own_daemons = tuple(own_daemons)
    app.state.checks = health.Checks()
    if workspace is not None:
        workspace.on_change(lambda _: feed.moved("locations"))
    # The last is the outermost: what goes wrong in any of the others is answered as a problem, too.
    app.add_middleware(BodyMiddleware)
    app.add_middleware(SecurityMiddleware, allowed_hosts=allowed_hosts)
    app.add_middleware(HeadMiddleware)
    problems.install(app)
    app.include_router(health.router)
    app.include_router(api.router, prefix="/api/v1")
    app.mount("/", Pages())
    return app
