"""What commands print: JSON documents, tables, times."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ..core.clock import Clock
from ..core.error_info import error_lines
from ..core.events import ErrorInfo
from ..core.harmless import harmless, harmless_json
from ..core.location import LocationDefinitions, LocationRecord
from ..core.text import duration as spelt_duration
from .terminal import echo, printable, style

_COLOURS = {
    "SUCCESS": "green",
    "FAILURE": "red",
    "CANCELED": "yellow",
    "CANCELING": "yellow",
    "STARTED": "blue",
    "STARTING": "blue",
    "QUEUED": "cyan",
    "RUNNING": "green",
    "healthy": "green",
    "idle": "green",
    "late": "yellow",
    "hung": "red",
    "failing": "red",
    "not_running": "red",
}


def print_json(value: Any) -> None:
    """The one JSON document of a command's ``--json``."""
    echo(json_text(value, indent=2), lines=True)


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON that a terminal shows as it is, with characters as escapes where it cannot."""
    return harmless_json(json.dumps(value, indent=indent, ensure_ascii=not printable(sys.stdout)))


class Table(NamedTuple):
    """Aligned columns, the last ``right`` of them to the right."""

    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    right: int = 0


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> None:
    """A table, states in colour on a terminal; ``empty`` is said when there are no rows."""
    if rows:
        show_table(Table(headers, rows))
    else:
        echo(empty)


def show_table(table: Table) -> None:
    """Print a table, below its title where it has one."""
    # Before the widths are measured: an escape is longer than what it stands for.
    rows = [[harmless(cell) for cell in row] for row in table.rows]
    widths = [max(len(row[column]) for row in (table.headers, *rows)) for column in range(len(table.headers))]
    if table.title:
        echo()
        echo(style(table.title, italic=True))
    echo(style("  ".join(_aligned(table.headers, widths, table.right)).rstrip(), bold=True))
    for row in rows:
        echo("  ".join(coloured(cell) for cell in _aligned(row, widths, table.right)).rstrip())


def _aligned(cells: Sequence[str], widths: Sequence[int], right: int) -> list[str]:
    left = len(cells) - right
    return [
        cell.ljust(width) if column < left else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]


def coloured(text: str) -> str:
    """A run's status or a daemon's state in its colour, other text as it is."""
    colour = _COLOURS.get(text.strip())
    return style(text, fg=colour) if colour else text


def short(run_id: str) -> str:
    """The first characters of a run id, as people see it."""
    return run_id[:8]


def local_time(seconds: float | None) -> str:
    """A time for people, in their own zone; ``-`` for None."""
    if seconds is None:
        return "-"
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_time(seconds: float, clock: Clock) -> str:
    """``09:30`` of today, else with the date; in the zone of the reader."""
    time, today = (datetime.fromtimestamp(moment).astimezone() for moment in (seconds, clock.now()))
    return time.strftime("%H:%M" if time.date() == today.date() else "%Y-%m-%d %H:%M")


def zone_time(seconds: float, timezone: str) -> str:
    """A time in a named zone, with its offset."""
    return datetime.fromtimestamp(seconds, ZoneInfo(timezone)).strftime("%a %Y-%m-%d %H:%M:%S %z")


def ago(seconds: float | None, clock: Clock) -> str:
    """How long ago a time was; ``never`` for None."""
    return "never" if seconds is None else f"{duration(clock.now() - seconds)} ago"


def duration(seconds: float | None) -> str:
    """As ``core.text.duration``; ``-`` for None."""
    return "-" if seconds is None else spelt_duration(seconds)


def counts(definitions: LocationDefinitions | None) -> str:
    """``2 jobs, 1 schedule, 0 sensors``."""
    if definitions is None:
        return "nothing"
    kinds = {"job": definitions.jobs, "schedule": definitions.schedules, "sensor": definitions.sensors}
    return ", ".join(f"{len(found)} {kind}{'' if len(found) == 1 else 's'}" for kind, found in kinds.items())


def loaded_text(record: LocationRecord) -> str:
    """What a location defines, and why its workers are not forked from warm code or should not be."""
    reason = record.start_method_reason
    told = f"; starts workers by {record.start_method}: {reason}" if reason else ""
    return f"{counts(record.definitions)}{told}"


def error_text(error: ErrorInfo) -> str:
    """An error of the user's code over several lines: what caused it first, then its frames, then what it says."""
    return "\n".join(error_lines(error, lambda line: style(line, fg="red")))
