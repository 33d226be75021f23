"""Real storage and one scripted code location, asked through the operations."""

from __future__ import annotations

from typing import Any

from daemons.fakes import FakeLocation, FakeWorkspace, definitions
from runyard.core.clock import ManualClock
from runyard.core.host import HostRecord
from runyard.core.launch import WorkerReport
from runyard.core.run import RunStatus
from runyard.operations.submit import SubmitRequest, submit
from runyard.service.canceler import Canceler
from runyard.service.host_supervisor import INTERVAL, HostSupervisor
from runyard.storage.protocols import Stores


class Yard:
    def __init__(self, stores: Stores, clock: ManualClock) -> None:
        self.stores, self.clock = stores, clock
        self.location = FakeLocation("yard", definitions("job", "other"))
        self.workspace = FakeWorkspace(self.location)
        stores.locations.publish(self.location.record())

    def submit(self, job_name: str = "job", *, queued: bool = True, **fields: Any) -> Any:
        request = SubmitRequest(job_name=job_name, **fields)
        return submit(self.stores, self.workspace, request, clock=self.clock, queued=queued)

    def started(self) -> Any:
        """A run whose worker runs on host ``h``."""
        run = self.submit(queued=False)
        spec = self.location.launched[-1]
        report = WorkerReport(
            run_id=run.run_id, attempt=1, begin=spec.token, pid=7, host_id="h", timestamp=self.clock.now()
        )
        assert list(self.stores.runs.report([report])) == [True]
        return self.stores.runs.get(run.run_id)

    def register_host(self, *, machine: str = "elsewhere") -> None:
        """Host ``h``, with a lease of 10 s."""
        now = self.clock.now()
        self.stores.hosts.register(
            HostRecord(
                host_id="h",
                location_name="yard",
                spec_digest="d",
                machine=machine,
                pid=1,
                pid_started=1,
                protocol=1,
                address="unix:/gone",
                lease_expires_at=now + 10,
                registered_at=now,
            )
        )

    def canceler(self) -> Canceler:
        return Canceler(
            runs=self.stores.runs,
            hosts=self.stores.hosts,
            wakeups=self.stores.wakeups,
            locations=self.workspace,
            clock=self.clock,
        )

    def supervisor(self) -> HostSupervisor:
        return HostSupervisor(
            hosts=self.stores.hosts, runs=self.stores.runs, wakeups=self.stores.wakeups, clock=self.clock
        )

    def look_on(self, supervisor: HostSupervisor, seconds: float) -> int:
        """Let time pass with a look every 5 s; how many runs were ended."""
        ended = 0
        for _ in range(int(seconds // INTERVAL)):
            self.clock.advance(INTERVAL)
            ended += supervisor.look()
        return ended

    def status(self, run: Any) -> RunStatus:
        found = self.stores.runs.get(run.run_id)
        assert found is not None
        return found.status
