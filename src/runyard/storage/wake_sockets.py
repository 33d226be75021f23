"""Hints between the processes of a machine: a datagram to each one's Unix socket in a shared directory."""

from __future__ import annotations

import itertools
import logging
import os
import selectors
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from ..core.errors import ConfigError
from ..settings.private_files import make_directory

_log = logging.getLogger("runyard.storage")
_numbers = itertools.count(1)
#: What the kernel takes as a Unix socket's path, in bytes.
_LONGEST = 107


class SocketHints:
    """``runtime_dir`` is made when it is missing, for this user only.

    Raises:
        ConfigError: the directory's name is too long for a socket's path.
    """

    def __init__(self, runtime_dir: str) -> None:
        self._directory = runtime_dir
        make_directory(Path(runtime_dir))
        self._own = os.path.join(runtime_dir, f"wake-{os.getpid()}-{next(_numbers)}.sock")  # noqa: PTH118  a str is what sockets take
        if len(os.fsencode(self._own)) > _LONGEST:
            raise ConfigError(
                f"The runtime directory {runtime_dir} is too long for sockets: its path must stay below 80 bytes."
            )
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)
        self._receiver: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._stop_read, self._stop_write = socket.socketpair()

    def send(self, topic: str) -> None:
        data = topic.encode()
        for path in self._others():
            self._send_to(path, data)

    def _others(self) -> list[str]:
        try:
            names = os.listdir(self._directory)  # noqa: PTH208  strings, on the way of every poke
        except FileNotFoundError:
            return []
        paths = (f"{self._directory}/{name}" for name in names if name.startswith("wake-"))
        return [path for path in paths if path != self._own]

    def _send_to(self, path: str, data: bytes) -> None:
        try:
            self._sender.sendto(data, path)
        except ConnectionRefusedError:
            # Its process is gone without having removed it.
            Path(path).unlink(missing_ok=True)
        except OSError as error:
            # Gone meanwhile, or it has more hints waiting than it reads: it wakes up anyway.
            _log.debug("No hint to %s: %s", path, error)

    def receive(self, callback: Callable[[str], None]) -> None:
        Path(self._own).unlink(missing_ok=True)
        self._receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._receiver.bind(self._own)
        self._receiver.setblocking(False)
        self._thread = threading.Thread(
            target=self._run, args=(self._receiver, callback), name="runyard-wake", daemon=True
        )
        self._thread.start()

    def _run(self, receiver: socket.socket, callback: Callable[[str], None]) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(receiver, selectors.EVENT_READ)
            selector.register(self._stop_read, selectors.EVENT_READ)
            while not self._closed.is_set():
                selector.select()
                for topic in dict.fromkeys(_drain(receiver)):
                    callback(topic)

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._stop_write.send(b".")
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)
        for end in (self._sender, self._receiver, self._stop_read, self._stop_write):
            if end is not None:
                end.close()
        if self._receiver is not None:
            Path(self._own).unlink(missing_ok=True)


def _drain(receiver: socket.socket) -> list[str]:
    topics = []
    while topic := _next(receiver):
        topics.append(topic)
    return topics


def _next(receiver: socket.socket) -> str | None:
    try:
        return receiver.recv(4096).decode(errors="replace")
    except BlockingIOError:
        return None
