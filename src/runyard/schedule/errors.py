"""What can be wrong with a schedule's times."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.errors import InvalidDefinition
from ..core.text import did_you_mean, quoted


def tidy(expression: str) -> str:
    """A cron expression on one line, with single blanks."""
    return " ".join(expression.split())


class InvalidCron(InvalidDefinition):
    """A cron expression that no time satisfies or that cannot be read."""

    def __init__(self, expression: str, problem: str) -> None:
        self.expression, self.problem = expression, problem
        super().__init__(f"Cron schedule {quoted(tidy(expression))}: {problem}")


class UnknownTimezone(InvalidDefinition):
    """No IANA time zone has this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name = name
        meant = did_you_mean(name, known)
        super().__init__(f"No time zone named {quoted(name)}.{meant} Use an IANA name: 'Europe/Berlin'.")
