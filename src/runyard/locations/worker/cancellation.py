"""SIGTERM as an exception in user code, never in the middle of talking to the host."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from ...core.managers import contextmanager
from ...execution.errors import RunCancelled


class Cancellation:
    """Belongs to the main thread, where signal handlers run."""

    def __init__(self) -> None:
        self._shields = 0
        self._asked = False
        self._raised = False
        self._wake: Callable[[], object] | None = None
        os.register_at_fork(after_in_child=self._forked)

    def asked(self) -> bool:
        """Whether SIGTERM has come, also when user code has caught what it raised."""
        return self._asked

    def listen(self) -> None:
        """From now on SIGTERM raises RunCancelled in the main thread."""
        signal.signal(signal.SIGTERM, self._on_signal)

    def _forked(self) -> None:
        """Processes that user code forks end by SIGTERM as they do elsewhere: pools stop their workers with it."""
        if signal.getsignal(signal.SIGTERM) == self._on_signal:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def ignore(self) -> None:
        """The run's code is done: nothing is left to interrupt."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Hold a cancellation back until the block is over; other threads are never interrupted anyway."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        self._raise_if_asked()

    def strike_only_when_told(self, wake: Callable[[], object]) -> None:
        """From now on nothing but ``strike`` raises; ``wake`` is called in the signal's handler."""
        self._wake = wake
        self._shields += 1

    def strike(self) -> None:
        """In the main thread: raise now what was held back."""
        if self._asked:
            self._raise_once()

    def strike_again(self) -> None:
        """In the main thread, where no user code runs: raise also what user code has caught."""
        if self._asked:
            self._raised = True
            raise RunCancelled

    def given_up(self) -> None:
        """Nobody wants the work of the main thread any more: the signal that says so is on its way, or forestalled."""
        if threading.current_thread() is threading.main_thread():
            self._asked = True
            self._raise_if_asked()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True
        if self._wake is not None:
            self._wake()
        self._raise_if_asked()

    def _raise_if_asked(self) -> None:
        if self._asked and not self._shields:
            self._raise_once()

    def _raise_once(self) -> None:
        # Once only: the user's clean-up must not be interrupted by another signal.
        if not self._raised:
            self._raised = True
            raise RunCancelled
