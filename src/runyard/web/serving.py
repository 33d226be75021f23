"""Our settings of uvicorn; imports it, so only the thread that serves imports this."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from .problems import Problem
from .protocol import BoundedProtocol
from .routes.health import PATHS as HEALTH_PATHS

log = logging.getLogger("runyard.web")

#: Connections at most, where the process may have enough files open. Each open page holds one for its events.
MOST_CONNECTIONS = 1000
#: Beyond these, for those who ask whether the process is well; what comes after that is hung up on.
RESERVED = 50
#: Connections that the kernel keeps until they are accepted.
BACKLOG = 128
#: Seconds between two lines of the log about the same trouble with connections.
SAY_EVERY = 10.0

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Seldom:
    """Says a thing at most once in ``SAY_EVERY`` seconds, so that what happens all the time does not fill a disk."""

    def __init__(self) -> None:
        self._said_at: dict[str, float] = {}

    def warn(self, message: str, *values: object) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._said_at.get(message, float("-inf")) >= SAY_EVERY:
            self._said_at[message] = now
            log.warning(message, *values)


class Admission:
    """Answers requests on more connections than ``most`` with 503, all but those for health."""

    def __init__(self, app: FastAPI, most: int) -> None:
        self._app = app
        self.most = most
        self._seldom = Seldom()
        self.connections: Callable[[], int] = lambda: 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.connections() <= self.most or scope["path"] in HEALTH_PATHS:
            await self._app(scope, receive, send)
            return
        self._seldom.warn("More than %d connections; further ones are refused", self.most)
        detail = f"The server has {self.most} connections already. Close some pages, or ask again later."
        problem = Problem(503, "too-many-connections", detail)
        problem.headers["Connection"] = "close"
        await problem(scope, receive, send)


class _Connection(BoundedProtocol):
    """Hung up on at once where even the reserve is used up."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        admission = self.config.app
        if isinstance(admission, Admission) and len(self.connections) > admission.most + RESERVED:
            transport.abort()


class AppServer(uvicorn.Server):
    """Says when it answers, and ends the open event streams before it waits for answers under way."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready
        self._seldom = Seldom()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(self._on_trouble)
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(BACKLOG)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.feed.close()
        await super().shutdown(sockets)

    def _on_trouble(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The loop stops accepting for a second when no file can be opened; it would print a traceback each time."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _EXHAUSTED:
            self._seldom.warn("No connection is accepted for now: %s; 'ulimit -n' raises the limit", error.strerror)
        else:
            loop.default_exception_handler(context)


def make_server(app: FastAPI, *, on_ready: Callable[[], None], grace: float) -> AppServer:
    """A server for ``app``; ``grace``: seconds that answers under way get at the end."""
    admission = Admission(app, most_connections())
    config = uvicorn.Config(
        admission,
        loop="asyncio",
        http=_Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # The loop takes so many at a time, and meets an error as often each time; what the kernel keeps is BACKLOG.
        backlog=1,
        timeout_graceful_shutdown=max(1, round(grace)),
    )
    server = AppServer(config, app, on_ready)
    admission.connections = lambda: len(server.server_state.connections)
    return server


def most_connections() -> int:
    """So many that as many files again are left for the database, for hosts and for the files of runs."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if allowed == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, max(allowed // 2, 10))
