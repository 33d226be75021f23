"""Many runs canceled at once, on both databases: waiting ones at once, running ones told to stop, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.core.errors import RunNotFound
from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.lease import Fence
from runyard.core.policies import RunPolicies
from runyard.core.run import RunFailure, RunStatus
from runyard.operations import cancel_many as module
from runyard.operations.cancel_many import Canceled, Doomed, cancel_many, matching

from .yard import Yard


@pytest.fixture
def pokes(both: Yard, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Topics poked, in order."""
    heard: list[str] = []
    monkeypatch.setattr(both.stores.wakeups, "poke", heard.append)
    return heard


def cancel(yard: Yard, **which: Any) -> Canceled:
    return cancel_many(yard.stores, Doomed(**which), by="ops", clock=yard.clock)


def one_of_each(yard: Yard, **fields: Any) -> dict[RunStatus, str]:
    """A run in every status, by status."""
    runs = {status: yard.started() for status in (RunStatus.STARTED, RunStatus.CANCELING, RunStatus.SUCCESS)}
    now = yard.clock.now()
    assert yard.stores.runs.cancel_active(runs[RunStatus.CANCELING].run_id, message="", now=now)
    end = RunEnd(status=RunStatus.SUCCESS)
    yard.stores.runs.report([WorkerReport(run_id=runs[RunStatus.SUCCESS].run_id, attempt=1, end=end, timestamp=now)])
    runs[RunStatus.STARTING] = yard.submit(queued=False)
    runs[RunStatus.QUEUED] = yard.submit(**fields)
    runs[RunStatus.CANCELED] = yard.submit(**fields)
    assert yard.stores.runs.cancel_waiting(runs[RunStatus.CANCELED].run_id, message="", now=now)
    assert {yard.status(run) for run in runs.values()} == set(runs)
    return {status: run.run_id for status, run in runs.items()}


def statuses(yard: Yard, runs: dict[RunStatus, str]) -> dict[RunStatus, RunStatus]:
    found = {status: yard.stores.runs.get(run_id) for status, run_id in runs.items()}
    return {status: run.status for status, run in found.items() if run is not None}


AFTERWARDS = {
    RunStatus.QUEUED: RunStatus.CANCELED,
    RunStatus.STARTING: RunStatus.CANCELING,
    RunStatus.STARTED: RunStatus.CANCELING,
    RunStatus.CANCELING: RunStatus.CANCELING,
    RunStatus.CANCELED: RunStatus.CANCELED,
    RunStatus.SUCCESS: RunStatus.SUCCESS,
}


def test_all(both: Yard, pokes: list[str]) -> None:
    runs = one_of_each(both)
    pokes.clear()
    assert matching(both.stores.runs, Doomed()) == 3
    assert cancel(both) == Canceled(canceled=1, canceling=2)
    assert statuses(both, runs) == AFTERWARDS
    assert sorted(pokes) == ["cancel", "queue", "runs"]
    assert cancel(both) == Canceled()
    (entry,) = both.stores.limits.audit(limit=10)
    assert (entry.action, entry.subject, entry.by, entry.message) == ("cancel", "all", "ops", "cancel: 3 runs, all")


@pytest.mark.parametrize("named", [True, False])
def test_those_that_are_stopped_for_their_time_are_canceled_too(both: Yard, *, named: bool) -> None:
    """They would fail in the end, and be retried after all."""
    run = both.started()
    failure = RunFailure("MaxRuntimeExceeded", "Too long.")
    both.stores.runs.cancel_active(run.run_id, message="", now=both.clock.now(), failure=failure)
    assert matching(both.stores.runs, Doomed()) == 1
    assert cancel(both, run_ids=(run.run_id,) if named else ()) == Canceled(canceling=1)
    stopping = both.stores.runs.get(run.run_id)
    assert stopping is not None
    assert (stopping.status, stopping.stop_failure) == (RunStatus.CANCELING, None)
    assert matching(both.stores.runs, Doomed()) == 0


