"""One look for all who ask at once: ten browsers that show the same page cost as much as one or two."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class _Look(Generic[T]):
    def __init__(self) -> None:
        self.answers: list[T] = []


class Shared(Generic[T]):
    """An answer that is the same for everybody. Each gets one that was begun after it had asked, so none is old."""

    def __init__(self, look: Callable[[], T]) -> None:
        self._look = look
        self._turn = threading.Lock()
        self._asking = threading.Lock()
        self._next: _Look[T] | None = None

    def get(self) -> T:
        """What ``look`` says. Raises what it raises, to the one that called it; the others look again."""
        with self._asking:
            mine = self._next = self._next or _Look()
        with self._turn:
            if not mine.answers:
                with self._asking:
                    # Whoever asks from now on waits for the look after this one.
                    self._next = None if self._next is mine else self._next
                mine.answers.append(self._look())
            return mine.answers[0]
