"""A run queue daemon that leads, over real storage and a scripted location."""

from __future__ import annotations

from runyard.core.clock import ManualClock
from runyard.core.daemon import Heartbeat
from runyard.core.ids import new_id
from runyard.core.launch import LaunchSpec, RunEnd, WorkerReport
from runyard.core.lease import Fence
from runyard.core.run import NewRun, RunStatus
from runyard.core.tags import priority_from_code
from runyard.daemons.run_queue.daemon import RunQueueDaemon
from runyard.queue.rules import Rules
from runyard.service.daemon import PassResult
from runyard.settings.instance import QueueSettings
from runyard.storage.open import SqlStores

from .fakes import FakeLocation, FakeWorkspace, Woken, definitions


class SteadyClock(ManualClock):
    """Its wall can be set back; what is steady goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._back = 0.0

    def now(self) -> float:
        return super().now() - self._back

    def set_wall(self, to: float) -> None:
        self._back += self.now() - to


class Launcher:
    """Says how many runs may be STARTING."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity

    def capacity(self) -> int:
        return self._capacity


class Bench:
    """A daemon that leads, and short ways to submit and end runs."""

    def __init__(self, stores: SqlStores, rules: Rules, *, capacity: int = 1000, **settings: float) -> None:
        self.stores = stores
        self.clock = SteadyClock()
        self.location = FakeLocation("yard", definitions("job"))
        self.stores.locations.publish(self.location.record())
        self.woken = Woken()
        self.stores.limits.configure(rules)
        self.launcher = Launcher(capacity)
        self.workspace = FakeWorkspace(self.location)
        self.settings = QueueSettings(**settings)  # type: ignore[arg-type]  # numbers only
        self.daemon = self.new_daemon()
        self.fence = self.lead("a")

    def new_daemon(self) -> RunQueueDaemon:
        daemon = RunQueueDaemon(self.stores, self.workspace, self.launcher, self.settings, clock=self.clock)
        daemon.attach(self.woken.wake, self.woken.report)
        return daemon

    def lead(self, holder: str) -> Fence:
        lease = self.stores.leases.acquire("daemon:queue", holder=holder, seconds=1e6)
        assert lease is not None
        return Fence(lease.name, lease.term)

    def submit(self, priority: str | None = None, *, location: str = "yard", **tags: str) -> str:
        if priority is not None:
            tags = {**tags, "dagster/priority": priority}
        value, warning = priority_from_code(tags)
        run = NewRun(
            run_id=new_id(),
            job_name="job",
            location_name=location,
            tags=tags,
            priority=value,
            warnings=(warning,) if warning else (),
        )
        self.stores.runs.add([run], enqueue=True)
        return run.run_id

    def look(self) -> PassResult:
        return self.daemon.run_once(self.clock.now(), self.fence)

    def launched(self, count: int) -> list[str]:
        self.look()
        return self.location.wait_launched(count)

    def begin(self, spec: LaunchSpec) -> None:
        """A run's worker says that it has begun."""
        now = self.clock.now()
        report = WorkerReport(run_id=spec.run_id, attempt=spec.attempt, begin=spec.token, timestamp=now)
        assert self.stores.runs.report([report]) == [True]

    def succeed(self, run_id: str) -> None:
        run = self.stores.runs.get(run_id)
        assert run is not None
        end = RunEnd(status=RunStatus.SUCCESS)
        report = WorkerReport(run_id=run_id, attempt=run.attempt, end=end, timestamp=self.clock.now())
        assert self.stores.runs.report([report]) == [True]

    def beat(self) -> None:
        """Other processes see that the daemon lives."""
        now = self.clock.now()
        beat = Heartbeat(
            daemon_type=self.daemon.type, process_id="a", machine="m", pid=1, at=now, started_at=now, leader=True
        )
        self.stores.heartbeats.beat(beat)

    def end(self, run_id: str) -> None:
        run = self.stores.runs.get(run_id)
        assert run is not None
        canceling = self.stores.runs.cancel_active(run_id, message="", now=self.clock.now())
        assert canceling is not None
        assert self.stores.runs.end_canceling(run_id, attempt=run.attempt, message="", now=self.clock.now())

    def status(self, run_id: str) -> RunStatus:
        run = self.stores.runs.get(run_id)
        assert run is not None
        return run.status