def test_the_retry_of_one_that_fails_meanwhile_does_not_escape(both: Yard) -> None:
    both.stores.policies.configure(RunPolicies(retries_enabled=True, max_retries=3))
    failing, reports = both.started(), []
    both.submit()
    end = RunEnd(status=RunStatus.FAILURE, failure=RunFailure("ValueError", "no"))

    def fail_once(_done: int) -> None:
        if not reports:
            reports.append(WorkerReport(run_id=failing.run_id, attempt=1, end=end, timestamp=both.clock.now()))
            both.stores.runs.report(reports)
            assert both.stores.queue.depth() == 1

    done = cancel_many(both.stores, Doomed(), by="ops", clock=both.clock, progress=fail_once)
    assert done == Canceled(canceled=2)
    assert both.stores.queue.depth() == 0


def test_those_named_by_id_or_prefix_and_each_once(both: Yard) -> None:
    runs = one_of_each(both)
    bystander = both.submit()
    ids = (*runs.values(), runs[RunStatus.QUEUED], runs[RunStatus.STARTED][:12])
    assert cancel(both, run_ids=ids) == Canceled(canceled=1, canceling=3, ended=2)
    assert statuses(both, runs) == AFTERWARDS
    assert both.status(bystander) is RunStatus.QUEUED


def test_an_unknown_one_changes_nothing(both: Yard) -> None:
    run = both.submit()
    with pytest.raises(RunNotFound):
        cancel(both, run_ids=(run.run_id, "feed" * 8))
    assert both.status(run) is RunStatus.QUEUED


def test_those_that_fit(both: Yard) -> None:
    mine = [both.submit(tags={"team": "docs"}) for _ in range(3)]
    others = [both.submit(), both.submit("other", tags={"team": "docs"})]
    assert cancel(both, job_name="job", tags={"team": "docs"}) == Canceled(canceled=3)
    assert {both.status(run) for run in mine} == {RunStatus.CANCELED}
    assert {both.status(run) for run in others} == {RunStatus.QUEUED}
    assert cancel(both, location_name="elsewhere") == Canceled()


def test_those_in_a_status(both: Yard) -> None:
    runs = one_of_each(both)
    assert cancel(both, statuses=(RunStatus.STARTED, RunStatus.SUCCESS)) == Canceled(canceling=1)
    assert statuses(both, runs) == {**AFTERWARDS, RunStatus.QUEUED: RunStatus.QUEUED} | {
        RunStatus.STARTING: RunStatus.STARTING
    }
    assert both.stores.limits.audit(limit=1)[0].subject == "STARTED, SUCCESS"


def test_more_than_a_batch(both: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    waiting = [both.submit() for _ in range(5)]
    direct = [both.submit(queued=False) for _ in range(3)]
    reached: list[int] = []
    every = Doomed(run_ids=tuple(run.run_id for run in (*waiting, *direct)))
    for which in (Doomed(job_name="other"), every):
        done = cancel_many(both.stores, which, by="ops", clock=both.clock, progress=reached.append)
    assert done == Canceled(canceled=5, canceling=3)
    assert reached == sorted(reached)
    assert reached[-1] == 8
    assert {both.status(run) for run in waiting} == {RunStatus.CANCELED}


def test_a_run_that_is_admitted_meanwhile_is_told_to_stop(both: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, steer = [both.submit() for _ in range(3)], both.stores.queue.steer

    def admitting(*args: Any, **fields: Any) -> Any:
        lease = both.stores.leases.acquire("daemon:queue", holder="a", seconds=60)
        heads = both.stores.queue.heads(both.stores.queue.lanes(), per_lane=1)
        assert lease is not None
        fence = Fence(lease.name, lease.term)
        version = both.stores.queue.rules().version
        both.stores.queue.claim(heads, fence=fence, rules_version=version, now=both.clock.now())
        return steer(*args, **fields)

    monkeypatch.setattr(both.stores.queue, "steer", admitting)
    assert cancel(both) == Canceled(canceled=2, canceling=1)
    assert both.status(runs[0]) is RunStatus.CANCELING
