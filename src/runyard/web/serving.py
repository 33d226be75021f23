"""Our settings of uvicorn; imports it, so only the thread that serves imports this."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI


class AppServer(uvicorn.Server):
    """Says when it answers, and ends the open event streams before it waits for answers under way."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._app.state.feed.close()
        await super().shutdown(sockets)


def make_server(app: FastAPI, *, on_ready: Callable[[], None], grace: float) -> AppServer:
    """A server for ``app``; ``grace``: seconds that answers under way get at the end."""
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(grace)),
    )
    return AppServer(config, app, on_ready)
