"""Runs whose worker is lost go on as the next attempt or end; runs that are stopped fail with the reason for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runyard.core.policies import RunPolicies
from runyard.core.queue import Claim
from runyard.core.run import Run, RunFailure, RunStatus
from runyard.storage.open import SqlStores
from runyard.storage.protocols import RunsFilter

from .make import BOOM, NOW, claimed, event_types, get, in_status, report, started

S = RunStatus
LATER = NOW + 60
DIED = RunFailure("WorkerDied", "The worker was killed by signal 9 (SIGKILL).")
TOO_LONG = RunFailure("MaxRuntimeExceeded", "Exceeded maximum runtime of 5 seconds.")


def _lose(stores: SqlStores, won: Claim | Run, attempt: int | None = None) -> Run | None:
    return stores.runs.lose_worker(won.run_id, attempt=attempt or won.attempt, failure=DIED, now=LATER)


def test_a_started_run_is_resumed(stores: SqlStores) -> None:
    stores.policies.configure(RunPolicies(max_resumes=1))
    won = started(stores)
    stores.runs.assign_host(won.run_id, attempt=1, host_id="host", pid=7)
    before, place = get(stores, won.run_id), stores.queue.change_head()
    run = _lose(stores, won)
    assert run is not None
    assert run == get(stores, won.run_id)
    assert (run.status, run.attempt, run.resumes, run.launched_at) == (S.STARTING, 2, 1, LATER)
    assert (run.host_id, run.pid, run.failure) == (None, None, None)
    assert (run.launch_seq, run.started_at, run.lane) == (before.launch_seq, NOW, before.lane)
    assert run.launch_token not in (None, won.token)
    event = stores.events.of_run(won.run_id)[-1].event
    assert (event.type.value, event.attempt) == ("RUN_STARTING", 2)
    assert event.message == "Resumed as attempt 2: The worker was killed by signal 9 (SIGKILL)."
    # Its slot stays its own: admission has nothing to hear.
    assert stores.queue.changes(place) == []
    assert [active.run_id for active in stores.queue.active()] == [won.run_id]


def test_the_attempt_before_says_nothing_more(stores: SqlStores) -> None:
    stores.policies.configure(RunPolicies(max_resumes=1))
    won = started(stores)
    run = _lose(stores, won)
    assert run is not None
    second = Claim(run.run_id, run.attempt, run.launch_token or "", 1, run.job_name, run.location_name)
    late = [report(won, begin=True), report(won, seqs=(1,)), report(won, end=S.SUCCESS)]
    assert stores.runs.report(late) == [False] * 3
    assert stores.runs.report([report(second, begin=True, seqs=(1,))]) == [True]
    assert stores.runs.report(late) == [False] * 3
    run = get(stores, won.run_id)
    assert (run.status, run.started_at) == (S.STARTED, NOW)
    assert stores.runs.report([report(second, end=S.SUCCESS)]) == [True]


def test_resumes_are_counted(stores: SqlStores) -> None:
    stores.policies.configure(RunPolicies(max_resumes=2))
    won: Claim | Run = started(stores)
    for attempt in (2, 3):
        run = _lose(stores, won)
        assert run is not None
        assert run.attempt == attempt
        second = Claim(run.run_id, attempt, run.launch_token or "", 1, run.job_name, run.location_name)
        stores.runs.report([report(second, begin=True)])
        won = run
    ended = _lose(stores, won)
    assert ended is not None
    assert (ended.status, ended.failure, ended.resumes) == (S.FAILURE, DIED, 2)


@pytest.mark.parametrize(
    ("source", "target"), [(S.STARTING, S.FAILURE), (S.STARTED, S.FAILURE), (S.CANCELING, S.CANCELED)]
)
def test_a_run_that_may_not_be_resumed_ends(stores: SqlStores, source: RunStatus, target: RunStatus) -> None:
    stores.policies.configure(RunPolicies(max_resumes=0 if source is S.STARTED else 5))
    run = _lose(stores, get(stores, in_status(stores, source)))
    assert run is not None
    assert (run.status, run.ended_at) == (target, LATER)
    assert run.failure == (DIED if target is S.FAILURE else None)


@pytest.mark.parametrize("status", [S.NOT_STARTED, S.QUEUED, S.SUCCESS, S.FAILURE, S.CANCELED])
def test_a_run_without_a_worker_has_none_to_lose(stores: SqlStores, status: RunStatus) -> None:
    run = get(stores, in_status(stores, status))
    assert _lose(stores, run) is None
    assert get(stores, run.run_id) == run


def test_the_worker_of_another_attempt_is_not_this_one(stores: SqlStores) -> None:
    won = started(stores)
    assert _lose(stores, won, attempt=2) is None
    assert _lose(stores, Claim("nobody", 1, "", 1, "job", "loc")) is None
    assert get(stores, won.run_id).status is S.STARTED


def _by_storage(stores: SqlStores, won: Claim) -> None:
    stores.runs.end_canceling(won.run_id, attempt=1, message="It did not stop.", now=LATER)


def _by_report(stores: SqlStores, won: Claim) -> None:
    assert stores.runs.report([report(won, end=S.CANCELED)]) == [True]


def _by_loss(stores: SqlStores, won: Claim) -> None:
    _lose(stores, won)


@pytest.mark.parametrize("end", [_by_storage, _by_report, _by_loss])
@pytest.mark.parametrize("make", [claimed, started])
def test_what_is_stopped_for_a_reason_fails_with_it(
    stores: SqlStores, end: Callable[[SqlStores, Claim], None], make: Callable[[SqlStores], Claim]
) -> None:
    stores.policies.configure(RunPolicies(max_resumes=5))
    won = make(stores)
    run = stores.runs.cancel_active(won.run_id, message="Too long.", now=NOW, failure=TOO_LONG)
    assert run is not None
    assert (run.status, run.stop_failure, run.failure) == (S.CANCELING, TOO_LONG, None)
    assert stores.runs.list(RunsFilter(statuses=(S.CANCELING,)), limit=1) == [run]
    end(stores, won)
    run = get(stores, won.run_id)
    assert (run.status, run.stop_failure, run.failure) == (S.FAILURE, None, TOO_LONG)
    told = stores.events.of_run(won.run_id)[-1].event
    assert (told.type.value, told.message) == ("RUN_FAILURE", TOO_LONG.message)
    assert "RUN_CANCELED" not in event_types(stores, won.run_id)


@pytest.mark.parametrize("end", [S.SUCCESS, S.FAILURE])
def test_an_end_of_its_own_comes_first(stores: SqlStores, end: RunStatus) -> None:
    won = started(stores)
    stores.runs.cancel_active(won.run_id, message="m", now=NOW, failure=TOO_LONG)
    stores.runs.report([report(won, end=end)])
    run = get(stores, won.run_id)
    assert (run.status, run.stop_failure, run.failure) == (end, None, BOOM if end is S.FAILURE else None)
