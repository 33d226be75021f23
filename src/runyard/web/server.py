"""Serves an app from a thread of its own. Light to import: the web libraries are loaded in that thread."""

from __future__ import annotations

import errno
import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..core.errors import UserError
from .addresses import is_loopback, machine_addresses

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


class OpenToOthers(UserError):
    """The address can be reached from other machines, and nobody who comes is asked who they are."""

    def __init__(self, host: str, address: str) -> None:
        named = f"'{host}'" if host == address else f"'{host}' ({address})"
        super().__init__(
            f"{named} is no loopback address: everyone who reaches it could run code here, as Runyard has no log-in. "
            "Listen on 127.0.0.1 and reach it through a tunnel (ssh -L 3000:127.0.0.1:3000 HOST) or a proxy that "
            "asks who comes; or add --insecure-no-auth to let everyone in."
        )


class WebServer:
    """An HTTP server on a thread.

    Parameters:
        app_factory: makes the ASGI app; called in the thread.
        host: name or address to listen on.
        port: 0 for any free one; ``port`` then tells which.
        insecure_no_auth: listen also where other machines reach it; nobody is asked who they are.
    """

    def __init__(self, app_factory: Callable[[], Any], host: str, port: int, *, insecure_no_auth: bool = False) -> None:
        self._app_factory = app_factory
        self._insecure_no_auth = insecure_no_auth
        self._address = ""
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
        """Where a person on this machine finds it; known once started."""
        return self.urls[0]

    @property
    def urls(self) -> list[str]:
        """Where it is found, on a wildcard address by each address of this machine; known once started."""
        every = {"0.0.0.0": socket.AF_INET, "::": socket.AF_UNSPEC}.get(self._address)  # noqa: S104  compared with only
        hosts = [self.host] if every is None else machine_addresses(every)
        return [f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}" for host in hosts]

    @property
    def open_to_others(self) -> bool:
        """Whether other machines may reach it; known once started."""
        return not is_loopback(self._address)

    def start(self) -> None:
        """Listen at once, so that early requests wait instead of failing, and load the app in the background.

        Raises:
            PortInUse: another program listens there.
            CannotListen: the address is not this machine's, or may not be used.
            OpenToOthers: other machines reach it, and the caller has not said that they may.
        """
        self._socket = _listen(self.host, self.port, self._check_address)
        self._address, self.port = self._socket.getsockname()[:2]
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

    def _check_address(self, address: str) -> None:
        if not (self._insecure_no_auth or is_loopback(address)):
            raise OpenToOthers(self.host, address)

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


def _listen(host: str, port: int, check: Callable[[str], None]) -> socket.socket:
    if not 0 <= port <= 65535:
        raise CannotListen(host, port, "ports go from 0 to 65535")  # getaddrinfo would take it modulo 65536
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # What the name means now is what is bound: it is not looked up again.
        check(str(address[0]))
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
