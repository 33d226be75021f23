"""Carries out cancellations: CANCELING is a state in storage, and this makes the worker's world agree with it.

Whoever asks only changes the state and pokes; so a cancellation survives the death of the process that was asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from ..core.clock import Clock
from ..core.errors import LocationUnavailable, RunyardError
from ..core.run import Run, RunStatus
from ..locations.api import Location
from ..storage.protocols import Hosts, Runs, RunsFilter, Wakeups
from .worker_thread import RepeatingThread

logger = logging.getLogger(__name__)

INTERVAL = 5.0
TERMINATE_SECONDS = 5.0


#: Run id, attempt, and the host that was told: one that takes the worker over knows nothing of it.
Signalled = tuple[str, int, str | None]


class Locations(Protocol):
    def get(self, name: str) -> Location | None: ...


class Canceler:
    """Signals the worker of every CANCELING run once for each host that it comes to, and ends those that have none.

    Args:
        kill_after: seconds from the signal until what is left of the worker is killed; None: never.
    """

    def __init__(
        self,
        *,
        runs: Runs,
        hosts: Hosts,
        wakeups: Wakeups,
        locations: Locations,
        clock: Clock,
        kill_after: float | None = None,
    ) -> None:
        self._runs = runs
        self._hosts = hosts
        self._wakeups = wakeups
        self._locations = locations
        self._clock = clock
        #: May be replaced while it runs.
        self.kill_after = kill_after
        self._signalled: set[Signalled] = set()
        self._thread = RepeatingThread("canceler", self._step, clock=clock)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()

    @property
    def wake(self) -> Callable[[], None]:
        """Asks for a look now."""
        return self._thread.wake

    def look(self) -> None:
        """One look at all CANCELING runs."""
        canceling = self._runs.list(RunsFilter(statuses=(RunStatus.CANCELING,)), limit=10_000)
        self._signalled &= {_signalled(run) for run in canceling}
        silent: set[str] = set()
        for run in canceling:
            if _signalled(run) in self._signalled or run.location_name in silent:
                continue
            began = self._clock.monotonic()
            try:
                self._stop_worker(run)
            except LocationUnavailable:
                # Tried again at the next look; a host that is gone for good is the host supervisor's. One that is away
                # says so at once, and another run may be with an older host of the location.
                if self._clock.monotonic() - began >= TERMINATE_SECONDS / 2:
                    silent.add(run.location_name)

    def _step(self) -> float:
        try:
            self.look()
        except RunyardError as error:
            logger.warning("canceler: %s", error)
        return INTERVAL

    def _stop_worker(self, run: Run) -> None:
        location = self._locations.get(run.location_name)
        found = location is not None and location.terminate(
            run.run_id,
            attempt=run.attempt,
            force=False,
            timeout=TERMINATE_SECONDS,
            kill_after=self.kill_after,
        )
        if found:
            self._signalled.add(_signalled(run))
        elif not self._has_host(run):
            self._end(run)

    def _has_host(self, run: Run) -> bool:
        """Whether a host, perhaps on another machine, answers for the worker: its control signals, and it settles."""
        return run.host_id is not None and any(host.host_id == run.host_id for host in self._hosts.all())

    def _end(self, run: Run) -> None:
        # Its launch may still be on the way: the token check turns that worker away.
        message = "Canceled before its worker started." if run.host_id is None else "Canceled; it has no worker."
        self._runs.end_canceling(run.run_id, attempt=run.attempt, message=message, now=self._clock.now())
        self._wakeups.poke("queue")
        self._wakeups.poke("runs")


def _signalled(run: Run) -> Signalled:
    return run.run_id, run.attempt, run.host_id
