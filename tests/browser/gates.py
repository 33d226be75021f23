"""Gates that runs wait at until a test lets them go: a connection that stays silent, no polling."""

from __future__ import annotations

import contextlib
import socketserver
import threading


class Gates:
    """A run connects, says its id in a line, and reads; it gets a byte once its gate is open."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._open: set[str] = set()
        self._closed = False
        gates = self

        class Waiting(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                run_id = self.rfile.readline().decode().strip()
                gates._wait(run_id)
                # A run that was terminated meanwhile has gone.
                with contextlib.suppress(OSError):
                    self.request.send(b"!")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Waiting)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def open(self, run_id: str) -> None:
        """Also before the run is there."""
        with self._moved:
            self._open.add(run_id)
            self._moved.notify_all()

    def close(self) -> None:
        """Let every run go and take no more."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()
        self._server.shutdown()
        self._server.server_close()

    def _wait(self, run_id: str) -> None:
        with self._moved:
            self._moved.wait_for(lambda: self._closed or run_id in self._open)
