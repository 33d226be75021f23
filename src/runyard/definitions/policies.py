"""When a failed step is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

from ..core.errors import InvalidDefinition
from ..core.foreign import repr_of
from .metadata import check_metadata
from .texts import checked_bool, optional_text

#: In seconds: a run whose step waits for its retry stays STARTED and holds its slots all that time.
LONGEST_DELAY = 7 * 24 * 3600.0
_MOST_DOUBLINGS = 64


class Backoff(Enum):
    """How the delay grows: LINEAR n times, EXPONENTIAL 2^n - 1 times the first."""

    LINEAR = "LINEAR"
    EXPONENTIAL = "EXPONENTIAL"


class Jitter(Enum):
    """FULL: anything from 0 to the delay. PLUS_MINUS: the delay give or take one base delay."""

    FULL = "FULL"
    PLUS_MINUS = "PLUS_MINUS"


@dataclass(frozen=True)
class RetryPolicy:
    """Try a failed step again up to ``max_retries`` times, ``delay`` seconds apart.

    Raises:
        InvalidDefinition: ``max_retries`` or ``delay`` is out of its bounds, or backoff or jitter has no delay.
    """

    max_retries: int = 1
    delay: float | None = None
    backoff: Backoff | None = None
    jitter: Jitter | None = None

    def __post_init__(self) -> None:
        _check_retries("RetryPolicy: max_retries", self.max_retries)
        if self.delay is not None:
            _check_seconds("RetryPolicy: delay", self.delay)
        if not isinstance(self.backoff, Backoff | None):
            raise InvalidDefinition(f"RetryPolicy: backoff is a Backoff, not {repr_of(self.backoff)}.")
        if not isinstance(self.jitter, Jitter | None):
            raise InvalidDefinition(f"RetryPolicy: jitter is a Jitter, not {repr_of(self.jitter)}.")
        if self.delay is None and (self.backoff or self.jitter):
            raise InvalidDefinition("RetryPolicy: backoff and jitter need a delay to work on.")

    def calculate_delay(self, attempt: int) -> float:
        """Seconds to wait before retry number ``attempt``, which counts from 1; never more than LONGEST_DELAY."""
        base = self.delay or 0.0
        delay = min(LONGEST_DELAY, base * _factor(self.backoff, attempt))
        if self.jitter is None:
            return delay
        import random  # noqa: PLC0415 - jitter only

        if self.jitter is Jitter.FULL:
            return random.uniform(0.0, delay)  # noqa: S311 - spreads load, guards nothing
        return min(LONGEST_DELAY, max(0.0, delay + random.uniform(-base, base)))  # noqa: S311 - same


def _factor(backoff: Backoff | None, attempt: int) -> float:
    if backoff is None:
        return 1
    if backoff is Backoff.LINEAR:
        return attempt
    # Beyond that every delay has reached its bound.
    return float(2 ** min(attempt, _MOST_DOUBLINGS) - 1)


def _check_retries(place: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidDefinition(f"{place} is a whole number from 0 up, not {repr_of(value)}.")


def _check_seconds(place: str, value: Any) -> None:
    # A comparison with nan is false.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_DELAY:
        raise InvalidDefinition(
            f"{place} is a number of seconds from 0 to {LONGEST_DELAY:,.0f} (7 days), not {repr_of(value)}."
        )


class RetryRequested(Exception):
    """Raise this in an op to have its step tried again, ``seconds_to_wait`` later, up to ``max_retries`` times.

    Raises:
        InvalidDefinition: one of the two is no number in its bounds.
    """

    def __init__(self, max_retries: int = 1, seconds_to_wait: float | None = None) -> None:
        _check_retries("RetryRequested: max_retries", max_retries)
        if seconds_to_wait is not None:
            _check_seconds("RetryRequested: seconds_to_wait", seconds_to_wait)
        super().__init__("The op asked to be tried again.")
        self._max_retries, self._seconds_to_wait = max_retries, seconds_to_wait

    @property
    def max_retries(self) -> int:
        # A subclass may have an __init__ of its own that does not call ours.
        return getattr(self, "_max_retries", 1)

    @property
    def seconds_to_wait(self) -> float | None:
        return getattr(self, "_seconds_to_wait", None)


class Failure(Exception):
    """Raise this in an op to fail its step with a description and metadata.

    ``allow_retries`` False fails it for good, whatever the retry policy says.

    Raises:
        InvalidDefinition: the description is no string, or the metadata has a value of no known kind.
    """

    # For a subclass with an __init__ of its own that does not call ours.
    description: str | None = None
    metadata: Mapping[str, Any] = MappingProxyType({})
    allow_retries: bool = True

    def __init__(
        self,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        allow_retries: bool | None = None,
    ) -> None:
        self.description = optional_text("Failure: description", description)
        super().__init__(self.description or "The op failed on purpose.")
        self.metadata = check_metadata(metadata, "the Failure")
        self.allow_retries = True if allow_retries is None else checked_bool("Failure: allow_retries", allow_retries)
