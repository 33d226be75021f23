"""Doing a run's work again by hand: which steps, which tags, which pools, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.core.errors import (
    InvalidRunConfig,
    InvalidTag,
    LocationUnavailable,
    NotFound,
    OverlapRefused,
    RunNotFound,
    WrongState,
)
from runyard.core.events import Event, EventType
from runyard.core.ids import new_id
from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.location import JobInfo, LocationDefinitions, LocationRecord, LocationState, OpInfo
from runyard.core.policy_tags import TagsInForce
from runyard.core.pools import PoolNeeds
from runyard.core.queue import Claim
from runyard.core.run import NewRun, Run, RunFailure, RunStatus
from runyard.core.step_selection import EmptySelection, after, before, needs_of, select, with_missing
from runyard.core.tags import normalise, parse_priority
from runyard.operations.launch import launch_now
from runyard.operations.reexecute import JobGone, NothingLeft, Reexecuted, Reexecution, Reexecutor, Strategy
from runyard.queue.rules import OverlapRule, Rules
from runyard.storage.protocols import RunsFilter

from .yard import Yard

CHAIN = (
    OpInfo(key="load", op_name="load", pool="db"),
    OpInfo(key="clean", op_name="clean", needs=("load",), pool="cpu", pool_slots=2),
    OpInfo(key="write", op_name="write", needs=("clean",), pool="db"),
)
WHOLE = PoolNeeds({"db": 1, "cpu": 2}, {"db": 1})


@pytest.fixture
def chain(both: Yard) -> Yard:
    """A yard whose job is load, clean, write."""
    define(both, *CHAIN)
    return both


def define(yard: Yard, *ops: OpInfo) -> None:
    job = JobInfo(name="job", ops=ops, pools=needs_of(ops, [op.key for op in ops]))
    yard.location.definitions = LocationDefinitions(jobs=(job,))
    yard.stores.locations.publish(yard.location.record())


def _launched(yard: Yard, job_name: str = "job", **fields: Any) -> Run:
    """A run that runs, with whatever tags: retries and schedules store those that no person may set."""
    job = yard.location.definitions.job(job_name)
    assert job is not None
    tags = {"dagster/code_location": "yard", **normalise(fields.pop("tags", {}))}
    new = NewRun(
        run_id=new_id(),
        job_name=job_name,
        location_name="yard",
        priority=parse_priority(tags),
        tags=tags,
        pools=job.pools,
        **fields,
    )
    (run,) = yard.stores.runs.add([new], enqueue=False)
    return launch_now(yard.stores, yard.location, run, clock=yard.clock)


def ended(yard: Yard, *done: str, status: RunStatus = RunStatus.FAILURE, **fields: Any) -> Run:
    """A run that has ended; ``done`` are the steps that succeeded before."""
    run = _launched(yard, **fields)
    spec, now = yard.location.launched[-1], yard.clock.now()
    events = [
        Event(run_id=run.run_id, type=EventType.STEP_SUCCESS, timestamp=now, attempt=1, seq=n, step_key=key)
        for n, key in enumerate(done, start=1)
    ]
    failure = RunFailure("ValueError", "no", by_step=True) if status is RunStatus.FAILURE else None
    report = WorkerReport(
        run_id=run.run_id,
        attempt=1,
        begin=spec.token,
        events=tuple(events),
        end=RunEnd(status=status, failure=failure),
        timestamp=now,
    )
    if status is RunStatus.CANCELED:
        begin = WorkerReport(run_id=run.run_id, attempt=1, begin=spec.token, timestamp=now)
        assert yard.stores.runs.report([begin]) == [True]
        assert yard.stores.runs.cancel_active(run.run_id, message="", now=now)
    yard.stores.runs.report([report])
    found = yard.stores.runs.get(run.run_id)
    assert found is not None
    assert found.status is status
    return found


def again(yard: Yard, run: Run | str, strategy: Strategy = Strategy.ALL, *, queued: bool = True, **fields: Any) -> Run:
    run_id = run if isinstance(run, str) else run.run_id
    executor = Reexecutor(yard.stores, yard.workspace, clock=yard.clock, queued=queued)
    return executor.one(Reexecution(run_id=run_id, strategy=strategy, **fields))


def many(yard: Yard, runs: list[str], strategy: Strategy, *, queued: bool = True) -> Reexecuted:
    return Reexecutor(yard.stores, yard.workspace, clock=yard.clock, queued=queued).many(runs, strategy)


def test_all_of_it_with_its_config_and_its_own_tags(chain: Yard) -> None:
    tags = {"team": "docs", "dagster/priority": "3", "dagster/will_retry": "true", "dagster/retry_number": "1"}
    first = ended(chain, run_config={"x": 1}, tags=tags)
    second = again(chain, first.run_id[:8])
    assert second.status is RunStatus.QUEUED
    assert (second.job_name, second.location_name, second.priority) == ("job", "yard", 3)
    assert second.run_config == {"x": 1}
    assert second.pools == WHOLE
    assert (second.parent_run_id, second.root_run_id) == (first.run_id, first.run_id)
    assert second.tags == {
        "team": "docs",
        "dagster/priority": "3",
        "dagster/code_location": "yard",
        "dagster/parent_run_id": first.run_id,
        "dagster/root_run_id": first.run_id,
    }


def test_the_root_of_a_chain_is_its_first_run(chain: Yard) -> None:
    first = ended(chain)
    second = again(chain, first, queued=False)
    report = WorkerReport(
        run_id=second.run_id,
        attempt=1,
        begin=chain.location.launched[-1].token,
        end=RunEnd(status=RunStatus.FAILURE),
        timestamp=1,
    )
    chain.stores.runs.report([report])
    third = again(chain, second)
    assert (third.parent_run_id, third.root_run_id) == (second.run_id, first.run_id)
    assert third.tags["dagster/root_run_id"] == first.run_id


@pytest.mark.parametrize("status", [RunStatus.FAILURE, RunStatus.CANCELED])
def test_from_failure_needs_the_pools_of_what_is_left(chain: Yard, status: RunStatus) -> None:
    second = again(chain, ended(chain, "load", status=status), Strategy.FROM_FAILURE)
    assert second.tags["dagster/is_resume_retry"] == "true"
    assert "dagster/step_selection" not in second.tags
    assert second.pools == PoolNeeds({"cpu": 2, "db": 1}, {"cpu": 2})


def test_chosen_steps(chain: Yard) -> None:
    first = ended(chain, "load", "clean", "write", status=RunStatus.SUCCESS)
    second = again(chain, first, Strategy.SELECTED, steps=("write", "load"))
    assert second.tags["dagster/step_selection"] == "load,write"
    assert second.pools == PoolNeeds({"db": 1}, {"db": 2})
    assert warnings(chain, second) == []


def test_chosen_steps_bring_what_they_need_and_nobody_has(chain: Yard) -> None:
    second = again(chain, ended(chain, "load"), Strategy.SELECTED, steps=("write",))
    assert second.tags["dagster/step_selection"] == "clean,write"
    assert second.pools == PoolNeeds({"cpu": 2, "db": 1}, {"cpu": 2})
    (told,) = warnings(chain, second)
    assert "has no outputs of clean: done too" in told


def test_a_run_of_chosen_steps_is_done_again_with_those(chain: Yard) -> None:
    first = ended(chain, "clean", tags={"dagster/step_selection": "clean,write"})
    whole = again(chain, first)
    assert whole.tags["dagster/step_selection"] == "load,clean,write"
    left = again(chain, first, Strategy.FROM_FAILURE)
    assert left.tags["dagster/step_selection"] == "clean,write"
    assert left.pools == PoolNeeds({"db": 1}, {"db": 1})


def test_other_config_and_tags(chain: Yard) -> None:
    first = ended(chain, run_config={"x": 1}, tags={"team": "docs", "dagster/priority": "3"})
    second = again(chain, first, run_config={"x": 2}, tags={"team": "ops", "n": 5, "dagster/priority": "-1"})
    assert second.run_config == {"x": 2}
    assert (second.tags["team"], second.tags["n"], second.priority) == ("ops", "5", -1)
    chain.location.issues = [("x", "takes a text")]
    assert again(chain, first).run_config == {"x": 1}
    with pytest.raises(InvalidRunConfig, match="x: takes a text"):
        again(chain, first, run_config={"x": 3})
    with pytest.raises(InvalidTag, match="no number of seconds"):
        again(chain, first, tags={"dagster/max_runtime": "soon"})


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("dagster/parent_run_id", "re-execute the run instead"),
        ("dagster/retry_number", "Runyard writes this tag itself"),
        ("dagster/is_resume_retry", "from failure"),
        ("dagster/code_location", "name the location"),
        ("dagster/step_selection", "with the steps named"),
        ("dagster/prioritty", "Did you mean 'dagster/priority'"),
    ],
)
def test_tags_by_hand_do_not_say_what_the_new_run_is(chain: Yard, key: str, says: str) -> None:
    first = ended(chain, "load")
    with pytest.raises(InvalidTag, match=says) as caught:
        again(chain, first, tags={"team": "ops", key: "9"})
    assert caught.value.key == key


def test_tags_that_a_stored_run_has_are_inherited_whatever_they_are(chain: Yard) -> None:
    """They are no person's: an older version may have stored a run with tags that nobody may set any more."""
    old = {"dagster/prioritty": "5", "dagster/retry_number": "7", "dagster/run_key": "k", "team": "docs"}
    first = ended(chain, "load", tags=old)
    second = again(chain, first, tags={"team": "ops"})
    assert {key: second.tags.get(key) for key in old} == {
        "dagster/prioritty": "5",
        "dagster/retry_number": None,
        "dagster/run_key": "k",
        "team": "ops",
    }


