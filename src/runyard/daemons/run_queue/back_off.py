"""Which locations are left alone because they could not launch, and for how long."""

from __future__ import annotations

import threading

import msgspec

from ...core.clock import Clock
from ...core.location import LeftAlone

#: Seconds until a location that could not launch is asked again: doubled with each failure, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0


class _Trouble(msgspec.Struct, frozen=True):
    #: Seconds by the steady clock: a wall clock that is set back prolongs nothing.
    until: float
    pause: float
    shown: LeftAlone
    #: What the location was then; another one may be well.
    incarnation: object


class BackOff:
    """Thread-safe. A success ends it, and so does a change of the location."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._troubles: dict[str, _Trouble] = {}

    def failed(self, name: str, reason: str, incarnation: object, *, pause: float | None = None) -> None:
        """A launch failed by the location's fault; ``pause`` in place of the growing one, in seconds."""
        now = self._clock.monotonic()
        with self._lock:
            known = self._troubles.get(name)
            if known is not None and known.until > now:
                # One of the launches that were on their way together.
                return
            if pause is None:
                pause = FIRST_PAUSE if known is None else min(LONGEST_PAUSE, known.pause * 2)
            shown = LeftAlone(self._clock.now() + pause, reason)
            self._troubles[name] = _Trouble(now + pause, pause, shown, incarnation)

    def succeeded(self, name: str) -> bool:
        """It launches; True when it did not before."""
        with self._lock:
            return self._troubles.pop(name, None) is not None

    def is_left_alone(self, name: str, incarnation: object) -> bool:
        with self._lock:
            trouble = self._troubles.get(name)
            if trouble is not None and trouble.incarnation != incarnation:
                del self._troubles[name]
                return False
            return trouble is not None and trouble.until > self._clock.monotonic()

    def is_tried(self, name: str) -> bool:
        """It has not launched since it failed: one launch is enough to see whether it does now."""
        with self._lock:
            return name in self._troubles

    def shown(self) -> dict[str, LeftAlone]:
        """What other processes may know of it, by location."""
        with self._lock:
            return {name: trouble.shown for name, trouble in self._troubles.items()}

    def next_try(self) -> float:
        """Seconds until the next location is asked again; infinity when all are well."""
        with self._lock:
            now = self._clock.monotonic()
            ahead = [trouble.until - now for trouble in self._troubles.values() if trouble.until > now]
        return min(ahead, default=float("inf"))
