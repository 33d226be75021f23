"""Follow a run's events as they are committed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from ..core.clock import Clock
from ..core.events import BEGINNING, Cursor, EventType, StoredEvent
from ..core.run import FINISHED

if TYPE_CHECKING:
    from ..storage.protocols import Stores

#: Seconds between looks when no hint arrives: hints may get lost.
LOOK_EVERY = 0.5
_PAGE = 1000
_LEVEL_COLOURS = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow", "DEBUG": "bright_black"}


def events_so_far(stores: Stores, run_id: str) -> Iterator[StoredEvent]:
    """The events that a run has by now, in commit order."""
    return _events_after(stores, run_id, BEGINNING)


def follow(stores: Stores, run_id: str, *, clock: Clock) -> Iterator[StoredEvent]:
    """A run's events from its first to its last, waiting for those to come; ends when the run has."""
    moved = threading.Event()
    end_listening = stores.wakeups.listen(lambda _: moved.set())
    try:
        yield from _follow(stores, run_id, moved, clock)
    finally:
        end_listening()


def _follow(stores: Stores, run_id: str, moved: threading.Event, clock: Clock) -> Iterator[StoredEvent]:
    cursor = BEGINNING
    while True:
        moved.clear()
        # Looked at before the events: whatever a finished run has is then among those that are read next.
        finished = _finished(stores, run_id)
        for stored in _events_after(stores, run_id, cursor):
            cursor = stored.cursor
            yield stored
        if finished:
            return
        clock.wait(moved, LOOK_EVERY)


def _finished(stores: Stores, run_id: str) -> bool:
    run = stores.runs.get(run_id)
    return run is None or run.status in FINISHED


def _events_after(stores: Stores, run_id: str, cursor: Cursor) -> Iterator[StoredEvent]:
    while True:
        page = stores.events.of_run(run_id, after=cursor, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        cursor = page[-1].cursor


def event_line(stored: StoredEvent) -> str:
    """``14:03:05  STEP_START  ingest  message``: one line for people; further lines of the message are indented."""
    event = stored.event
    at = datetime.fromtimestamp(event.timestamp).astimezone().strftime("%H:%M:%S")
    what = event.level if event.type is EventType.LOG else event.type.value
    text = "\n    ".join(event.message.splitlines())
    line = "  ".join(part for part in (at, what, event.step_key or "", text) if part)
    colour = _LEVEL_COLOURS.get(event.level)
    return click.style(line, fg=colour) if colour else line
