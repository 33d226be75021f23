"""What-ifs over recorded runs, on both databases, and their shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runyard.core.clock import ManualClock
from runyard.core.lease import Fence
from runyard.core.queue import QueueHead
from runyard.core.run import NewRun, RunFailure, RunStatus
from runyard.operations.queue.simulate import (
    NothingToSimulate,
    TooMuchToSimulate,
    of_entries,
    of_texts,
    of_window,
    what_if,
)
from runyard.operations.queue.simulate_shapes import MOST_BUCKETS, what_if_shape
from runyard.operations.shapes import iso
from runyard.operations.until import InvalidTime
from runyard.queue.rules import Pause, RateRule, Rules, TagRule
from runyard.queue.simulation.arrivals import LoadEntry
from runyard.storage.protocols import Stores

MOST = 1000


class Past:
    """Lets runs go through real storage while the clock passes."""

    def __init__(self, stores: Stores, clock: ManualClock) -> None:
        self.stores, self.clock, self.start = stores, clock, clock.now()

    def at(self, seconds: float) -> None:
        self.clock.advance(self.start + seconds - self.clock.now())

    def enqueue(self, run_id: str, *, priority: int = 0, job: str = "load", **tags: str) -> None:
        new = NewRun(run_id=run_id, job_name=job, location_name="here", priority=priority, tags=tags)
        self.stores.runs.add([new], enqueue=True)

    def launch(self, run_id: str) -> None:
        run, lease = self.stores.runs.get(run_id), self.stores.leases.acquire("queue", holder="me", seconds=60)
        assert run is not None
        assert lease is not None
        heads = [QueueHead(run_id, run.lane or "", run.priority, run.queue_seq or 0)]
        version, fence = self.stores.queue.rules().version, Fence("queue", lease.term)
        assert self.stores.queue.claim(heads, fence=fence, rules_version=version, now=self.clock.now())

    def end(self, run_id: str) -> None:
        failure, expected = RunFailure("Boom", "boom"), (RunStatus.STARTING,)
        assert self.stores.runs.fail(run_id, attempt=1, expected=expected, failure=failure, now=self.clock.now())


@pytest.fixture
def past(stores: Stores, clock: ManualClock) -> Past:
    """One slot was used: ``early`` from before the window, then ``a`` 5 to 15, ``b`` 15 to 25; ``c`` was canceled,
    ``d`` waits.
    """
    made = Past(stores, clock)
    made.enqueue("early")
    made.launch("early")
    made.at(1)
    for run_id, tags in (("a", {"team": "docs"}), ("b", {"team": "docs"}), ("c", {})):
        made.enqueue(run_id, **tags)
    made.at(5)
    made.end("early")
    made.launch("a")
    made.at(10)
    stores.runs.cancel_waiting("c", message="no", now=clock.now())
    made.enqueue("d", priority=5)
    made.at(15)
    made.end("a")
    made.launch("b")
    made.at(25)
    made.end("b")
    made.at(30)
    return made


def test_history_is_simulated_before_and_after(past: Past) -> None:
    given = of_window(past.stores, since=past.start + 1, until=past.start + 30, now=past.clock.now(), most=MOST)
    assert (given.left_out, given.assumed_durations) == (1, 1)
    shape = what_if_shape(what_if(given, Rules(max_concurrent_runs=1), Rules(max_concurrent_runs=2)))
    assert shape["source"] == {
        "kind": "history",
        "from": iso(past.start + 1),
        "to": iso(past.start + 30),
        "runs": 4,
        "left_out": 1,
        "assumed_durations": 1,
        "notes": [],
    }
    # ``d`` lasts 10 s, the median of its job, and comes at 10 while ``a`` runs until 15: then it is first.
    assert _wait(shape["recorded"]) == (2, 4, 14)
    assert _wait(shape["before"]["waits"]) == (3, 5, 24)
    assert _wait(shape["before"]["waits"], "priority", "5") == (1, 5, 5)
    assert _wait(shape["after"]["waits"]) == (3, 1, 4)
    before, after = shape["before"], shape["after"]
    assert (before["makespan"], after["makespan"]) == (34, 20)
    assert (before["launches"], before["never_started"], before["late"]) == (3, 0, 0)
    (limit,) = before["limits"]
    # From 1 to 35 without a gap.
    assert limit == {
        "rule": "max_concurrent_runs",
        "kind": "runs",
        "limit": 1,
        "utilisation": 1.0,
        "peak": 1,
        "full_seconds": 34,
    }
    assert [run["run_id"] for run in before["starving"]] == ["b", "d", "a"]


def _wait(rows: list[dict[str, Any]], by: str = "all", value: str | None = None) -> tuple[int, float, float]:
    (row,) = (row for row in rows if (row["by"], row["value"]) == (by, value))
    return row["runs"], row["median"], row["max"]


def test_the_series_of_both_lie_over_each_other(past: Past) -> None:
    given = of_window(past.stores, since=past.start, until=past.start + 30, now=past.clock.now(), most=MOST)
    rules = Rules(max_concurrent_runs=1, tag_rules=(TagRule("team", 1),))
    shape = what_if_shape(what_if(given, rules, Rules(max_concurrent_runs=3)))
    series = [shape[name]["series"] for name in ("before", "after")]
    assert series[0]["start"] == series[1]["start"] == iso(past.start)
    assert series[0]["bucket_seconds"] == series[1]["bucket_seconds"]
    for one in series:
        assert all(len(line) == MOST_BUCKETS for line in [one["queued"], one["active"], *one["limits"].values()])
        assert sum(one["active"]) * one["bucket_seconds"] == pytest.approx(5 + 10 + 10 + 10)
    assert set(series[0]["limits"]) == {"max_concurrent_runs", "team"}
    assert set(series[1]["limits"]) == {"max_concurrent_runs"}
    json.dumps(shape, allow_nan=False)


def test_a_run_that_starts_after_the_window_is_late(past: Past) -> None:
    given = of_window(past.stores, since=past.start + 1, until=past.start + 20, now=past.clock.now(), most=MOST)
    shape = what_if_shape(what_if(given, Rules(max_concurrent_runs=1), Rules(max_concurrent_runs=0)))
    assert (shape["before"]["late"], shape["before"]["never_started"]) == (1, 0)
    assert (shape["after"]["launches"], shape["after"]["never_started"]) == (0, 3)
    assert _wait(shape["after"]["waits"]) == (0, None, None)
    assert shape["after"]["limits"][0]["utilisation"] == 0
    assert [run["started"] for run in shape["after"]["starving"]] == [False] * 3


def test_a_window_without_runs_or_with_too_many_is_refused(past: Past) -> None:
    with pytest.raises(NothingToSimulate, match="No run was queued or active in the window"):
        of_window(past.stores, since=past.start - 100, until=past.start - 50, now=past.clock.now(), most=MOST)
    with pytest.raises(TooMuchToSimulate, match="The window has more than 4 runs"):
        of_window(past.stores, since=past.start, until=past.start + 30, now=past.clock.now(), most=4)
    with pytest.raises(TooMuchToSimulate, match="The load has more than 9 runs"):
        of_entries([LoadEntry(job="a", count=10**12, median=1)], seed=0, most=9)


def test_the_window_is_written_as_people_do(past: Past) -> None:
    now = past.clock.now()
    given = of_texts(past.stores, since="29s ago", until="now", now=now, most=MOST)
    assert (given.start, given.until, len(given.arrivals)) == (now - 29, now, 4)
    assert of_texts(past.stores, since=None, until=None, now=now, most=MOST).start == now - 86400
    with pytest.raises(InvalidTime, match="'1s ago' is not before the end of the window"):
        of_texts(past.stores, since="1s ago", until="10s ago", now=now, most=MOST)


def test_pauses_are_left_out_and_told() -> None:
    given = of_entries([LoadEntry(job="a", median=1)], seed=0, most=MOST)
    rules = Rules(pauses=(Pause(scope="queue", by="ops", since=0),))
    found = what_if(given, rules, rules)
    assert list(found.before.launched) == ["a-1"]
    assert found.notes == ("One pause that is in force now is left out.",)


def test_rules_are_told_apart_even_when_they_count_the_same_runs() -> None:
    entry = LoadEntry(job="a", count=3, median=10, tags={"team": "docs"})
    rules = Rules(
        tag_rules=(TagRule("team", 2, value="docs"), TagRule("team", 1, per_unique_value=True)),
        rates=(RateRule(key="team", limit=1, seconds=15),),
    )
    shape = what_if_shape(what_if(of_entries([entry], seed=0, most=MOST), rules, None))
    assert shape["after"] is None
    assert shape["recorded"] is None
    assert {limit["rule"]: limit["peak"] for limit in shape["before"]["limits"]} == {
        "max_concurrent_runs": 1,
        "team=docs": 1,
        "team=docs, at most 2": 1,
        "1 of team in 15 s": 1,
    }


def test_progress_goes_from_nothing_to_all() -> None:
    given = of_entries([LoadEntry(job="a", count=1500, every=1, median=1)], seed=0, most=2000)
    told: list[float] = []
    what_if(given, Rules(), Rules(), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert 0 < told[0] < 0.5
