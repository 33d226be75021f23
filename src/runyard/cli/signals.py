"""Ctrl-C and SIGTERM for long-lived commands."""

from __future__ import annotations

import signal
import threading
from types import FrameType

#: Seconds after which the main thread looks up, for platforms on which a signal does not end a wait.
_LOOK_EVERY = 60.0


class Signals:
    """Counts SIGINT and SIGTERM: the first asks to stop, a second insists."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._insisted = threading.Event()

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        (self._insisted if self._asked.is_set() else self._asked).set()

    def wait(self) -> None:
        """Return once asked to stop."""
        while not self._asked.wait(_LOOK_EVERY):
            pass

    @property
    def insisted(self) -> threading.Event:
        return self._insisted
