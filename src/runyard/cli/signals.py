"""Ctrl-C and SIGTERM for long-lived commands."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Optional, Union

Handler = Union[Callable[[int, Optional[FrameType]], None], signal.Handlers]  # noqa: UP007, UP045 # read at run time
#: Seconds after which the main thread looks up, for platforms on which a signal does not end a wait.
_LOOK_EVERY = 60.0


class Signals:
    """Counts SIGINT and SIGTERM: the first asks to stop, a second insists, a third ends the process as it is."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._insisted = threading.Event()

    def install(self) -> None:
        self._handle(self._on_signal)

    def _handle(self, handler: Handler) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if not self._asked.is_set():
            self._asked.set()
            return
        self._insisted.set()
        self._handle(signal.SIG_DFL)

    def wait(self) -> None:
        """Return once asked to stop."""
        while not self._asked.wait(_LOOK_EVERY):
            pass

    @property
    def insisted(self) -> threading.Event:
        return self._insisted
