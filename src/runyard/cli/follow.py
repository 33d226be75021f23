"""Follow a run's events as they are committed, and what it prints."""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from ..core.clock import Clock
from ..core.error_info import error_lines
from ..core.events import BEGINNING, Cursor, ErrorInfo, Event, EventType, StoredEvent
from ..core.run import FINISHED
from ..storage.run_output.cursor import BEGINNING as OUTPUT_BEGINNING
from ..storage.run_output.cursor import Cursor as OutputCursor
from ..storage.run_output.merged import Line, RunOutput
from .terminal import keep_colours, style

if TYPE_CHECKING:
    from ..storage.protocols import Stores

#: Seconds between looks when no hint arrives: hints may get lost.
LOOK_EVERY = 0.5
#: Files give no hints.
LOOK_AT_OUTPUT_EVERY = 0.2
#: Of output, read between two looks at the events.
_PAGES = 16
_PAGE = 1000
_LEVEL_COLOURS = {"ERROR": "red", "CRITICAL": "red", "WARNING": "yellow", "DEBUG": "bright_black"}


def follow(stores: Stores, run_id: str, *, clock: Clock) -> Iterator[StoredEvent]:
    """A run's events from its first to its last, waiting for those to come; ends when the run has."""
    for entry in entries(stores, run_id, None, events=True, go_on=True, clock=clock):
        if isinstance(entry, StoredEvent):
            yield entry


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


Entry = StoredEvent | Line


def entries(
    stores: Stores, run_id: str, output: RunOutput | None, *, events: bool, go_on: bool, clock: Clock
) -> Iterator[Entry]:
    """A run's events and what it printed, in order of time.

    Parameters:
        output: None without what it printed.
        events: whether events are wanted.
        go_on: wait for those to come, until the run has ended.
    """
    moved = threading.Event()
    end_listening = stores.wakeups.listen(lambda _: moved.set())
    reading = _Reading(stores, run_id, output, events=events)
    try:
        while True:
            moved.clear()
            finished = _finished(stores, run_id)
            yield from reading.new(finished=finished, all_of_it=finished or not go_on)
            if finished or not go_on:
                return
            if not reading.more:
                clock.wait(moved, LOOK_EVERY if output is None else LOOK_AT_OUTPUT_EVERY)
    finally:
        end_listening()


class _Reading:
    """How far a run's events and output have been read. ``more``: the output goes on already."""

    def __init__(self, stores: Stores, run_id: str, output: RunOutput | None, *, events: bool) -> None:
        self._stores, self._run_id, self._output, self._wants_events = stores, run_id, output, events
        self._event = BEGINNING
        self._line: OutputCursor = OUTPUT_BEGINNING
        self.more = False

    def new(self, *, finished: bool, all_of_it: bool) -> Iterator[Entry]:
        return heapq.merge(self._events(), self._lines(finished=finished, all_of_it=all_of_it), key=_time)

    def _events(self) -> Iterator[Entry]:
        if not self._wants_events:
            return
        for stored in _events_after(self._stores, self._run_id, self._event):
            self._event = stored.cursor
            yield stored

    def _lines(self, *, finished: bool, all_of_it: bool) -> Iterator[Entry]:
        if self._output is None:
            return
        # A run that never stops printing must not keep its events waiting.
        for _ in itertools.count() if all_of_it else range(_PAGES):
            page = self._output.page(self._line, finished=finished)
            self._line, self.more = page.next, page.more
            yield from page.lines
            if not page.more:
                return


def _time(entry: Entry) -> float:
    if isinstance(entry, StoredEvent):
        return entry.event.timestamp
    return math.inf if entry.at is None else entry.at


def printed_line(line: Line) -> str:
    """``14:03:05  out  ingest  text``: one line for people."""
    at = "" if line.at is None else _clock_time(line.at)
    return "  ".join([at or " " * 8, line.stream, *([line.step_key] if line.step_key else []), keep_colours(line.text)])


def _clock_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S")


def _error_lines(event: Event) -> list[str]:
    try:
        error = msgspec.convert(event.data.get("error"), ErrorInfo)
    except msgspec.ValidationError:
        return []  # an event without an error
    return [line for text in error_lines(error) for line in text.splitlines()]


def event_line(stored: StoredEvent) -> str:
    """``14:03:05  STEP_START  ingest  message``: one line for people.

    Further lines of the message are indented, and so is the error that it tells of, with its frames.
    """
    event = stored.event
    at = _clock_time(event.timestamp)
    what = event.level if event.type is EventType.LOG else event.type.value
    text = "\n    ".join([*event.message.splitlines(), *_error_lines(event)])
    line = "  ".join(part for part in (at, what, event.step_key or "", text) if part)
    colour = _LEVEL_COLOURS.get(event.level)
    return style(line, fg=colour) if colour else line
