"""What is queued while something is measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

#: Every filled run has this tag; a limit of 0 on it blocks them all, and one that is high lets them go.
GATE, CLOSED = "gate", "closed"
#: The tag whose values make lanes: a limit for each value, too high to be met.
CUSTOMER = "customer"
JOB, LOCATION = "stamp", "stamp_job.py"
HIGH = 1_000_000_000


@dataclass(frozen=True)
class Shape:
    """``depth`` queued runs in ``lanes`` lanes, on the database ``kind``."""

    kind: str
    depth: int
    lanes: int

    @property
    def title(self) -> str:
        """As the table names it."""
        return f"{self.kind}, {self.depth:,} queued, {self.lanes:,} lanes"

    def tags(self) -> Iterator[dict[str, str]]:
        """Of each run, in the order of the queue: neighbours are in different lanes."""
        for number in range(self.depth):
            yield {GATE: CLOSED, CUSTOMER: str(number % self.lanes)}
