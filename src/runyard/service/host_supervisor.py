"""Ends or resumes the runs of location hosts that are gone for good, on whatever machine they were.

Runs in every control process, whether or not run monitoring is on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..core.clock import Clock
from ..core.errors import RunyardError
from ..core.host import HostRecord
from ..core.run import ACTIVE, Run, RunFailure, RunStatus
from ..locations.processes import is_alive, machine_name, started_at
from ..storage.protocols import Hosts, Runs, RunsFilter, Wakeups
from .resumer import RESUME_TOPIC
from .worker_thread import RepeatingThread

logger = logging.getLogger(__name__)

#: Seconds that a host has to be seen missing: its workers may still find a new host, or stop themselves.
WORKER_GRACE = 45.0
INTERVAL = 5.0
#: After so long without a look, storage or this machine was away: hosts could not renew their leases either.
LOOKED_AWAY = 3 * INTERVAL


class HostSupervisor:
    """Looks every few seconds for hosts whose lease lapsed, and for runs whose host is not registered at all.

    How long a host is missing is measured by this process's own steady clock, while storage answers: a database that
    was away, a laptop that slept or a clock that jumped makes every lease look long lapsed at once.
    """

    def __init__(self, *, hosts: Hosts, runs: Runs, wakeups: Wakeups, clock: Clock) -> None:
        self._hosts = hosts
        self._runs = runs
        self._wakeups = wakeups
        self._clock = clock
        #: By host, since when it has been seen missing at every look.
        self._missing: dict[str, float] = {}
        self._looked_at = float("-inf")
        self._thread = RepeatingThread("host-supervisor", self._step, clock=clock)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()

    def look(self) -> int:
        """One look: every host that has been missing for the grace has lost its runs; returns how many runs."""
        now = self._clock.monotonic()
        known = self._missing if now - self._looked_at <= LOOKED_AWAY else {}
        active = self._runs.list(RunsFilter(statuses=tuple(ACTIVE)), limit=10_000)
        hosts = {host.host_id: host for host in self._hosts.all()}
        missing = {host.host_id for host in self._hosts.lapsed()}
        missing.update(run.host_id for run in active if run.host_id is not None and run.host_id not in hosts)
        self._missing = {host_id: known.get(host_id, now) for host_id in missing}
        self._looked_at = now
        lost = [host_id for host_id, since in self._missing.items() if now - since >= WORKER_GRACE]
        given_up = sum(self._give_up(host_id, hosts.get(host_id), active) for host_id in lost)
        dead = [host for host_id in missing if host_id not in lost and (host := hosts.get(host_id)) is not None]
        return given_up + sum(self._lose_dead(host, active) for host in dead)

    def _step(self) -> float:
        try:
            self.look()
        except RunyardError as error:
            logger.warning("host supervisor: %s", error)
        return INTERVAL

    def _give_up(self, host_id: str, host: HostRecord | None, active: Sequence[Run]) -> int:
        lost = [run for run in active if run.host_id == host_id]
        self._lose(lost, host, "is gone")
        self._hosts.remove(host_id)
        return len(lost)

    def _lose_dead(self, host: HostRecord, active: Sequence[Run]) -> int:
        """Runs of a host that died on this machine, whose workers did too: nobody will find another host."""
        if host.machine != machine_name() or is_alive(host.pid, host.pid_started):
            return 0
        lost = [run for run in active if run.host_id == host.host_id and run.pid and started_at(run.pid) is None]
        self._lose(lost, host, "is gone, and with it the run's worker")
        return len(lost)

    def _lose(self, lost: Sequence[Run], host: HostRecord | None, what: str) -> None:
        if not lost:
            return
        after = [self._lose_worker(run, host, what) for run in lost]
        self._wakeups.poke("queue")
        self._wakeups.poke("runs")
        if any(run is not None and run.status is RunStatus.STARTING for run in after):
            self._wakeups.poke(RESUME_TOPIC)

    def _lose_worker(self, run: Run, host: HostRecord | None, what: str) -> Run | None:
        process = f" (pid {host.pid} on {host.machine})" if host else ""
        failure = RunFailure("HostLost", f"The location host of '{run.location_name}'{process} {what}.")
        return self._runs.lose_worker(run.run_id, attempt=run.attempt, failure=failure, now=self._clock.now())
