"""Handing runs over: launchers that are slow, and locations that cannot launch."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence

from deep_queue import deepen
from runyard.core.ids import new_id
from runyard.core.launch import LaunchResult, LaunchSpec
from runyard.core.policies import RunPolicies
from runyard.core.run import NewRun, RunFailure, RunStatus
from runyard.daemons.run_monitor import RunMonitorDaemon
from runyard.daemons.run_queue.back_off import FIRST_PAUSE, LONGEST_PAUSE
from runyard.launchers.local import LocalLauncher
from runyard.queue.rules import Rules
from runyard.settings.instance import MonitoringSettings
from runyard.storage.protocols import RunsFilter

from .bench import Bench
from .fakes import FakeLocation, definitions

STARTING = RunsFilter(statuses=(RunStatus.STARTING,))


def test_admission_never_outruns_launching(any_bench) -> None:
    """A worker begins every 10 seconds, in 100,000 runs' queue without a limit: the last of them would wait 11 days."""
    yard = any_bench(capacity=8)
    runs = deepen(yard.stores, NewRun(run_id=new_id(), job_name="job", location_name="yard"), 100_000)
    settings = MonitoringSettings(enabled=True, start_timeout_seconds=180.0)
    monitor = RunMonitorDaemon(yard.stores, yard.workspace, LocalLauncher(), settings, clock=yard.clock)
    begun = 0
    for _ in range(30):
        yard.look()
        launched = yard.location.wait_launched(begun + 8)
        assert launched == runs[: begun + 8]
        assert yard.stores.runs.count(STARTING) == 8
        yard.clock.advance(10)
        yard.begin(yard.location.launched[begun])
        begun += 1
        monitor.run_once(yard.clock.now(), yard.fence)
    urgent = yard.submit("5")
    yard.look()
    assert yard.location.wait_launched(begun + 8)[-1] == urgent
    assert yard.stores.runs.count(RunsFilter(statuses=(RunStatus.FAILURE,))) == 0


def test_a_location_that_cannot_launch_is_asked_ever_less_often(bench) -> None:
    yard = bench()
    yard.location.reachable = False
    yard.submit()
    asked_at = []
    for _ in range(8):
        yard.look()
        yard.woken.wait()
        asked_at.append(yard.clock.now())
        due = yard.look().wake_at
        yard.clock.advance(due - yard.clock.now())
        while (wait := _left_alone(yard)) > 0:
            yard.clock.advance(wait)
    pauses = [later - earlier for earlier, later in itertools.pairwise(asked_at)]
    assert [round(pause) for pause in pauses] == [2, 4, 8, 16, 32, 60, 60]
    assert (FIRST_PAUSE, LONGEST_PAUSE) == (2.0, 60.0)


def _left_alone(yard: Bench) -> float:
    """Seconds for which storage says that the location is left alone."""
    record = yard.stores.locations.get("yard")
    assert record is not None
    return 0.0 if record.left_alone is None else record.left_alone.until - yard.clock.now()


def test_others_see_that_a_location_is_left_alone_and_when_that_is_over(bench) -> None:
    yard = bench()
    yard.location.reachable = False
    run = yard.submit()
    yard.look()
    yard.woken.wait()
    yard.look()
    shown = yard.stores.locations.get("yard").left_alone
    assert (shown.until, shown.reason) == (yard.clock.now() + FIRST_PAUSE, "the test took it away.")
    yard.location.reachable = True
    yard.clock.advance(FIRST_PAUSE)
    assert yard.launched(1) == [run]
    yard.woken.wait()
    yard.look()
    assert yard.stores.locations.get("yard").left_alone is None


def test_one_run_finds_out_whether_a_location_launches_again(bench) -> None:
    yard = bench()
    runs = [yard.submit() for _ in range(3)]
    yard.location.reachable = False
    yard.look()
    yard.woken.wait()
    asked = []
    yard.location.reachable = True
    original = yard.location.launch

    def launch(specs: Sequence[LaunchSpec], *, timeout: float) -> Sequence[LaunchResult]:
        asked.append([spec.run_id for spec in specs])
        return original(specs, timeout=timeout)

    yard.location.launch = launch
    yard.clock.advance(FIRST_PAUSE)
    yard.launched(1)
    yard.woken.wait()
    assert yard.launched(3) == runs
    assert asked == [runs[:1], runs[1:]]


def test_a_location_that_changed_is_asked_at_once(bench) -> None:
    yard = bench()
    yard.location.host_id = "broken"
    yard.location.reachable = False
    run = yard.submit()
    yard.look()
    yard.woken.wait()
    yard.location.reachable, yard.location.host_id = True, "new"
    assert yard.launched(1) == [run]


def test_a_new_leader_takes_back_what_the_one_before_said_of_a_location(bench) -> None:
    yard = bench()
    yard.location.reachable = False
    yard.submit()
    yard.look()
    yard.woken.wait()
    yard.look()
    assert yard.stores.locations.get("yard").left_alone is not None
    yard.location.reachable = True
    second = yard.new_daemon()
    second.run_once(yard.clock.now(), yard.fence)
    assert yard.stores.locations.get("yard").left_alone is None
    second.close()


def test_a_location_that_does_not_answer_delays_no_other(bench) -> None:
    yard = bench()
    answers = threading.Event()

    class Deaf(FakeLocation):
        def launch(self, specs: Sequence[LaunchSpec], *, timeout: float) -> Sequence[LaunchResult]:
            assert answers.wait(20)
            return super().launch(specs, timeout=timeout)

    deaf = Deaf("deaf", definitions("job"))
    yard.workspace.locations["deaf"] = deaf
    for_the_deaf = []
    for _ in range(40):
        for_the_deaf.append(yard.submit(location="deaf"))
        yard.look()
    run = yard.submit()
    assert yard.launched(1) == [run]
    answers.set()
    assert deaf.wait_launched(40) == for_the_deaf


def test_a_batch_is_as_large_as_the_launcher_asks_for(bench, monkeypatch) -> None:
    yard = bench(Rules(max_concurrent_runs=-1), capacity=300)
    runs = [yard.submit() for _ in range(320)]
    sizes = []
    claim = yard.stores.queue.claim

    def counting(heads: Sequence[object], **options: object) -> object:
        sizes.append(len(heads))
        return claim(heads, **options)

    monkeypatch.setattr(yard.stores.queue, "claim", counting)
    assert yard.launched(300) == runs[:300]
    assert sizes == [300]


def test_a_new_leader_leaves_attempts_that_carry_on_to_whoever_launches_them(any_bench) -> None:
    yard = any_bench()
    yard.stores.policies.configure(RunPolicies(max_resumes=1))
    run_id = yard.submit()
    yard.launched(1)
    yard.begin(yard.location.launched[0])
    lost = RunFailure("WorkerKilled", "killed")
    yard.stores.runs.lose_worker(run_id, attempt=1, failure=lost, now=yard.clock.now())
    yard.daemon = yard.new_daemon()
    yard.fence = yard.lead("a")
    yard.look()
    run = yard.stores.runs.get(run_id)
    assert (run.status, run.attempt, run.resumes) == (RunStatus.STARTING, 2, 1)
