"""A failed run's retry: decided by policies and tags, inserted in the transaction that makes the run FAILURE."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.policies import RunPolicies
from runyard.core.pools import PoolNeeds
from runyard.core.queue import Claim, QueueFilter
from runyard.core.run import Run, RunFailure, RunStatus
from runyard.queue.rules import OverlapPolicy, OverlapRule, Rules
from runyard.storage.open import SqlStores
from runyard.storage.protocols import RunsFilter
from runyard.storage.schema import run_tags

from .make import BOOM, NOW, claimed, enqueue, get, in_status, incompressible, report, started

S = RunStatus
DIED = RunFailure("WorkerDied", "The worker was killed by signal 9 (SIGKILL).")
BY_STEP = RunFailure("ValueError", "boom", "load", by_step=True)
TWICE = RunPolicies(retries_enabled=True, max_retries=2)


@pytest.fixture
def twice(stores: SqlStores) -> SqlStores:
    stores.policies.configure(TWICE)
    return stores


def _fail(stores: SqlStores, won: Claim | Run, failure: RunFailure = DIED) -> Run:
    failed = stores.runs.fail(
        won.run_id, attempt=won.attempt, expected=(S.QUEUED, S.STARTING, S.STARTED), failure=failure, now=NOW
    )
    assert failed is not None
    assert failed == get(stores, won.run_id)
    return failed


def _retry_of(stores: SqlStores, failed: Run) -> Run:
    assert failed.tags["dagster/will_retry"] == "true"
    return get(stores, failed.tags["dagster/auto_retry_run_id"])


def _told(stores: SqlStores, run_id: str) -> list[str]:
    return [s.event.message for s in stores.events.of_run(run_id) if s.event.type.value == "ENGINE_EVENT"]


def _not_retried(stores: SqlStores, failed: Run) -> list[str]:
    """What is told of a run that is not retried."""
    assert failed.status is S.FAILURE
    assert failed.tags["dagster/will_retry"] == "false"
    assert "dagster/auto_retry_run_id" not in failed.tags
    assert stores.queue.depth() == 0
    return _told(stores, failed.run_id)


def test_policies_are_kept(stores: SqlStores) -> None:
    assert stores.policies.in_force() == RunPolicies()
    for _ in range(2):
        stores.policies.configure(TWICE)
        assert stores.policies.in_force() == TWICE


def test_nothing_is_said_of_retries_while_they_are_off(stores: SqlStores) -> None:
    stores.policies.configure(RunPolicies(max_retries=5))
    failed = _fail(stores, started(stores, tags={"dagster/max_retries": "3"}))
    assert failed.tags == {"dagster/max_retries": "3"}
    assert _told(stores, failed.run_id) == []
    assert stores.queue.depth() == 0


def test_a_retry_is_the_same_run_again(twice: SqlStores) -> None:
    won = started(
        twice,
        priority=4,
        run_config={"ops": {"load": {"config": {"n": 1}}}},
        pools=PoolNeeds({"db": 2}, {"db": 2}),
        tags={"team": "docs", "dagster/priority": "4", "dagster/step_selection": "load", "dagster/run_key": "k"},
    )
    failed = _fail(twice, won)
    retry = _retry_of(twice, failed)
    assert retry.status is S.QUEUED
    for name in ("job_name", "location_name", "priority", "run_config", "pools"):
        assert getattr(retry, name) == getattr(failed, name), name
    own = {key: value for key, value in failed.tags.items() if key != "dagster/will_retry"}
    own.pop("dagster/auto_retry_run_id")
    assert retry.tags == own | {
        "dagster/retry_number": "1",
        "dagster/parent_run_id": won.run_id,
        "dagster/root_run_id": won.run_id,
        "dagster/is_resume_retry": "true",
    }
    assert (retry.parent_run_id, retry.root_run_id, retry.attempt) == (won.run_id, won.run_id, 0)
    assert _told(twice, failed.run_id) == [f"Run {retry.run_id[:8]} retries it, from the failure on: 1 of 2."]
    assert _told(twice, retry.run_id) == [f"Retry 1 of run {won.run_id[:8]}, after run {won.run_id[:8]} failed."]


def test_tags_are_found_by_what_they_are_now(twice: SqlStores) -> None:
    failed = _fail(twice, started(twice))
    for key, value in failed.tags.items():
        assert [run.run_id for run in twice.runs.list(RunsFilter(tags={key: value}), limit=9)] == [failed.run_id]
    with twice.database.read() as connection:
        stored = connection.execute(sa.select(sa.func.count()).select_from(run_tags)).scalar_one()
    assert stored == len(failed.tags) + 4


def test_retries_go_on_until_they_are_used_up(twice: SqlStores) -> None:
    first = _fail(twice, started(twice))
    second = _fail(twice, _retry_of(twice, first))
    third = _retry_of(twice, second)
    assert third.tags["dagster/retry_number"] == "2"
    assert (third.parent_run_id, third.root_run_id) == (second.run_id, first.run_id)
    assert "dagster/will_retry" not in third.tags
    last = _fail(twice, third)
    assert _not_retried(twice, last)[-1] == "Not retried: 2 of 2 retries are done, those by hand included."


def test_runs_repeated_by_hand_count(twice: SqlStores) -> None:
    won = started(twice)
    by_hand = {"parent_run_id": won.run_id, "root_run_id": won.run_id}
    enqueue(twice, **by_hand)
    assert _retry_of(twice, _fail(twice, won)).tags["dagster/retry_number"] == "2"
    again = started(twice, **by_hand)
    assert _fail(twice, again).tags["dagster/will_retry"] == "false"


@pytest.mark.parametrize(
    ("tags", "most"), [({"dagster/max_retries": "0"}, 0), ({"dagster/max_retries": "1"}, 1), ({}, 2)]
)
def test_a_run_may_say_how_often(twice: SqlStores, tags: dict[str, str], most: int) -> None:
    run = _fail(twice, started(twice, tags=tags))
    for _ in range(most):
        run = _fail(twice, _retry_of(twice, run))
    assert bool(_not_retried(twice, run)) == bool(most)


def test_a_number_that_is_none_means_no_retry(twice: SqlStores) -> None:
    failed = _fail(twice, started(twice, tags={"dagster/max_retries": "many"}))
    (told,) = _not_retried(twice, failed)
    assert told.startswith("Tag 'dagster/max_retries': 'many' is no whole number")
    assert told.endswith("The run is not retried.")


def test_all_steps(twice: SqlStores) -> None:
    retry = _retry_of(twice, _fail(twice, started(twice, tags={"dagster/retry_strategy": "ALL_STEPS"})))
    assert "dagster/is_resume_retry" not in retry.tags
    assert retry.tags["dagster/retry_strategy"] == "ALL_STEPS"


def test_an_unknown_strategy_counts_as_none(twice: SqlStores) -> None:
    failed = _fail(twice, started(twice, tags={"dagster/retry_strategy": "SOME"}))
    assert _retry_of(twice, failed).tags["dagster/is_resume_retry"] == "true"
    warned, _ = _told(twice, failed.run_id)
    assert warned.startswith("Tag 'dagster/retry_strategy': 'SOME' is neither FROM_FAILURE nor ALL_STEPS.")


@pytest.mark.parametrize("tag", [None, "true", "false", "perhaps"])
@pytest.mark.parametrize("setting", [True, False])
@pytest.mark.parametrize("failure", [DIED, BY_STEP])
def test_failures_of_steps_may_be_left_out(
    sqlite_stores: SqlStores, tag: str | None, setting: bool, failure: RunFailure
) -> None:
    sqlite_stores.policies.configure(msgspec.structs.replace(TWICE, retry_on_step_failure=setting))
    tags = {} if tag is None else {"dagster/retry_on_asset_or_op_failure": tag}
    failed = _fail(sqlite_stores, started(sqlite_stores, tags=tags), failure)
    wanted = tag == "true" or (setting and tag != "false")
    assert failed.tags["dagster/will_retry"] == str(wanted or failure is DIED).lower()
    if not wanted and failure is BY_STEP:
        assert "step 'load' failed by its own code" in _not_retried(sqlite_stores, failed)[-1]
    assert (tag == "perhaps") == any(
        "neither 'true' nor 'false'" in told for told in _told(sqlite_stores, failed.run_id)
    )


def test_without_a_queue_nobody_would_start_a_retry(stores: SqlStores) -> None:
    stores.policies.configure(msgspec.structs.replace(TWICE, queued=False))
    (told,) = _not_retried(stores, _fail(stores, started(stores)))
    assert "without a queue" in told


def _by_report(stores: SqlStores, **tags: str) -> str:
    won = started(stores, tags=tags)
    assert stores.runs.report([report(won, end=S.FAILURE)]) == [True]
    return won.run_id


def _by_launch(stores: SqlStores, **tags: str) -> str:
    won = claimed(stores, tags=tags)
    stores.runs.fail(won.run_id, attempt=1, expected=(S.STARTING,), failure=BOOM, now=NOW)
    return won.run_id


def _by_loss(stores: SqlStores, **tags: str) -> str:
    won = started(stores, tags=tags)
    stores.runs.lose_worker(won.run_id, attempt=1, failure=DIED, now=NOW)
    return won.run_id


def _by_runtime(stores: SqlStores, **tags: str) -> str:
    won = started(stores, tags=tags)
    stores.runs.cancel_active(won.run_id, message="m", now=NOW, failure=DIED)
    stores.runs.end_canceling(won.run_id, attempt=1, message="m", now=NOW)
    return won.run_id


def _by_runtime_told(stores: SqlStores, **tags: str) -> str:
    won = started(stores, tags=tags)
    stores.runs.cancel_active(won.run_id, message="m", now=NOW, failure=DIED)
    stores.runs.report([report(won, end=S.CANCELED)])
    return won.run_id


WAYS = [_by_report, _by_launch, _by_loss, _by_runtime, _by_runtime_told]


@pytest.mark.parametrize("way", WAYS)
def test_wherever_a_run_fails_it_is_retried(twice: SqlStores, way: Callable[..., str]) -> None:
    failed = get(twice, way(twice, team="docs"))
    assert failed.status is S.FAILURE
    assert _retry_of(twice, failed).tags["team"] == "docs"
    assert [run.status for run in twice.runs.list(RunsFilter(), limit=9)] == [S.QUEUED, S.FAILURE]


def test_a_run_that_fails_while_it_is_canceled_is_not_retried(twice: SqlStores) -> None:
    """User code that raises as it cleans up must not bring back what a person has stopped."""
    won = started(twice)
    twice.runs.cancel_active(won.run_id, message="Canceled by ops.", now=NOW)
    assert twice.runs.report([report(won, end=S.FAILURE)]) == [True]
    assert _not_retried(twice, get(twice, won.run_id)) == ["Not retried: it failed after it had been told to stop."]


def test_a_run_that_is_stopped_for_its_time_is_not_retried_once_it_is_canceled(twice: SqlStores) -> None:
    won = started(twice)
    assert twice.runs.cancel_stopping(won.run_id, message="Canceled by ops.", now=NOW) is None
    twice.runs.cancel_active(won.run_id, message="m", now=NOW, failure=DIED)
    run = twice.runs.cancel_stopping(won.run_id, message="Canceled by ops.", now=NOW)
    assert run == get(twice, won.run_id)
    assert (run.status, run.stop_failure) == (S.CANCELING, None)
    assert twice.runs.cancel_stopping(won.run_id, message="Canceled by ops.", now=NOW) is None
    assert _told(twice, won.run_id) == ["Canceled by ops."]
    twice.runs.report([report(won, end=S.CANCELED)])
    assert get(twice, won.run_id).status is S.CANCELED
    assert twice.queue.depth() == 0


@pytest.mark.parametrize("status", [S.CANCELED, S.SUCCESS])
def test_what_did_not_fail_is_not_retried(twice: SqlStores, status: RunStatus) -> None:
    assert get(twice, in_status(twice, status)).tags == {}
    assert twice.queue.depth() == 0


def test_a_report_said_again_makes_no_second_retry(twice: SqlStores) -> None:
    won = started(twice)
    again = report(won, end=S.FAILURE)
    assert [twice.runs.report([again, again]) for _ in range(2)] == [[True, True]] * 2
    assert twice.queue.depth() == 1
    assert twice.runs.fail(won.run_id, attempt=1, expected=(S.STARTED,), failure=BOOM, now=NOW) is None
    assert twice.queue.depth() == 1


def test_runs_that_fail_in_one_batch_are_each_retried(twice: SqlStores) -> None:
    some = [started(twice, job_name=f"job{number}") for number in range(3)]
    twice.runs.report([report(won, end=S.FAILURE) for won in some])
    assert {get(twice, won.run_id).tags["dagster/will_retry"] for won in some} == {"true"}
    assert sorted(run.job_name for run in twice.queue.queued(limit=9)) == ["job0", "job1", "job2"]


@pytest.mark.parametrize(("strategy", "kept"), [("FROM_FAILURE", False), ("ALL_STEPS", True)])
def test_a_retry_from_failure_needs_the_pools_of_what_is_left(twice: SqlStores, strategy: str, kept: bool) -> None:
    whole, left = PoolNeeds({"db": 1, "web": 1}), PoolNeeds({"web": 1}, {"web": 1})
    won = started(twice, pools=whole, tags={"dagster/retry_strategy": strategy})
    end = RunEnd(status=S.FAILURE, failure=BY_STEP, pools_left=left)
    twice.runs.report([WorkerReport(run_id=won.run_id, attempt=1, end=end)])
    assert _retry_of(twice, get(twice, won.run_id)).pools == (whole if kept else left)


def test_a_retry_of_everything_after_one_from_failure_needs_all_pools_again(twice: SqlStores) -> None:
    """A person had what was left of a run done again, with the pools of that alone."""
    whole, left = PoolNeeds({"a": 1, "b": 1}, {"a": 1}), PoolNeeds({"b": 1}, {"b": 1})
    root = started(twice, pools=whole)
    tags = {"dagster/is_resume_retry": "true", "dagster/retry_strategy": "ALL_STEPS"}
    again = started(twice, pools=left, tags=tags, parent_run_id=root.run_id, root_run_id=root.run_id)
    assert _retry_of(twice, _fail(twice, again)).pools == whole


def _one_at_a_time(stores: SqlStores, policy: OverlapPolicy) -> None:
    stores.limits.configure(Rules(overlaps=(OverlapRule(job="job", policy=policy),)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("policy", ["skip", "cancel_old"])
def test_a_refused_retry_leaves_the_failure(twice: SqlStores, policy: OverlapPolicy, way: Callable[..., str]) -> None:
    other = enqueue(twice)
    run_id = way(twice)
    failing = {run_id: get(twice, run_id)}
    assert failing[run_id].tags["dagster/will_retry"] == "true"
    _one_at_a_time(twice, policy)
    # The rule is newer than the runs: others of the job are queued already.
    retry = _retry_of(twice, failing[run_id])
    failed = _fail(twice, retry)
    assert failed.status is S.FAILURE
    assert failed.tags["dagster/will_retry"] == "false"
    assert any(told.startswith("Not retried: A run of 'job' was refused") for told in _told(twice, failed.run_id))
    assert get(twice, other.run_id).status is S.QUEUED, "it never takes the place of others"
    assert twice.queue.depth(QueueFilter()) == 1


def test_a_run_that_is_alone_is_retried_under_an_overlap_policy(twice: SqlStores) -> None:
    for policy in ("skip", "cancel_old"):
        _one_at_a_time(twice, policy)  # type: ignore[arg-type]  # of a tuple of literals
        won = started(twice)
        retry = _retry_of(twice, _fail(twice, won))
        twice.runs.cancel_waiting(retry.run_id, message="m", now=NOW)


def test_what_the_database_cannot_hold_leaves_the_failure(postgres_stores: SqlStores) -> None:
    """A run id just short enough for its own index is too long beside the name of a tag."""
    postgres_stores.policies.configure(TWICE)
    long = incompressible(2672)
    won = started(postgres_stores, run_id=long)
    failed = _fail(postgres_stores, won)
    (told,) = _not_retried(postgres_stores, failed)
    assert told.startswith("Not retried: A name, key or tag is too long")


def test_new_runs_of_the_job_and_failing_ones_never_wait_for_each_other(postgres_stores: SqlStores) -> None:
    """With an overlap policy whoever inserts locks the job, then the runs that it cancels; so does who retries."""
    stores = postgres_stores
    stores.policies.configure(msgspec.structs.replace(TWICE, max_retries=1000))
    _one_at_a_time(stores, "cancel_old")
    errors: list[BaseException] = []

    def work(act: Callable[[], Any]) -> None:
        try:
            for _ in range(25):
                act()
        except BaseException as error:  # noqa: BLE001  raised below
            errors.append(error)

    def fail_all() -> None:
        for run in stores.runs.list(RunsFilter(statuses=(S.QUEUED, S.CANCELING)), limit=9):
            if run.status is S.QUEUED:
                stores.runs.fail(run.run_id, attempt=run.attempt, expected=(S.QUEUED,), failure=BOOM, now=NOW)

    threads = [threading.Thread(target=work, args=(act,)) for act in [lambda: enqueue(stores), fail_all] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert stores.queue.depth() <= 1
