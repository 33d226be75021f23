"""Pauses, drains and limits as people set them, on both databases."""

from __future__ import annotations

import threading

import pytest

from daemons.fakes import FakeLocation, FakeWorkspace
from runyard.core.clock import SystemClock
from runyard.core.errors import InvalidLimit, InvalidPause, InvalidPool, NotFound
from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.location import JobInfo, LocationDefinitions
from runyard.core.pools import PoolNeeds
from runyard.core.run import RunStatus
from runyard.operations.queue.drain import running, wait_drained
from runyard.operations.queue.limits import limits_in_force, pool_limit, set_limit, unset_limit
from runyard.operations.queue.pauses import pause, pauses, resume
from runyard.queue.rules import JOB, PoolRules, Rules, TagRule

from .yard import Yard


@pytest.fixture
def pooled(both: Yard) -> Yard:
    """Its job 'job' uses the pool 'db'."""
    needs = PoolNeeds(all={"db": 1}, roots={"db": 1})
    jobs = (JobInfo(name="job", pools=needs), JobInfo(name="other"))
    both.location = FakeLocation("yard", LocationDefinitions(jobs=jobs))
    both.workspace = FakeWorkspace(both.location)
    both.stores.locations.publish(both.location.record())
    return both


def end(yard: Yard, run_id: str) -> None:
    report = WorkerReport(run_id=run_id, attempt=1, end=RunEnd(status=RunStatus.SUCCESS), timestamp=yard.clock.now())
    assert list(yard.stores.runs.report([report])) == [True]
    yard.stores.wakeups.poke("runs")


def test_a_pause_is_kept_until_it_is_resumed(both: Yard) -> None:
    made = pause(both.stores, "tag", "team", "docs", by="ops", reason="bad data", clock=both.clock)
    queue = pause(both.stores, "queue", by="ops", until=both.clock.now() + 60, clock=both.clock)
    assert pauses(both.stores, clock=both.clock) == [made, queue]
    both.clock.advance(61)
    assert pauses(both.stores, clock=both.clock) == [made], "its time is over"
    assert resume(both.stores, "tag", "team", "docs", by="ops", clock=both.clock) == made
    assert resume(both.stores, "tag", "team", "docs", by="ops", clock=both.clock) is None
    assert [entry.action for entry in both.stores.limits.audit(limit=3)] == ["resume", "pause", "pause"]


def test_a_second_pause_of_the_same_takes_the_place_of_the_first(both: Yard) -> None:
    pause(both.stores, "location", "yard", by="ops", reason="first", clock=both.clock)
    pause(both.stores, "location", "yard", by="ops", reason="second", drain=True, clock=both.clock)
    (left,) = pauses(both.stores, clock=both.clock)
    assert (left.reason, left.drain) == ("second", True)


@pytest.mark.parametrize(
    ("subject", "error", "says"),
    [
        (("location", "yarn"), NotFound, "Did you mean 'yard'?"),
        (("pool", "dbb"), NotFound, "Did you mean 'db'?"),
        (("pool", ""), InvalidPause, "name"),
        (("tag", "team"), InvalidPause, "value"),
        (("queue", "x"), InvalidPause, "whole queue"),
    ],
)
def test_a_pause_that_would_stop_nothing_is_refused(pooled: Yard, subject, error, says) -> None:
    with pytest.raises(error) as caught:
        pause(pooled.stores, *subject, by="ops", clock=pooled.clock)
    assert says in str(caught.value)
    assert pauses(pooled.stores, clock=pooled.clock) == []


def test_what_still_runs_of_a_drain_is_counted(pooled: Yard) -> None:
    stores, clock = pooled.stores, pooled.clock
    pooled.submit(queued=False, tags={"team": "docs"})
    pooled.submit("other", queued=False)
    pooled.submit()
    drains = {
        "queue": pause(stores, "queue", by="ops", drain=True, clock=clock),
        "team": pause(stores, "tag", "team", "docs", by="ops", drain=True, clock=clock),
        "job": pause(stores, "tag", JOB, "other", by="ops", drain=True, clock=clock),
        "pool": pause(stores, "pool", "db", by="ops", drain=True, clock=clock),
        "location": pause(stores, "location", "yard", by="ops", drain=True, clock=clock),
    }
    assert {name: running(stores, each) for name, each in drains.items()} == {
        "queue": 2,
        "team": 1,
        "job": 1,
        "pool": 1,
        "location": 2,
    }


def test_a_drain_is_waited_for_until_the_last_run_has_ended(both: Yard) -> None:
    first, second = both.started(), both.started()
    made = pause(both.stores, "queue", by="ops", drain=True, clock=both.clock)
    told: list[int] = []
    heard = threading.Event()

    def say(left: int) -> None:
        told.append(left)
        heard.set()

    def wait() -> None:
        wait_drained(both.stores, made, clock=SystemClock(), say=say)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    for run in (first, second):
        assert heard.wait(10)
        heard.clear()
        end(both, run.run_id)
    waiting.join(10)
    assert not waiting.is_alive()
    assert told == [2, 1, 0]


def test_limits_are_put_in_force_and_taken_back(pooled: Yard) -> None:
    stores, clock = pooled.stores, pooled.clock
    rule = TagRule(key="team", value="docs", limit=1)
    stores.limits.configure(Rules(max_concurrent_runs=5, tag_rules=(rule,), pools=PoolRules(default_limit=3)))

    def found() -> dict[str, tuple[int | None, str]]:
        return {limit.title: (limit.limit, limit.origin) for limit in limits_in_force(stores)}

    as_configured = {"max_concurrent_runs": (5, "file"), "team=docs": (1, "file"), "pool db": (3, "default")}
    assert found() == as_configured
    set_limit(stores, "runs", "", -1, by="ops", clock=clock)
    set_limit(stores, "tag", "team=docs", 0, by="ops", clock=clock)
    set_limit(stores, "pool", "db", 1000, by="ops", clock=clock)
    assert found() == {"max_concurrent_runs": (None, "set"), "team=docs": (0, "set"), "pool db": (1000, "set")}
    for kind, name in (("runs", ""), ("tag", "team=docs"), ("pool", "db")):
        unset_limit(stores, kind, name, by="ops", clock=clock)
    assert found() == as_configured
    assert pool_limit(stores, "unheard").limit == 3
    assert {entry.by for entry in stores.limits.audit(limit=10)} == {"ops"}


@pytest.mark.parametrize(
    ("kind", "name", "limit", "error", "says"),
    [
        ("pool", "db", 1001, InvalidLimit, "1000"),
        ("pool", "db", -1, InvalidLimit, "from 0"),
        ("pool", "a b", 1, InvalidPool, "'a b' is no name for a pool: it has a blank"),
        ("pool", "", 1, NotFound, "pool"),
        ("runs", "", -2, InvalidLimit, "-1 for no limit"),
        ("tag", "team", 1, NotFound, "No tag rule named 'team'"),
    ],
)
def test_limits_that_there_cannot_be_are_refused(pooled: Yard, kind, name, limit, error, says) -> None:
    before = limits_in_force(pooled.stores)
    with pytest.raises(error) as caught:
        set_limit(pooled.stores, kind, name, limit, by="ops", clock=pooled.clock)
    assert says in str(caught.value)
    assert limits_in_force(pooled.stores) == before
