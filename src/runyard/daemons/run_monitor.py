"""The run monitor daemon: ends runs that never start, that run too long, or that do not stop when told to."""

from __future__ import annotations

import logging
from typing import Protocol

from ..core import tags as tagging
from ..core.clock import Clock
from ..core.daemon import DaemonType
from ..core.errors import LocationUnavailable
from ..core.lease import Fence
from ..core.run import Run, RunFailure, RunStatus
from ..locations.api import Workspace
from ..service.daemon import PassResult, Report, Wake, log_report
from ..settings.instance import MonitoringSettings
from ..storage.protocols import Runs, RunsFilter, Wakeups

logger = logging.getLogger(__name__)

WATCHED = (RunStatus.NOT_STARTED, RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING)
TERMINATE_SECONDS = 5.0


class MonitorStores(Protocol):
    runs: Runs
    wakeups: Wakeups


class RunMonitorDaemon:
    """Looks at every unfinished run that left the queue, each poll interval. Seconds of 0 turn a timeout off."""

    type = DaemonType.MONITORING
    deadline = 120.0

    def __init__(
        self,
        stores: MonitorStores,
        workspace: Workspace,
        settings: MonitoringSettings,
        *,
        clock: Clock,
    ) -> None:
        self._stores = stores
        self._workspace = workspace
        self._settings = settings
        self._clock = clock
        self._report: Report = log_report

    def attach(self, wake: Wake, report: Report) -> None:  # noqa: ARG002  # timeouts need no wake-up between polls
        self._report = report

    def stand_by(self) -> None:
        """Nothing is kept between passes."""

    def close(self) -> None:
        """Nothing is held open."""

    def run_once(self, now: float, fence: Fence) -> PassResult:
        watched = self._stores.runs.list(RunsFilter(statuses=WATCHED), limit=100_000)
        ended = sum(self._look_at(run, now, fence) for run in watched)
        if ended:
            self._stores.wakeups.poke("queue")
            self._stores.wakeups.poke("runs")
        outcome = f"ended {ended} of {len(watched)} runs" if ended else f"{len(watched)} runs, all in time"
        return PassResult(now + self._settings.poll_interval_seconds, outcome, idle=not watched)

    def _look_at(self, run: Run, now: float, fence: Fence) -> bool:
        """Whether the run was ended. One bad run does not stop the pass."""
        try:
            if run.status in (RunStatus.NOT_STARTED, RunStatus.STARTING):
                return self._check_start(run, now, fence)
            if run.status is RunStatus.STARTED:
                return self._check_runtime(run, now, fence)
            return self._check_cancel(run, now, fence)
        except LocationUnavailable as error:
            self._report(error)
            return False

    def _check_start(self, run: Run, now: float, fence: Fence) -> bool:
        limit = self._settings.start_timeout_seconds
        since = run.launched_at if run.status is RunStatus.STARTING else run.created_at
        if not limit or since is None or now - since < limit:
            return False
        failure = RunFailure(error_class="StartTimeout", message=f"Did not start within {limit:g} seconds.")
        return self._fail(run, failure, now, fence)

    def _check_runtime(self, run: Run, now: float, fence: Fence) -> bool:
        limit = self._max_runtime(run)
        if not limit or run.started_at is None or now - run.started_at < limit:
            return False
        message = f"Exceeded maximum runtime of {limit:g} seconds."
        canceling = self._stores.runs.cancel_active(run.run_id, message=message, now=now)
        if canceling is None:
            return False
        self._terminate(canceling, force=False)
        return self._fail(canceling, RunFailure(error_class="MaxRuntimeExceeded", message=message), now, fence)

    def _check_cancel(self, run: Run, now: float, fence: Fence) -> bool:
        limit = self._settings.cancel_timeout_seconds
        if not limit or run.canceling_at is None or now - run.canceling_at < limit:
            return False
        self._terminate(run, force=True)
        message = f"Did not stop within {limit:g} seconds of being told to; its worker was killed."
        ended = self._stores.runs.end_canceling(run.run_id, attempt=run.attempt, message=message, now=now, fence=fence)
        return ended is not None

    def _max_runtime(self, run: Run) -> float:
        text = run.tags.get(tagging.MAX_RUNTIME)
        if text is None:
            return self._settings.max_runtime_seconds
        try:
            return float(text)
        except ValueError as error:
            self._report(error)
            return self._settings.max_runtime_seconds

    def _terminate(self, run: Run, *, force: bool) -> None:
        location = self._workspace.get(run.location_name)
        if location is not None:
            location.terminate(run.run_id, attempt=run.attempt, force=force, timeout=TERMINATE_SECONDS)

    def _fail(self, run: Run, failure: RunFailure, now: float, fence: Fence) -> bool:
        ended = self._stores.runs.fail(
            run.run_id, attempt=run.attempt, expected=(run.status,), failure=failure, now=now, fence=fence
        )
        return ended is not None
