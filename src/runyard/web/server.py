"""Serves an app from a thread of its own. Light to import: the web libraries are loaded in that thread."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..core.errors import UserError

if TYPE_CHECKING:
    import uvicorn

log = logging.getLogger("runyard.web")

#: Seconds that answers under way get when the server stops.
GRACE = 2.0
STOP_SECONDS = 5.0


class PortInUse(UserError):
    """``by``: which process of ours has it, where that is known."""

    def __init__(self, host: str, port: int, *, by: str | None = None) -> None:
        self.host, self.port = host, port
        used = f"in use by {by}, which serves this home already" if by else "in use"
        super().__init__(f"Port {port} of {host} is {used}; give another with -p, or -p 0 for any free one.")


class CannotListen(UserError):
    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"Cannot listen on {host} port {port}: {reason}.")


class WebServer:
    """An HTTP server on a thread.

    Parameters:
        app_factory: makes the ASGI app; called in the thread.
        host: name or address to listen on.
        port: 0 for any free one; ``port`` then tells which.
    """

    def __init__(self, app_factory: Callable[[], Any], host: str, port: int) -> None:
        self._app_factory = app_factory
        self.host = host
        self.port = port
        self._server: uvicorn.Server | None = None
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._socket: socket.socket | None = None

    @property
    def url(self) -> str:
        """Where a person finds it; known once started."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104  compared with only
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def start(self) -> None:
        """Listen at once, so that early requests wait instead of failing, and load the app in the background.

        Raises:
            PortInUse: another program listens there.
            CannotListen: the address is not this machine's, or may not be used.
        """
        self._socket = _listen(self.host, self.port)
        self.port = self._socket.getsockname()[1]
        self._thread.start()

    def wait_ready(self, timeout: float) -> bool:
        """True once requests are answered; raises what kept the app from starting."""
        ready = self._ready.wait(timeout)
        if self._error is not None:
            raise self._error
        return ready

    def stop(self) -> None:
        """Finish the answers under way and end the thread."""
        self._stopping = True
        if self._server is not None:
            self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as error:
            # The thread's edge: kept for wait_ready, and recorded.
            self._error = error
            log.exception("the web server ended")
        finally:
            if self._socket is not None:
                self._socket.close()
            self._ready.set()

    def _serve(self) -> None:
        # Imported here: the daemons start while the web libraries load.
        from .serving import make_server  # noqa: PLC0415

        assert self._socket is not None  # noqa: S101  start() opened it
        self._server = make_server(self._app_factory(), on_ready=self._ready.set, grace=GRACE)
        if not self._stopping:
            self._server.run(sockets=[self._socket])


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:
        raise CannotListen(host, port, "ports go from 0 to 65535")  # getaddrinfo would take it modulo 65536
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return _bound(socket.socket(family, kind, proto), address)
    except socket.gaierror:
        raise CannotListen(host, port, "no such host") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from None
        raise CannotListen(host, port, error.strerror or str(error)) from None


def _bound(listener: socket.socket, address: Any) -> socket.socket:
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