def test_tags_for_what_is_off_are_told_of(chain: Yard) -> None:
    first = ended(chain, tags={"dagster/max_runtime": "60"})
    off = TagsInForce(monitoring=False, retries=False)
    executor = Reexecutor(chain.stores, chain.workspace, clock=chain.clock, in_force=off)
    (told,) = warnings(chain, executor.one(Reexecution(run_id=first.run_id)))
    assert "'dagster/max_runtime' has no effect" in told


def test_what_cannot_be_done_again_says_why(chain: Yard) -> None:
    waiting, good = chain.submit(), ended(chain, "load", "clean", "write", status=RunStatus.SUCCESS)
    done = ended(chain, "load", "clean", "write")
    before_them = chain.stores.runs.count(RunsFilter())
    cases: list[tuple[Any, Strategy, tuple[str, ...], type[Exception], str]] = [
        ("feed" * 8, Strategy.ALL, (), RunNotFound, "No run"),
        (waiting, Strategy.ALL, (), WrongState, "is QUEUED: it can be done again once it has ended"),
        (good, Strategy.FROM_FAILURE, (), WrongState, "succeeded, so there is no failure to go on from"),
        (done, Strategy.FROM_FAILURE, (), NothingLeft, "has no step left to do"),
        (done, Strategy.SELECTED, ("wriet",), NotFound, "No step named 'wriet'. Did you mean 'write'?"),
        (done, Strategy.SELECTED, (), EmptySelection, "No steps are named"),
    ]
    for run, strategy, steps, error, says in cases:
        with pytest.raises(error) as caught:
            again(chain, run, strategy, steps=steps)
        assert says in str(caught.value)
    assert chain.stores.runs.count(RunsFilter()) == before_them


