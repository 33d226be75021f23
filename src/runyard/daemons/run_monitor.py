"""The run monitor daemon: ends runs that never start, that run too long, that do not stop when told to, or whose worker
is gone without a word.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, Protocol

from ..core.clock import Clock
from ..core.daemon import DaemonType
from ..core.errors import InvalidTag, LeaseLost, LocationUnavailable, StorageUnavailable
from ..core.lease import Fence
from ..core.policy_tags import max_runtime
from ..core.run import Run, RunFailure, RunStatus
from ..core.text import counted
from ..launchers.base import Launcher, LostWorker
from ..locations.api import Workspace
from ..operations.cancel import CANCEL_TOPIC
from ..service.daemon import PassResult, Report, Wake, log_report
from ..service.resumer import RESUME_TOPIC
from ..settings.instance import InstanceSettings, MonitoringSettings
from ..storage.protocols import Runs, RunsFilter, Wakeups

logger = logging.getLogger(__name__)

WATCHED = (RunStatus.NOT_STARTED, RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING)
TERMINATE_SECONDS = 5.0
HEALTH_SECONDS = 5.0
#: Locations that are asked side by side how their workers are.
MOST_AT_ONCE = 16
#: Seconds after the cancel timeout that a host has for its own kill; the monitor ends only what no host sees to.
HOST_KILLS_FIRST = 15.0
#: Least seconds between two passes, however often runs start; a pass that takes long is repeated less often.
LEAST_GAP = 1.0
_SHARE = 20.0


class MonitorStores(Protocol):
    runs: Runs
    wakeups: Wakeups


class _Due(NamedTuple):
    """What happens to a run at ``at`` (seconds since the epoch) unless it moves on before."""

    at: float
    act: Callable[[Run, float, Fence], str | None]


class RunMonitorDaemon:
    """Looks at every unfinished run that left the queue: each poll interval, when a run's time is up, and soon after
    runs have moved. Seconds of 0 turn a timeout off.
    """

    type = DaemonType.MONITORING
    deadline = 120.0

    def __init__(
        self,
        stores: MonitorStores,
        workspace: Workspace,
        launcher: Launcher,
        settings: MonitoringSettings,
        *,
        clock: Clock,
    ) -> None:
        self._stores = stores
        self._workspace = workspace
        self._launcher = launcher
        self._settings = settings
        self._clock = clock
        self._report: Report = log_report
        #: On the steady clock, the earliest time of the next pass; its result stands until then.
        self._not_before = float("-inf")
        self._last = PassResult(0.0, "")
        self._pool = ThreadPoolExecutor(max_workers=MOST_AT_ONCE, thread_name_prefix="health")

    def attach(self, wake: Wake, report: Report) -> None:  # noqa: ARG002  # whoever moves runs wakes the loop
        self._report = report

    def configure(self, settings: InstanceSettings) -> None:
        self._settings = settings.monitoring

    def stand_by(self) -> None:
        self._not_before = float("-inf")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def run_once(self, now: float, fence: Fence) -> PassResult:
        began = self._clock.monotonic()
        if began < self._not_before:
            return self._last._replace(wake_at=now + self._not_before - began)
        watched = self._stores.runs.list(RunsFilter(statuses=WATCHED), limit=100_000)
        done = [did for run in watched if (did := self._look_at(run, now, fence))]
        took = self._clock.monotonic() - began
        done += self._check_health([run for run in watched if run.status is RunStatus.STARTED], now, fence)
        self._poke(done)
        self._not_before = self._clock.monotonic() + max(LEAST_GAP, _SHARE * took)
        self._last = PassResult(self._next_wake(watched, now), _outcome(done, len(watched)), idle=not watched)
        return self._last

    def _look_at(self, run: Run, now: float, fence: Fence) -> str | None:
        """What was done, in a word. One bad run does not stop the pass."""
        due = self._due(run)
        if due is None or now < due.at:
            return None
        return self._guarded(partial(due.act, run, now, fence))

    def _guarded(self, act: Callable[[], str | None]) -> str | None:
        try:
            return act()
        except (LeaseLost, StorageUnavailable):
            raise
        except Exception as error:
            logger.exception("run monitor: a run was passed over")
            self._report(error)
            return None

    def _due(self, run: Run) -> _Due | None:
        settings = self._settings
        if run.status in (RunStatus.NOT_STARTED, RunStatus.STARTING):
            since = run.launched_at if run.status is RunStatus.STARTING else run.created_at
            return _due(since, settings.start_timeout_seconds, self._give_up_start)
        if run.status is RunStatus.STARTED:
            return _due(run.started_at, self._max_runtime(run), self._stop)
        limit = settings.cancel_timeout_seconds
        return _due(run.canceling_at, limit and limit + HOST_KILLS_FIRST, self._give_up_stopping)

    def _next_wake(self, watched: Iterable[Run], now: float) -> float:
        """What is due already was looked at just now; if it is still there, the next poll comes back to it."""
        ahead = [due.at for run in watched if (due := self._due(run)) is not None and due.at > now]
        return min([now + self._settings.poll_interval_seconds, *ahead])

    def _max_runtime(self, run: Run) -> float:
        try:
            own = max_runtime(run.tags)
        except InvalidTag:
            # Its log has said so since it was asked for.
            own = None
        return self._settings.max_runtime_seconds if own is None else own

    # -- what becomes of a run whose time is up ------------------------------------------------------------------

    def _give_up_start(self, run: Run, now: float, fence: Fence) -> str | None:
        limit = self._settings.start_timeout_seconds
        failure = RunFailure(error_class="StartTimeout", message=f"Did not start within {limit:g} seconds.")
        failed = self._stores.runs.fail(
            run.run_id, attempt=run.attempt, expected=(run.status,), failure=failure, now=now, fence=fence
        )
        if failed is None:
            return None
        if run.status is RunStatus.STARTING:
            # Its token is void, so it can do no harm; it may still hang in an import.
            self._kill(run)
        return "ended"

    def _stop(self, run: Run, now: float, _: Fence) -> str | None:
        """Its slot stays taken until its worker is gone, which makes it FAILURE."""
        message = f"Exceeded maximum runtime of {self._max_runtime(run):g} seconds."
        failure = RunFailure(error_class="MaxRuntimeExceeded", message=message)
        stopping = self._stores.runs.cancel_active(run.run_id, message=message, now=now, failure=failure)
        return None if stopping is None else "told to stop"

    def _give_up_stopping(self, run: Run, now: float, fence: Fence) -> str | None:
        self._kill(run)
        limit = self._settings.cancel_timeout_seconds
        message = f"Did not stop within {limit:g} s of being told to; its worker is being killed."
        ended = self._stores.runs.end_canceling(run.run_id, attempt=run.attempt, message=message, now=now, fence=fence)
        return None if ended is None else "ended"

    def _kill(self, run: Run) -> None:
        """Aside, so that a host that does not answer holds up nobody."""
        self._pool.submit(self._terminate, run)

    def _terminate(self, run: Run) -> None:
        location = self._workspace.get(run.location_name)
        try:
            if location is not None:
                location.terminate(run.run_id, attempt=run.attempt, force=True, timeout=TERMINATE_SECONDS)
        except LocationUnavailable as error:
            logger.warning("run monitor: run %s may still have a worker: %s", run.run_id, error)
            self._report(error)

    # -- workers that are gone ----------------------------------------------------------------------------------

    def _check_health(self, started: Sequence[Run], now: float, fence: Fence) -> list[str]:
        """Locations are asked after the runs were read: a worker that ended in between has ended its run by now."""
        by_location: defaultdict[str, list[Run]] = defaultdict(list)
        for run in started:
            by_location[run.location_name].append(run)
        found = self._pool.map(self._lost, by_location, by_location.values())
        lost = [worker for workers in found for worker in workers]
        return [did for worker in lost if (did := self._guarded(partial(self._lose, worker, now, fence)))]

    def _lost(self, name: str, runs: Sequence[Run]) -> Sequence[LostWorker]:
        location = self._workspace.get(name)
        if location is None:
            return ()
        try:
            return self._launcher.health(location, runs, timeout=HEALTH_SECONDS)
        except LocationUnavailable as error:
            # A host that is gone for good is the host supervisor's.
            logger.debug("run monitor: %s", error)
        except Exception as error:
            logger.exception("run monitor: the workers of '%s' could not be looked at", name)
            self._report(error)
        return ()

    def _lose(self, worker: LostWorker, now: float, fence: Fence) -> str | None:
        failure = RunFailure(error_class="WorkerLost", message=worker.reason)
        run = self._stores.runs.lose_worker(
            worker.run_id, attempt=worker.attempt, failure=failure, now=now, fence=fence
        )
        if run is None:
            return None
        return "resumed" if run.status is RunStatus.STARTING else "ended"

    def _poke(self, done: Sequence[str]) -> None:
        topics = ["queue", "runs"] if done else []
        topics += [CANCEL_TOPIC] if "told to stop" in done else []
        topics += [RESUME_TOPIC] if "resumed" in done else []
        for topic in topics:
            self._stores.wakeups.poke(topic)


def _due(since: float | None, limit: float, act: Callable[[Run, float, Fence], str | None]) -> _Due | None:
    return None if since is None or not limit else _Due(since + limit, act)


def _outcome(done: Sequence[str], watched: int) -> str:
    if not done:
        return f"{counted(watched, 'run')}, all in time"
    parts = [f"{done.count(what)} {what}" for what in dict.fromkeys(done)]
    return f"{', '.join(parts)} of {counted(watched, 'run')}"
