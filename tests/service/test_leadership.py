"""Leadership, heartbeats and what a loop does about errors: real storage, and a daemon that does as it is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from runyard.core.clock import Clock, ManualClock, SystemClock
from runyard.core.daemon import DaemonType
from runyard.core.errors import LeaseLost, StorageUnavailable
from runyard.core.lease import Fence
from runyard.operations.daemon_status import LATE_AFTER, daemon_statuses
from runyard.service.daemon import PassResult, Report, Wake
from runyard.service.loop import DaemonLoop
from runyard.service.progress import Progress
from runyard.service.pulse import KEPT_SECONDS, Pulse
from runyard.service.worker_thread import RepeatingThread
from runyard.settings.instance import InstanceSettings, SqliteSettings, WhyOff
from runyard.storage.protocols import Stores

SETTINGS = InstanceSettings(
    home="/home",
    storage=SqliteSettings("/home/runyard.db"),
    compute_logs_dir="/home/storage",
    outputs_dir="/home/outputs",
    why_off={kind.value: WhyOff("off") for kind in DaemonType if kind is not DaemonType.SENSOR},
)


class ScriptedDaemon:
    """Announces each pass and does what ``act`` does."""

    type = DaemonType.SENSOR
    deadline = 60.0

    def __init__(self, act: Callable[[Fence], None] = lambda fence: None) -> None:
        self.act = act
        self.passes: list[Fence] = []
        self.stood_by = 0
        self.passed = threading.Condition()

    def attach(self, wake: Wake, report: Report) -> None: ...

    def configure(self, settings: InstanceSettings) -> None: ...

    def run_once(self, now: float, fence: Fence) -> PassResult:
        with self.passed:
            self.passes.append(fence)
            self.passed.notify_all()
        self.act(fence)
        return PassResult(now + 3600, "did it")

    def stand_by(self) -> None:
        self.stood_by += 1

    def close(self) -> None: ...

    def wait_passes(self, count: int) -> None:
        with self.passed:
            assert self.passed.wait_for(lambda: len(self.passes) >= count, timeout=10)


def pulse(loop: DaemonLoop, stores: Stores, clock: Clock, process_id: str) -> Pulse:
    return Pulse([loop], leases=stores.leases, heartbeats=stores.heartbeats, clock=clock, process_id=process_id)


@pytest.fixture
def running(sqlite_stores: Stores) -> Iterator[Callable[..., DaemonLoop]]:
    ending: list[Callable[[], object]] = []

    def run(daemon: ScriptedDaemon, process_id: str = "a") -> DaemonLoop:
        loop = DaemonLoop(daemon, clock=SystemClock())
        beat = pulse(loop, sqlite_stores, SystemClock(), process_id)
        beat.step()
        loop.start()
        beat.start()
        ending.extend([loop.stop, beat.stop])
        return loop

    yield run
    for end in ending:
        end()


def state(stores: Stores, clock: Clock) -> str:
    (status,) = [s for s in daemon_statuses(stores, SETTINGS, clock=clock) if s.type is DaemonType.SENSOR]
    return status.state


def test_a_pass_runs_as_leader_and_shows_in_the_heartbeat(running, sqlite_stores: Stores) -> None:
    daemon = ScriptedDaemon()
    loop = running(daemon)
    daemon.wait_passes(1)
    assert daemon.passes[0].name == loop.lease_name
    assert sqlite_stores.leases.list()[0].holder == "a"
    (row,) = sqlite_stores.heartbeats.all()
    assert row.leader


def test_only_one_of_two_processes_leads_and_the_other_takes_over(running, sqlite_stores: Stores) -> None:
    first, second = ScriptedDaemon(), ScriptedDaemon()
    loop = running(first, "a")
    first.wait_passes(1)
    standby = DaemonLoop(second, clock=SystemClock())
    beat = pulse(standby, sqlite_stores, SystemClock(), "b")
    beat.step()
    assert standby.progress.term is None
    term = loop.progress.term
    assert term is not None
    sqlite_stores.leases.release(loop.lease_name, holder="a", term=term)
    beat.step()
    assert standby.progress.term == term + 1


def test_an_error_is_shown_and_the_next_pass_starts_from_nothing(running) -> None:
    def fail(fence: Fence) -> None:
        raise ValueError("broken")

    daemon = ScriptedDaemon(fail)
    loop = running(daemon)
    daemon.wait_passes(1)
    before = daemon.stood_by
    daemon.act = lambda fence: None
    loop.wake()
    daemon.wait_passes(2)
    beat = loop.progress.heartbeat(process_id="a", machine="m", pid=1, started_at=0)
    assert [(e.error_class, e.message) for e in beat.errors] == [("ValueError", "broken")]
    assert daemon.stood_by >= before


def test_a_lost_lease_makes_the_loop_stand_by(running) -> None:
    def lose(fence: Fence) -> None:
        raise LeaseLost(fence.name, fence.term)

    daemon = ScriptedDaemon(lose)
    running(daemon)
    daemon.wait_passes(1)
    daemon.act = lambda fence: None
    daemon.wait_passes(1)
    assert all(fence.name == "daemon:SENSOR" for fence in daemon.passes)


def test_a_hung_leader_lets_its_lease_lapse(sqlite_stores: Stores, clock: ManualClock) -> None:
    hung, spare = DaemonLoop(ScriptedDaemon(), clock=clock), DaemonLoop(ScriptedDaemon(), clock=clock)
    first, second = pulse(hung, sqlite_stores, clock, "a"), pulse(spare, sqlite_stores, clock, "b")
    first.step()
    hung.progress.pass_began()
    clock.advance(61)
    first.step()
    second.step()
    assert spare.progress.term is not None
    assert spare.progress.term > (hung.progress.term or 0)


def test_heartbeats_of_killed_processes_are_forgotten(sqlite_stores: Stores, clock: ManualClock) -> None:
    loop = DaemonLoop(ScriptedDaemon(), clock=clock)
    pulse(loop, sqlite_stores, clock, "killed").step()
    clock.advance(KEPT_SECONDS + 1)
    pulse(loop, sqlite_stores, clock, "alive").step()
    assert [row.process_id for row in sqlite_stores.heartbeats.all()] == ["alive"]


def test_a_process_ends_although_storage_is_away(sqlite_stores: Stores, clock: ManualClock, monkeypatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise StorageUnavailable("not now")

    beat = pulse(DaemonLoop(ScriptedDaemon(), clock=clock), sqlite_stores, clock, "a")
    beat.step()
    monkeypatch.setattr(sqlite_stores.leases, "release", away)
    monkeypatch.setattr(sqlite_stores.heartbeats, "forget_process", away)
    beat.stop()


def test_a_daemon_that_stops_in_a_pass_is_not_alive_for_those_who_ask(sqlite_stores: Stores) -> None:
    asked, goes_on = threading.Event(), threading.Event()

    def linger(fence: Fence) -> None:
        asked.set()
        assert goes_on.wait(10)

    daemon = ScriptedDaemon(linger)
    loop = DaemonLoop(daemon, clock=SystemClock())
    beat = pulse(loop, sqlite_stores, SystemClock(), "a")
    beat.step()
    loop.start()
    assert asked.wait(10)
    stopping = threading.Thread(target=beat.stop)
    stopping.start()
    deadline = time.monotonic() + 10
    while sqlite_stores.heartbeats.all() and time.monotonic() < deadline:
        assert stopping.is_alive()
    assert state(sqlite_stores, SystemClock()) == "not_running"
    assert sqlite_stores.leases.list()[0].holder == "a", "what the pass still writes is a leader's"
    goes_on.set()
    stopping.join(10)
    assert sqlite_stores.leases.list()[0].holder is None
    assert len(daemon.passes) == 1


def test_states_of_a_daemon(sqlite_stores: Stores, clock: ManualClock) -> None:
    loop = DaemonLoop(ScriptedDaemon(), clock=clock)
    beat = pulse(loop, sqlite_stores, clock, "a")
    assert state(sqlite_stores, clock) == "not_running"
    beat.step()
    assert state(sqlite_stores, clock) == "healthy"
    loop.progress.pass_began()
    loop.progress.pass_ended("nothing", idle=True, next_pass_at=clock.now() + 5)
    clock.advance(6)
    beat.step()
    assert state(sqlite_stores, clock) == "idle"
    clock.advance(LATE_AFTER)
    beat.step()
    assert state(sqlite_stores, clock) == "late"
    loop.progress.pass_failed(ValueError("no"), next_pass_at=clock.now() + 5)
    clock.advance(6)
    beat.step()
    assert state(sqlite_stores, clock) == "failing"
    loop.progress.pass_began()
    clock.advance(61)
    beat.step()
    assert state(sqlite_stores, clock) == "hung"
    clock.advance(16)
    assert state(sqlite_stores, clock) == "not_running"


def test_errors_are_few_and_fade() -> None:
    clock = ManualClock()
    progress = Progress(DaemonType.SENSOR, deadline=1, clock=clock)
    for number in range(7):
        progress.error(ValueError(str(number)))

    def shown() -> list[str]:
        return [e.message for e in progress.heartbeat(process_id="a", machine="m", pid=1, started_at=0).errors]

    assert shown() == ["6", "5", "4", "3", "2"]
    clock.advance(301)
    assert shown() == []


def test_a_wake_during_a_step_is_not_lost() -> None:
    steps = threading.Semaphore(0)
    seen: list[int] = []

    def step() -> float:
        seen.append(1)
        if len(seen) == 1:
            thread.wake()
        steps.release()
        return 3600

    thread = RepeatingThread("test", step, clock=SystemClock())
    thread.start()
    assert steps.acquire(timeout=10)
    assert steps.acquire(timeout=10)
    assert thread.stop()
