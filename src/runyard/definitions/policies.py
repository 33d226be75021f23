"""When a failed step is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..core.errors import InvalidDefinition
from .metadata import check_metadata


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
        InvalidDefinition: ``max_retries`` is negative, or backoff or jitter is given without a delay.
    """

    max_retries: int = 1
    delay: float | None = None
    backoff: Backoff | None = None
    jitter: Jitter | None = None

    def __post_init__(self) -> None:
        if isinstance(self.max_retries, bool) or not isinstance(self.max_retries, int) or self.max_retries < 0:
            raise InvalidDefinition(f"RetryPolicy: max_retries is a number from 0 up, not {self.max_retries!r}.")
        if self.delay is not None and self.delay < 0:
            raise InvalidDefinition(f"RetryPolicy: delay is in seconds and not negative, not {self.delay!r}.")
        if self.delay is None and (self.backoff or self.jitter):
            raise InvalidDefinition("RetryPolicy: backoff and jitter need a delay to work on.")

    def calculate_delay(self, attempt: int) -> float:
        """Seconds to wait before retry number ``attempt``, which counts from 1."""
        base = self.delay or 0.0
        factor = {None: 1, Backoff.LINEAR: attempt, Backoff.EXPONENTIAL: 2**attempt - 1}[self.backoff]
        delay: float = base * factor
        if self.jitter is None:
            return delay
        import random  # noqa: PLC0415 - jitter only

        if self.jitter is Jitter.FULL:
            return random.uniform(0.0, delay)  # noqa: S311 - spreads load, guards nothing
        return max(0.0, delay + random.uniform(-base, base))  # noqa: S311 - same


class RetryRequested(Exception):
    """Raise this in an op to have its step tried again, ``seconds_to_wait`` later, up to ``max_retries`` times."""

    def __init__(self, max_retries: int = 1, seconds_to_wait: float | None = None) -> None:
        super().__init__("The op asked to be tried again.")
        self.max_retries, self.seconds_to_wait = max_retries, seconds_to_wait


class Failure(Exception):
    """Raise this in an op to fail its step with a description and metadata.

    ``allow_retries`` False fails it for good, whatever the retry policy says.
    """

    def __init__(
        self,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        allow_retries: bool | None = None,
    ) -> None:
        super().__init__(description or "The op failed on purpose.")
        self.description = description
        self.metadata = check_metadata(metadata)
        self.allow_retries = True if allow_retries is None else allow_retries
