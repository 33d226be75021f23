"""Hints that something moved: to callbacks of this process at once, to other processes by their sockets and NOTIFY."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

_log = logging.getLogger("runyard.storage")

Callback = Callable[[str], None]


class Hints(Protocol):
    """A way to other processes."""

    def send(self, topic: str) -> None: ...

    def receive(self, callback: Callback) -> None:
        """Start to call ``callback`` with what others send."""
        ...

    def close(self) -> None: ...


class LocalAndRemoteWakeups:
    """``storage.protocols.Wakeups``. Callbacks are called from the poking thread, or from one that receives."""

    def __init__(self, *ways: Hints) -> None:
        self._ways = ways
        self._guard = threading.Lock()
        self._callbacks: dict[object, Callback] = {}
        self._receiving = False

    def poke(self, topic: str) -> None:
        self._tell(topic)
        for way in self._ways:
            way.send(topic)

    def listen(self, callback: Callback) -> Callable[[], None]:
        token = object()
        with self._guard:
            self._callbacks[token] = callback
            start, self._receiving = not self._receiving, True
        if start:
            for way in self._ways:
                way.receive(self._tell)
        return lambda: self._forget(token)

    def _forget(self, token: object) -> None:
        with self._guard:
            self._callbacks.pop(token, None)

    def _tell(self, topic: str) -> None:
        with self._guard:
            callbacks = list(self._callbacks.values())
        for callback in callbacks:
            _call(callback, topic)

    def close(self) -> None:
        for way in self._ways:
            way.close()


def _call(callback: Callback, topic: str) -> None:
    try:
        callback(topic)
    except Exception:  # noqa: BLE001  a listener's fault must not reach whoever poked
        _log.exception("A listener for wake-ups failed on '%s'.", topic)
