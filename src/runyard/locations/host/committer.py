"""Commits what all workers of a host say, many reports in one transaction."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import msgspec

from ...core.clock import Clock
from ...core.errors import StorageUnavailable
from ...core.events import Event
from ...core.launch import WorkerReport
from ...core.step import STEP_ENDS
from ...storage.protocols import Runs, Wakeups
from ..messages import Report

log = logging.getLogger(__name__)

#: How long a line that nobody waits for may stay uncommitted, in seconds.
WINDOW = 0.015
#: Events in one transaction: keeps it short enough for others who write.
MOST_EVENTS = 1000
RETRY_SECONDS = 0.25


class Reporter(Protocol):
    """Who sent a report and is told of its commit, from the committer's thread."""

    def committed(self, last_id: int, report: WorkerReport, *, accepted: bool) -> None: ...


class _Host:
    """A ``Reporter`` that needs no acknowledgement."""

    def committed(self, last_id: int, report: WorkerReport, *, accepted: bool) -> None:
        pass


class _Pending(NamedTuple):
    reporter: Reporter
    message: Report


class Committer:
    """A thread with a queue: reports are committed in order, actions run after every report that came before them."""

    def __init__(self, runs: Runs, wakeups: Wakeups, clock: Clock) -> None:
        self._runs, self._wakeups, self._clock = runs, wakeups, clock
        self._changed = threading.Condition()
        self._reports: deque[_Pending] = deque()
        self._actions: deque[Callable[[], object]] = deque()
        self._urgent = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="committer", daemon=True)
        #: Ids of runs whose steps hold slots of pools or wait for some.
        self.claimants: set[str] = set()

    def start(self) -> None:
        self._thread.start()

    def add(self, reporter: Reporter, message: Report) -> None:
        with self._changed:
            self._reports.append(_Pending(reporter, message))
            self._urgent = self._urgent or message.urgent
            self._changed.notify()

    def write(self, run: tuple[str, int], event: Event) -> None:
        """Commit an event of the host's own about an attempt of a run; storage refuses it once another has begun."""
        run_id, attempt = run
        self.add(_Host(), Report(id=0, report=WorkerReport(run_id=run_id, attempt=attempt, events=(event,))))

    def after(self, action: Callable[[], object]) -> None:
        """Run ``action`` once everything added before is committed; again and again while storage is unavailable."""
        with self._changed:
            self._actions.append(action)
            self._urgent = True
            self._changed.notify()

    def stop(self) -> None:
        """Commit what is there and end; storage that is unavailable now is not waited for."""
        self._stopping.set()
        with self._changed:
            self._urgent = True
            self._changed.notify()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            reports, actions = self._take()
            if reports:
                self._commit(reports)
            for action in actions:
                self._act(action)
            if self._stopping.is_set() and not self._reports and not self._actions:
                return

    def _take(self) -> tuple[list[_Pending], list[Callable[[], object]]]:
        with self._changed:
            while not (self._reports or self._actions or self._stopping.is_set()):
                self._changed.wait()
            if not self._urgent:
                self._changed.wait_for(lambda: self._urgent, WINDOW)
            taken = self._some_reports()
            actions: list[Callable[[], object]] = []
            if not self._reports:
                actions = list(self._actions)
                self._actions.clear()
                self._urgent = False
            return taken, actions

    def _some_reports(self) -> list[_Pending]:
        taken: list[_Pending] = []
        events = 0
        while self._reports and events < MOST_EVENTS:
            pending = self._reports.popleft()
            events += 1 + len(pending.message.report.events)
            taken.append(pending)
        return taken

    def _commit(self, taken: list[_Pending]) -> None:
        merged = _merged(taken)
        reports = [report for _, _, report in merged]
        accepted = self._report(reports)
        for (reporter, last_id, report), ok in zip(merged, accepted, strict=True):
            reporter.committed(last_id, report, accepted=ok)
        self._tell(reports)

    def _report(self, reports: list[WorkerReport]) -> Sequence[bool]:
        """Per report whether it was accepted; waits for storage that is unavailable, as the workers do then."""
        while (accepted := self._try_to_report(reports)) is None:
            if self._clock.wait(self._stopping, RETRY_SECONDS):
                return [False] * len(reports)
        return accepted

    def _try_to_report(self, reports: list[WorkerReport]) -> Sequence[bool] | None:
        try:
            return self._runs.report(reports)
        except StorageUnavailable as error:
            log.warning("storage is unavailable, %d reports wait: %s", len(reports), error)
            return None
        except Exception:
            if len(reports) > 1:
                # One report that cannot be stored must not cost the others theirs.
                return [self._report([report])[0] for report in reports]
            log.exception("a report of run %s cannot be stored", reports[0].run_id)
            return [self._without_events(reports[0])]

    def _without_events(self, report: WorkerReport) -> bool:
        """Keep the run's state true when its events cannot be stored: they are lost, which the host's log says."""
        if not report.events:
            return False
        return self._report([msgspec.structs.replace(report, events=())])[0]

    def _tell(self, reports: list[WorkerReport]) -> None:
        self._guarded(lambda: self._wakeups.poke("runs"))
        if any(self._frees(report) for report in reports):
            self._guarded(lambda: self._wakeups.poke("queue"))

    def _frees(self, report: WorkerReport) -> bool:
        """An end frees slots, of the run or of a step; a begin makes room for the next launch of the location."""
        if report.end or report.begin:
            return True
        return report.run_id in self.claimants and any(event.type in STEP_ENDS for event in report.events)

    def _act(self, action: Callable[[], object]) -> None:
        """An action that is lost in an outage would leave a dead worker's run as it was, for ever."""
        try:
            while not self._done(action):
                if self._clock.wait(self._stopping, RETRY_SECONDS):
                    log.warning("storage is unavailable while this host ends: its runs are left to the supervisor")
                    return
        except Exception:
            log.exception("an action of the committer failed")

    def _done(self, action: Callable[[], object]) -> bool:
        try:
            action()
        except StorageUnavailable as error:
            log.warning("storage is unavailable, an action waits: %s", error)
            return False
        return True

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception:
            log.exception("an action of the committer failed")


def _merged(taken: list[_Pending]) -> list[tuple[Reporter, int, WorkerReport]]:
    """One report per worker, with the id of the last one that it holds."""
    found: dict[int, tuple[Reporter, int, WorkerReport]] = {}
    for reporter, message in taken:
        key = id(reporter)
        before = found.get(key)
        report = _joined(before[2], message.report) if before else message.report
        found[key] = (reporter, message.id, report)
    return list(found.values())


def _joined(first: WorkerReport, second: WorkerReport) -> WorkerReport:
    return msgspec.structs.replace(
        first,
        events=first.events + second.events,
        begin=first.begin or second.begin,
        pid=first.pid or second.pid,
        host_id=first.host_id or second.host_id,
        end=second.end or first.end,
        timestamp=second.timestamp or first.timestamp,
    )
