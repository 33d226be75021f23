"""Alarms: what is to be done when time has passed, without a clock."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count


class Alarms:
    """Actions by the time (seconds since the epoch) at which they are due. One that came to nothing does no harm."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = count()

    def set(self, at: float, action: Callable[[], None]) -> None:
        heappush(self._due, (at, next(self._serial), action))

    def ring(self, now: float) -> None:
        """Do what is due at ``now`` or was before."""
        while self._due and self._due[0][0] <= now:
            heappop(self._due)[2]()

    def next(self) -> float | None:
        return self._due[0][0] if self._due else None
