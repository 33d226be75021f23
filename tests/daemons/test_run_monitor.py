"""The run monitor over real storage and a scripted location: what it ends, when it looks, and what stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runyard.core.clock import ManualClock
from runyard.core.errors import LeaseLost
from runyard.core.events import EventType
from runyard.core.ids import new_id
from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.lease import Fence
from runyard.core.policies import RunPolicies
from runyard.core.run import NewRun, Run, RunFailure, RunStatus
from runyard.daemons.run_monitor import HOST_KILLS_FIRST, LEAST_GAP, RunMonitorDaemon
from runyard.launchers.local import LocalLauncher
from runyard.service.daemon import PassResult
from runyard.settings.instance import MonitoringSettings
from runyard.storage.open import SqlStores

from .fakes import FakeLocation, FakeWorkspace, Woken, definitions


class Bench:
    """A monitor that leads."""

    def __init__(self, stores: SqlStores, clock: ManualClock, **settings: float) -> None:
        self.stores, self.clock = stores, clock
        self.location = FakeLocation("yard", definitions("job"))
        self.location.host_id = "h"
        self.workspace = FakeWorkspace(self.location)
        self.settings = MonitoringSettings(enabled=True, **settings)  # type: ignore[arg-type]  # numbers only
        self.woken = Woken()
        self.daemon = RunMonitorDaemon(stores, self.workspace, LocalLauncher(), self.settings, clock=clock)
        self.daemon.attach(self.woken.wake, self.woken.report)
        self.fence = self.lead("a")
        self.pokes: list[str] = []

    def lead(self, holder: str) -> Fence:
        lease = self.stores.leases.acquire("daemon:MONITORING", holder=holder, seconds=1e6)
        assert lease is not None
        return Fence(lease.name, lease.term)

    def look(self) -> PassResult:
        return self.daemon.run_once(self.clock.now(), self.fence)

    def look_after(self, seconds: float) -> PassResult:
        self.clock.advance(seconds)
        return self.look()

    def starting(self, **tags: str) -> str:
        run = NewRun(run_id=new_id(), job_name="job", location_name="yard", tags=tags)
        self.stores.runs.add([run], enqueue=False)
        assert self.stores.queue.start_directly(run.run_id, now=self.clock.now())
        return run.run_id

    def started(self, *, host_id: str = "h", alive: bool = True, **tags: str) -> str:
        run_id = self.starting(**tags)
        self.begin(run_id, host_id)
        if alive:
            self.location.alive.append((run_id, 1))
        return run_id

    def begin(self, run_id: str, host_id: str = "h") -> None:
        run = self.run(run_id)
        report = WorkerReport(
            run_id=run_id,
            attempt=run.attempt,
            begin=run.launch_token,
            host_id=host_id,
            pid=7,
            timestamp=self.clock.now(),
        )
        assert self.stores.runs.report([report]) == [True]

    def end(self, run_id: str, status: RunStatus) -> None:
        end = RunEnd(status=status)
        report = WorkerReport(run_id=run_id, attempt=1, end=end, timestamp=self.clock.now())
        assert self.stores.runs.report([report]) == [True]

    def run(self, run_id: str) -> Run:
        run = self.stores.runs.get(run_id)
        assert run is not None
        return run

    def status(self, run_id: str) -> RunStatus:
        return self.run(run_id).status


@pytest.fixture
def bench(stores: SqlStores, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**settings: float) -> Bench:
        one = Bench(stores, clock, **settings)
        monkeypatch.setattr(stores.wakeups, "poke", one.pokes.append)
        made.append(one)
        return one

    yield make
    for one in made:
        one.daemon.close()


def test_runs_that_are_in_time_are_left_alone(bench) -> None:
    yard = bench()
    runs = [yard.started(), yard.starting()]
    result = yard.look()
    assert (result.outcome, result.idle) == ("2 runs, all in time", False)
    assert [yard.status(run_id) for run_id in runs] == [RunStatus.STARTED, RunStatus.STARTING]
    assert yard.pokes == []
    yard.end(runs[0], RunStatus.SUCCESS)


# -- start timeout ----------------------------------------------------------------------------------------------


def test_a_run_that_does_not_start_fails_and_what_hangs_is_killed(bench) -> None:
    yard = bench(start_timeout_seconds=10)
    run_id = yard.starting()
    assert yard.look().wake_at == yard.clock.now() + 10
    assert yard.look_after(9.9).outcome == "1 run, all in time"
    assert yard.look_after(LEAST_GAP).outcome == "1 ended of 1 run"
    run = yard.run(run_id)
    assert run.failure == RunFailure("StartTimeout", "Did not start within 10 seconds.")
    assert yard.location.wait_terminated() == (run_id, True)
    assert set(yard.pokes) == {"queue", "runs"}


def test_without_a_start_timeout_it_may_take_as_long_as_it_likes(bench) -> None:
    yard = bench(start_timeout_seconds=0)
    run_id = yard.starting()
    assert yard.look_after(1e6).wake_at == yard.clock.now() + 120
    assert yard.status(run_id) is RunStatus.STARTING
    assert yard.woken.errors == []


def test_a_worker_that_comes_after_its_time_is_turned_away(bench) -> None:
    yard = bench(start_timeout_seconds=10)
    run_id = yard.starting()
    token = yard.run(run_id).launch_token
    yard.look_after(10)
    late = WorkerReport(run_id=run_id, attempt=1, begin=token, timestamp=yard.clock.now())
    assert yard.stores.runs.report([late]) == [False]


# -- max runtime ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "limit"),
    [
        ({}, 60),
        ({"dagster/max_runtime": "5.5"}, 5.5),
        ({"dagster/max_runtime_seconds": "90"}, 90),
        ({"dagster/max_runtime": "soon"}, 60),
    ],
)
def test_a_run_that_takes_too_long_is_told_to_stop_and_holds_its_slot_until_it_has(bench, tags, limit) -> None:
    yard = bench(max_runtime_seconds=60)
    run_id = yard.started(**tags)
    assert yard.look().wake_at == yard.clock.now() + limit
    result = yard.look_after(limit)
    assert result.outcome == "1 told to stop of 1 run"
    assert yard.status(run_id) is RunStatus.CANCELING
    assert "cancel" in yard.pokes
    assert [active.run_id for active in yard.stores.queue.active()] == [run_id]
    yard.end(run_id, RunStatus.CANCELED)
    run = yard.run(run_id)
    assert run.status is RunStatus.FAILURE
    assert run.failure == RunFailure("MaxRuntimeExceeded", f"Exceeded maximum runtime of {limit:g} seconds.")
    assert yard.woken.errors == []


def test_no_maximum(bench) -> None:
    yard = bench()
    runs = [yard.started(), yard.started(**{"dagster/max_runtime": "0"})]
    assert yard.look_after(1e7).outcome == "2 runs, all in time"
    assert {yard.status(run_id) for run_id in runs} == {RunStatus.STARTED}


# -- cancel timeout ---------------------------------------------------------------------------------------------


def test_a_run_that_no_host_stops_is_ended_after_the_host_had_its_chance(bench) -> None:
    yard = bench(cancel_timeout_seconds=20)
    run_id = yard.started()
    assert yard.stores.runs.cancel_active(run_id, message="", now=yard.clock.now())
    assert yard.look().wake_at == yard.clock.now() + 20 + HOST_KILLS_FIRST
    assert yard.look_after(20).outcome == "1 run, all in time"
    assert yard.look_after(HOST_KILLS_FIRST).outcome == "1 ended of 1 run"
    assert yard.status(run_id) is RunStatus.CANCELED
    assert yard.location.wait_terminated() == (run_id, True)


def test_a_location_that_is_away_keeps_no_run_from_its_end(bench) -> None:
    yard = bench(cancel_timeout_seconds=20)
    run_id = yard.started()
    assert yard.stores.runs.cancel_active(run_id, message="", now=yard.clock.now())
    yard.location.reachable = False
    yard.look_after(20 + HOST_KILLS_FIRST)
    assert yard.status(run_id) is RunStatus.CANCELED


# -- workers that are gone ----------------------------------------------------------------------------------------


def test_a_started_run_without_a_worker_fails(bench) -> None:
    yard = bench()
    gone, alive = yard.started(alive=False), yard.started()
    assert yard.look().outcome == "1 ended of 2 runs"
    run = yard.run(gone)
    assert (run.status, run.failure.error_class) == (RunStatus.FAILURE, "WorkerLost")
    assert "has no worker for it any more" in run.failure.message
    assert yard.status(alive) is RunStatus.STARTED


def test_one_that_may_be_resumed_is(bench) -> None:
    yard = bench()
    yard.stores.policies.configure(RunPolicies(max_resumes=1))
    run_id = yard.started(alive=False)
    assert yard.look().outcome == "1 resumed of 1 run"
    run = yard.run(run_id)
    assert (run.status, run.attempt, run.resumes, run.host_id) == (RunStatus.STARTING, 2, 1, None)
    assert "resume" in yard.pokes
    yard.begin(run_id)
    assert yard.look_after(LEAST_GAP).outcome == "1 ended of 1 run"
    assert yard.status(run_id) is RunStatus.FAILURE


def test_only_the_host_of_a_run_knows_of_its_worker(bench) -> None:
    yard = bench()
    runs = [yard.started(host_id="elsewhere", alive=False), yard.started(alive=False)]
    yard.location.host_id = "another"
    yard.look()
    assert {yard.status(run_id) for run_id in runs} == {RunStatus.STARTED}


def test_a_location_that_does_not_answer_loses_nobody(bench) -> None:
    yard = bench()
    run_id = yard.started(alive=False)
    yard.location.reachable = False
    yard.look()
    yard.workspace.locations.clear()
    yard.look_after(LEAST_GAP)
    assert yard.status(run_id) is RunStatus.STARTED
    assert yard.woken.errors == []


def test_a_run_that_ends_while_its_host_is_asked_has_ended(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    yard = bench()
    run_id = yard.started(alive=False)

    def ending(*, timeout: float) -> list[tuple[str, int]]:
        yard.end(run_id, RunStatus.SUCCESS)
        return []

    monkeypatch.setattr(yard.location, "workers", ending)
    assert yard.look().outcome == "1 run, all in time"
    assert yard.status(run_id) is RunStatus.SUCCESS


# -- the pass -----------------------------------------------------------------------------------------------------


def test_one_bad_run_is_reported_and_stops_nothing(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    yard = bench(start_timeout_seconds=10)
    bad, good = yard.starting(), yard.starting()
    fail = yard.stores.runs.fail

    def failing(run_id: str, **fields: Any) -> Run | None:
        if run_id == bad:
            raise ValueError("a row that cannot be read")
        return fail(run_id, **fields)

    monkeypatch.setattr(yard.stores.runs, "fail", failing)
    result = yard.look_after(10)
    assert [str(error) for error in yard.woken.errors] == ["a row that cannot be read"]
    assert yard.status(good) is RunStatus.FAILURE
    assert result.wake_at == yard.clock.now() + 120, "what stays bad is come back to at the next poll"


def test_lost_leadership_stops_the_pass(bench) -> None:
    yard = bench(start_timeout_seconds=10)
    run_id = yard.starting()
    yard.stores.leases.release("daemon:MONITORING", holder="a", term=yard.fence.term)
    yard.lead("b")
    with pytest.raises(LeaseLost):
        yard.look_after(10)
    assert yard.status(run_id) is RunStatus.STARTING


def test_a_run_that_starts_between_two_polls_has_its_own_time(bench) -> None:
    yard = bench(poll_interval_seconds=120)
    assert yard.look().wake_at == yard.clock.now() + 120
    run_id = yard.started(**{"dagster/max_runtime": "3"})
    began = yard.clock.now()
    # Woken by its start.
    assert yard.look_after(LEAST_GAP).wake_at == began + 3
    yard.look_after(2)
    assert yard.status(run_id) is RunStatus.CANCELING


def test_however_often_runs_move_it_looks_once_a_second(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    yard, looks = bench(), []
    listed = yard.stores.runs.list
    monkeypatch.setattr(yard.stores.runs, "list", lambda *a, **k: looks.append(yard.clock.now()) or listed(*a, **k))
    began = yard.clock.now()
    first = yard.look()
    for _ in range(95):
        again = yard.look_after(0.1)
        assert again.outcome == first.outcome
        assert again.wake_at > yard.clock.now()
    assert len(looks) == pytest.approx(10, abs=1)
    assert looks[0] == began


def test_a_new_leader_looks_at_once(bench) -> None:
    yard = bench(start_timeout_seconds=10)
    yard.look()
    yard.daemon.stand_by()
    run_id = yard.starting()
    yard.clock.advance(0.1)
    assert yard.look().outcome == "1 run, all in time"
    assert EventType.RUN_STARTING in [stored.event.type for stored in yard.stores.events.of_run(run_id)]
