"""Ends the runs of location hosts that are gone for good, on whatever machine they were.

Runs in every control process, whether or not run monitoring is on.
"""

from __future__ import annotations

import logging

from ..core.clock import Clock
from ..core.errors import RunyardError
from ..core.host import HostRecord
from ..core.run import ACTIVE, Run, RunFailure, RunStatus
from ..storage.protocols import Hosts, Runs, RunsFilter, Wakeups
from .worker_thread import RepeatingThread

logger = logging.getLogger(__name__)

#: Seconds after a host's lease lapsed in which its workers may still find a new host or stop themselves.
WORKER_GRACE = 45.0
INTERVAL = 5.0


class HostSupervisor:
    """Looks for lapsed hosts every few seconds."""

    def __init__(self, *, hosts: Hosts, runs: Runs, wakeups: Wakeups, clock: Clock) -> None:
        self._hosts = hosts
        self._runs = runs
        self._wakeups = wakeups
        self._clock = clock
        self._thread = RepeatingThread("host-supervisor", self._step, clock=clock)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()

    def look(self) -> int:
        """One look: end the runs of every host lost for longer than the grace; returns how many runs."""
        ended = 0
        for host in self._hosts.lapsed():
            if self._clock.now() - host.lease_expires_at >= WORKER_GRACE:
                ended += self._give_up(host)
        return ended

    def _step(self) -> float:
        try:
            self.look()
        except RunyardError as error:
            logger.warning("host supervisor: %s", error)
        return INTERVAL

    def _give_up(self, host: HostRecord) -> int:
        lost = self._runs.list(RunsFilter(host_id=host.host_id, statuses=tuple(ACTIVE)), limit=10_000)
        for run in lost:
            self._end(run, host)
        self._hosts.remove(host.host_id)
        if lost:
            self._wakeups.poke("queue")
            self._wakeups.poke("runs")
        return len(lost)

    def _end(self, run: Run, host: HostRecord) -> None:
        now = self._clock.now()
        message = f"The location host of '{host.location_name}' (pid {host.pid} on {host.machine}) is gone."
        if run.status is RunStatus.CANCELING:
            self._runs.end_canceling(run.run_id, attempt=run.attempt, message=message, now=now)
            return
        failure = RunFailure(error_class="HostLost", message=message)
        self._runs.fail(run.run_id, attempt=run.attempt, expected=ACTIVE, failure=failure, now=now)
