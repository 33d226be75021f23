"""Workers whose host is gone find this one: their first message says who they are."""

from __future__ import annotations

import socket
from collections.abc import Callable

from ..messages import FromWorker, Hello
from ..processes import peer_pid
from .connection import Connection
from .loop import Loop
from .worker_process import DECODER

OnMessage = Callable[[FromWorker], None]
#: Takes in a worker with this pid; returns what its further messages go to.
Welcome = Callable[[Hello, int, Connection[FromWorker]], OnMessage]


class _Stranger:
    """A connection until its Hello has come."""

    def __init__(self, loop: Loop, peer: socket.socket, welcome: Welcome) -> None:
        self._welcome = welcome
        self._pid = peer_pid(peer)
        self._on_message: OnMessage | None = None
        self._connection = Connection(loop, peer, DECODER, on_message=self._take, on_end=lambda: None)

    def _take(self, message: FromWorker) -> None:
        if self._on_message is not None:
            self._on_message(message)
        elif isinstance(message, Hello):
            try:
                self._on_message = self._welcome(message, self._pid or message.pid, self._connection)
            except ProcessLookupError:
                # It ended right after it had connected: what it had to say was committed, or is told by its absence.
                self._connection.close()


def adopt(loop: Loop, peer: socket.socket, *, run: Welcome, step: Welcome) -> None:
    """Listen to a worker that has connected; ``run`` or ``step`` takes it in."""

    def welcome(hello: Hello, pid: int, connection: Connection[FromWorker]) -> OnMessage:
        return (run if hello.step is None else step)(hello, pid, connection)

    _Stranger(loop, peer, welcome)
