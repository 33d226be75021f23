"""A thread that repeats one step until it is told to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ..core.clock import Clock

logger = logging.getLogger(__name__)

#: Seconds to wait after a step raised, so that a broken dependency is not hammered.
AFTER_ERROR = 5.0
#: Least seconds between the beginnings of two steps: a first wake is answered at once, a burst of them together.
LEAST_GAP = 0.01


class RepeatingThread:
    """Calls ``step()``, which returns the seconds until the next call, and again at once when woken.

    ``step`` is expected to deal with its own errors; one that escapes is logged and the step is repeated later.
    """

    def __init__(self, name: str, step: Callable[[], float], *, clock: Clock) -> None:
        self._step = step
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Ask for a step now."""
        self._wake.set()

    def end_soon(self) -> None:
        """Ask the thread to end after the step under way."""
        self._stopping.set()
        self._wake.set()

    def stop(self, *, timeout: float = 5.0) -> bool:
        """Ask the thread to end; True when it did within ``timeout`` seconds."""
        self.end_soon()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            # Cleared before the step: a wake during it means that the step may have read too early.
            self._wake.clear()
            began = self._clock.monotonic()
            try:
                seconds = self._step()
            except Exception:
                logger.exception("%s: step failed, repeated in %.0f s", self._thread.name, AFTER_ERROR)
                seconds = AFTER_ERROR
            if not self._stopping.is_set():
                self._clock.wait(self._wake, seconds)
                self._clock.wait(self._stopping, began + LEAST_GAP - self._clock.monotonic())