def test_a_job_or_location_that_is_gone(chain: Yard) -> None:
    first = ended(chain)
    chain.location.definitions = LocationDefinitions(jobs=(JobInfo(name="jobs"),))
    chain.stores.locations.publish(chain.location.record())
    with pytest.raises(JobGone, match=r"'job' of code location 'yard' is not there any more\. .* Did you mean 'jobs'"):
        again(chain, first)
    chain.workspace.locations.clear()
    chain.stores.locations.remove("yard")
    with pytest.raises(JobGone, match="No code location named 'yard'"):
        again(chain, first)
    chain.stores.locations.publish(LocationRecord(name="yard", state=LocationState.LOADING))
    with pytest.raises(LocationUnavailable, match="it is loading"):
        again(chain, first)


def test_a_location_that_is_only_away_keeps_nobody_from_the_queue(chain: Yard) -> None:
    first = ended(chain)
    chain.workspace.locations.clear()
    assert again(chain, first).status is RunStatus.QUEUED
    for fields in ({"queued": False}, {"run_config": {}}):
        with pytest.raises(LocationUnavailable):
            again(chain, first, **fields)


def test_without_the_queue_it_starts_at_once(chain: Yard) -> None:
    first = ended(chain)
    second = again(chain, first, Strategy.FROM_FAILURE, queued=False)
    assert second.status is RunStatus.STARTING
    assert chain.location.launched[-1].run_id == second.run_id
    assert chain.location.launched[-1].tags["dagster/is_resume_retry"] == "true"


