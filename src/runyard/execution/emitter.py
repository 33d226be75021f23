"""Making the events of one attempt: numbered, timed and in order."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import msgspec

from ..core.clock import Clock
from ..core.error_info import error_info
from ..core.events import Event, EventType
from ..core.kept import kept_data, kept_message
from .log import LineTaker, LogLine
from .sink import EventSink


class Emitter:
    """Hands events to the sink. User code may log from threads of its own, so numbering and handing over are one."""

    def __init__(self, sink: EventSink, clock: Clock, run_id: str, attempt: int, *, after: int = 0) -> None:
        """Events are numbered from ``after`` + 1."""
        self._sink, self._clock = sink, clock
        self._run_id, self._attempt = run_id, attempt
        self._seq = after
        self._process = os.getpid()
        # A cancellation may interrupt emit in the main thread, and its handling emits again.
        self._lock = threading.RLock()

    def emit(
        self,
        kind: EventType,
        message: str,
        *,
        step_key: str | None = None,
        level: str = "INFO",
        data: dict[str, Any] | None = None,
        wait: bool = False,
    ) -> None:
        """Make an event and hand it over; ``wait`` until it is committed.

        A process that user code has forked has the same numbers to give, and says it on standard error instead.
        """
        if os.getpid() != self._process:
            sys.stderr.write(f"{level} {message}\n")
            return
        with self._lock:
            self._seq += 1
            event = Event(
                run_id=self._run_id,
                type=kind,
                timestamp=self._clock.now(),
                attempt=self._attempt,
                seq=self._seq,
                step_key=step_key,
                level=level,
                message=kept_message(message),
                data=kept_data(data) if data else {},
            )
            self._sink.emit(event, wait=wait)

    def line_taker(self, step_key: str | None = None) -> LineTaker:
        """What makes LOG events of lines: of the step, or of the run itself."""

        def take(line: LogLine) -> None:
            self.emit(EventType.LOG, line.message, step_key=step_key, level=line.level, data=line.data())

        return take


def error_data(error: BaseException) -> dict[str, Any]:
    """``{"error": …}`` for an event, all builtins."""
    return {"error": msgspec.to_builtins(error_info(error))}
