"""Where a run worker's events go: to its host."""

from __future__ import annotations

from ...core.events import Event
from ...core.launch import WorkerReport
from .cancellation import Cancellation
from .link import HostLink


class HostSink:
    """``execution.sink.EventSink`` over the conversation with the host."""

    def __init__(self, link: HostLink, cancellation: Cancellation, run_id: str, attempt: int) -> None:
        self._link, self._cancellation = link, cancellation
        self._run_id, self._attempt = run_id, attempt

    def emit(self, event: Event, *, wait: bool = False) -> None:
        report = WorkerReport(run_id=self._run_id, attempt=self._attempt, events=(event,))
        with self._cancellation.shield():
            accepted = self._link.report(report, wait=wait)
        # Whoever waits for its commit must not go on to what comes after it.
        if wait and not accepted:
            self._cancellation.given_up()