def test_many_at_once_leave_out_what_cannot_be(chain: Yard) -> None:
    failed, good = [ended(chain).run_id for _ in range(3)], ended(chain, status=RunStatus.SUCCESS).run_id
    asked = [failed[0], good, failed[1], failed[0], failed[2]]
    done = many(chain, asked, Strategy.FROM_FAILURE)
    assert [run.parent_run_id for run in done.runs] == failed
    assert [run_id for run_id, _ in done.refused] == [good]
    assert len(many(chain, asked, Strategy.ALL, queued=False).runs) == 4


def test_of_many_one_that_is_named_twice_is_done_again_once(chain: Yard) -> None:
    run = ended(chain)
    done = many(chain, [run.run_id, run.run_id[:8]], Strategy.ALL)
    assert [again.parent_run_id for again in done.runs] == [run.run_id]
    assert done.refused == []


def test_of_many_that_start_at_once_one_that_cannot_keeps_no_other(
    chain: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody cancels the second before it was handed over."""
    runs = [ended(chain).run_id for _ in range(3)]
    start, asked = chain.stores.queue.start_directly, []

    def start_directly(run_id: str, *, now: float) -> Claim | None:
        asked.append(run_id)
        if len(asked) == 2:
            chain.stores.runs.cancel_waiting(run_id, message="", now=now)
        return start(run_id, now=now)

    monkeypatch.setattr(chain.stores.queue, "start_directly", start_directly)
    done = many(chain, runs, Strategy.ALL, queued=False)
    assert [run.parent_run_id for run in done.runs] == [runs[0], runs[2]]
    assert [run_id for run_id, _ in done.refused] == [runs[1]]
    assert chain.stores.runs.list(RunsFilter(statuses=(RunStatus.NOT_STARTED,)), limit=9) == []


def test_of_many_an_overlap_policy_lets_in_those_that_it_can(chain: Yard) -> None:
    runs = [ended(chain).run_id for _ in range(3)]
    chain.stores.limits.configure(Rules(overlaps=(OverlapRule(job="job", policy="skip"),)))
    done = many(chain, runs, Strategy.ALL)
    assert [run.parent_run_id for run in done.runs] == runs[:1]
    assert [run_id for run_id, _ in done.refused] == runs[1:]
    assert all(isinstance(error, OverlapRefused) for _, error in done.refused)


def warnings(yard: Yard, run: Run) -> list[str]:
    events = (stored.event for stored in yard.stores.events.of_run(run.run_id))
    return [event.message for event in events if event.level == "WARNING"]


# -- which steps, by rule ------------------------------------------------------------------------------------


def test_a_step_with_all_after_or_before_it() -> None:
    assert select(CHAIN, ["clean*"]) == ("clean", "write")
    assert select(CHAIN, ["*clean", "clean"]) == ("load", "clean")
    assert select(CHAIN, ["*clean*"]) == ("load", "clean", "write")


@st.composite
def plans(draw: st.DrawFn) -> tuple[OpInfo, ...]:
    keys = [f"s{n}" for n in range(draw(st.integers(1, 7)))]
    return tuple(
        OpInfo(key=key, op_name=key, needs=tuple(draw(st.sets(st.sampled_from(keys[:n])))) if n else ())
        for n, key in enumerate(keys)
    )


@given(plans(), st.data())
def test_what_is_chosen_is_closed(ops: tuple[OpInfo, ...], data: st.DataObject) -> None:
    keys = [op.key for op in ops]
    chosen, done = (data.draw(st.sets(st.sampled_from(keys))) for _ in range(2))
    steps = with_missing(ops, chosen, done)
    assert chosen <= set(steps)
    assert all(need in steps or need in done for op in ops if op.key in steps for need in op.needs)
    assert all(key in chosen or key not in done for key in steps)
    assert set(before(ops, chosen)) == set(with_missing(ops, chosen, ()))
    for one in keys:
        for other in keys:
            assert (other in after(ops, {one})) == (one in before(ops, {other}))
