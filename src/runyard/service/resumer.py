"""Hands runs that go on as another attempt to their locations.

A run whose worker was lost is STARTING again with a new token and no host: storage says so, whoever noticed the loss.
It keeps its slots, so the queue has no part in it.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

from ..core.clock import Clock
from ..core.errors import LocationUnavailable, RunyardError
from ..core.launch import LaunchResult, LaunchSpec
from ..core.run import Run, RunFailure, RunStatus
from ..launchers.base import Launcher
from ..locations.api import Location
from ..storage.protocols import Leases, Runs, RunsFilter, Wakeups
from .worker_thread import RepeatingThread

logger = logging.getLogger(__name__)

#: Wakes the resumer.
RESUME_TOPIC = "resume"
INTERVAL = 5.0
LAUNCH_SECONDS = 20.0
#: One process at a time, or each would have its own host fork a worker, of which one only may begin. Never given back:
#: until it has run out, what was handed over last has a host.
LEASE, LEASE_SECONDS = "resumer", 30.0


class Locations(Protocol):
    def get(self, name: str) -> Location | None: ...


class Resumer:
    """Launches attempts that carry on, in every control process; what cannot be launched now is tried again."""

    def __init__(
        self,
        *,
        runs: Runs,
        leases: Leases,
        wakeups: Wakeups,
        locations: Locations,
        launcher: Launcher,
        process_id: str,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._leases = leases
        self._wakeups = wakeups
        self._locations = locations
        self._launcher = launcher
        self._process_id = process_id
        self._clock = clock
        self._thread = RepeatingThread("resumer", self._step, clock=clock)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()

    @property
    def wake(self) -> Callable[[], None]:
        """Asks for a look now."""
        return self._thread.wake

    def look(self) -> int:
        """Hand over every attempt that waits for a host; returns how many hosts have taken."""
        if not self._waiting() or not self._may_launch():
            return 0
        by_location: defaultdict[str, list[Run]] = defaultdict(list)
        # Looked at again: whoever held the lease before may have seen to them.
        for run in self._waiting():
            by_location[run.location_name].append(run)
        taken = 0
        for name, runs in by_location.items():
            # Asked again: a location that does not answer may have kept us until the lease ran out.
            taken += self._hand_over(name, runs) if self._may_launch() else 0
        return taken

    def _may_launch(self) -> bool:
        return self._leases.acquire(LEASE, holder=self._process_id, seconds=LEASE_SECONDS) is not None

    def _waiting(self) -> Sequence[Run]:
        starting = self._runs.list(RunsFilter(statuses=(RunStatus.STARTING,)), limit=10_000)
        return [run for run in starting if run.resumes and run.host_id is None and run.launch_token is not None]

    def _step(self) -> float:
        try:
            self.look()
        except RunyardError as error:
            logger.warning("resumer: %s", error)
        return INTERVAL

    def _hand_over(self, name: str, runs: Sequence[Run]) -> int:
        location = self._locations.get(name)
        if location is None:
            return 0
        try:
            results = self._launcher.launch(location, [_spec(run) for run in runs], timeout=LAUNCH_SECONDS)
        except LocationUnavailable as error:
            logger.info("resumer: %s", error)
            return 0
        refused = [result for result in results if result.error and not result.retriable]
        for result in refused:
            self._fail(result)
        if refused:
            for topic in ("queue", "runs"):
                self._wakeups.poke(topic)
        return sum(not result.error for result in results)

    def _fail(self, result: LaunchResult) -> None:
        failure = RunFailure(error_class="LaunchFailed", message=result.error or "The worker was not started.")
        self._runs.fail(
            result.run_id,
            attempt=result.attempt,
            expected=(RunStatus.STARTING,),
            failure=failure,
            now=self._clock.now(),
        )


def _spec(run: Run) -> LaunchSpec:
    return LaunchSpec(
        run_id=run.run_id,
        attempt=run.attempt,
        token=run.launch_token or "",
        job_name=run.job_name,
        location_name=run.location_name,
        run_config=run.run_config,
        tags=run.tags,
        resumed=True,
    )
