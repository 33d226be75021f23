"""Attempts that carry on are handed to their location once, whoever noticed that the one before was lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from daemons.fakes import FakeLocation, FakeWorkspace, definitions
from runyard.core.clock import ManualClock
from runyard.core.ids import new_id
from runyard.core.launch import LaunchResult, LaunchSpec, WorkerReport
from runyard.core.policies import RunPolicies
from runyard.core.run import NewRun, Run, RunFailure, RunStatus
from runyard.launchers.local import LocalLauncher
from runyard.service.resumer import Resumer
from runyard.storage.open import SqlStores


class Yard:
    def __init__(self, stores: SqlStores, clock: ManualClock) -> None:
        self.stores, self.clock = stores, clock
        self.location = FakeLocation("yard", definitions("job"))
        self.workspace = FakeWorkspace(self.location)
        self.stores.policies.configure(RunPolicies(max_resumes=2))

    def resumer(self, process_id: str = "a") -> Resumer:
        return Resumer(
            runs=self.stores.runs,
            leases=self.stores.leases,
            wakeups=self.stores.wakeups,
            locations=self.workspace,
            launcher=LocalLauncher(),
            process_id=process_id,
            clock=self.clock,
        )

    def lost(self, location_name: str = "yard", **fields: Any) -> Run:
        """A run that goes on as attempt 2 because its worker is gone."""
        new = NewRun(run_id=new_id(), job_name="job", location_name=location_name, **fields)
        self.stores.runs.add([new], enqueue=False)
        assert self.stores.queue.start_directly(new.run_id, now=self.clock.now())
        self.begin(new.run_id)
        failure = RunFailure("WorkerKilled", "killed")
        run = self.stores.runs.lose_worker(new.run_id, attempt=1, failure=failure, now=self.clock.now())
        assert run is not None
        assert run.status is RunStatus.STARTING
        return run

    def begin(self, run_id: str) -> bool:
        run = self.stores.runs.get(run_id)
        assert run is not None
        report = WorkerReport(
            run_id=run_id, attempt=run.attempt, begin=run.launch_token, host_id="h", timestamp=self.clock.now()
        )
        return list(self.stores.runs.report([report])) == [True]


@pytest.fixture
def yard(stores: SqlStores, clock: ManualClock) -> Yard:
    return Yard(stores, clock)


def test_it_is_launched_as_what_it_is(yard: Yard) -> None:
    run = yard.lost(run_config={"x": 1}, tags={"team": "docs"})
    assert yard.resumer().look() == 1
    (spec,) = yard.location.launched
    assert (spec.run_id, spec.attempt, spec.token, spec.resumed) == (run.run_id, 2, run.launch_token, True)
    assert (spec.job_name, spec.location_name, spec.run_config, spec.tags) == ("job", "yard", {"x": 1}, run.tags)


def test_once_it_has_begun_it_is_left_alone(yard: Yard) -> None:
    run, resumer = yard.lost(), yard.resumer()
    resumer.look()
    assert yard.begin(run.run_id)
    assert resumer.look() == 0
    assert len(yard.location.launched) == 1


def test_runs_that_the_queue_launches_are_none_of_its_business(yard: Yard) -> None:
    new = NewRun(run_id=new_id(), job_name="job", location_name="yard")
    yard.stores.runs.add([new], enqueue=False)
    yard.stores.queue.start_directly(new.run_id, now=yard.clock.now())
    assert yard.resumer().look() == 0
    assert yard.location.launched == []


def test_a_location_that_is_away_is_asked_again(yard: Yard) -> None:
    run, resumer = yard.lost(), yard.resumer()
    yard.location.reachable = False
    assert resumer.look() == 0
    yard.workspace.locations.clear()
    assert resumer.look() == 0
    yard.workspace.locations["yard"] = yard.location
    yard.location.reachable = True
    assert resumer.look() == 1
    assert [spec.run_id for spec in yard.location.launched] == [run.run_id]


def test_a_worker_that_cannot_be_started_fails_the_run(yard: Yard) -> None:
    run = yard.lost()
    yard.location.launch_error = "no such job"
    assert yard.resumer().look() == 0
    ended = yard.stores.runs.get(run.run_id)
    assert ended is not None
    assert ended.failure == RunFailure("LaunchFailed", "no such job")


def test_of_two_processes_one_hands_over(yard: Yard) -> None:
    yard.lost()
    first, second = yard.resumer("a"), yard.resumer("b")
    assert (first.look(), second.look()) == (1, 0)
    assert first.look() == 1, "until its worker has begun: the host knows that it has it"


def test_another_takes_over_from_one_that_is_gone(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runyard.service.resumer.LEASE_SECONDS", 0.0)
    yard.lost()
    yard.resumer("a").look()
    assert yard.resumer("b").look() == 1


def test_who_was_kept_so_long_that_another_took_over_hands_over_no_more(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = yard.workspace.locations["far"] = FakeLocation("far", definitions("job"))
    first, second = yard.resumer("a"), yard.resumer("b")
    for name in ("far", "yard"):
        yard.lost(location_name=name)
    launch = yard.location.launch

    def slow_launch(specs: Sequence[LaunchSpec], *, timeout: float) -> Sequence[LaunchResult]:
        yard.location.launch = launch  # type: ignore[method-assign]
        monkeypatch.setattr("runyard.service.resumer.LEASE_SECONDS", 60.0)
        assert second.look() == 2
        return launch(specs, timeout=timeout)

    yard.location.launch = slow_launch  # type: ignore[method-assign]
    monkeypatch.setattr("runyard.service.resumer.LEASE_SECONDS", 0.0)
    first.look()
    assert len(far.launched) == 1
