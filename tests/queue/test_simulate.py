"""The simulation against hand-computed cases: order, times, limits, policies."""

from __future__ import annotations

from typing import Any

import pytest

from runyard.core.pools import PoolNeeds
from runyard.core.tags import SLOTS
from runyard.queue.rules import FairShare, OverlapPolicy, OverlapRule, Pause, PoolRules, RateRule, Rules, TagRule
from runyard.queue.simulation.arrivals import Arrival
from runyard.queue.simulation.simulate import Outcome, simulate


def run(run_id: str, at: float, seconds: float, **fields: Any) -> Arrival:
    return Arrival(
        **{"run_id": run_id, "job_name": "job", "location_name": "here", "at": at, "seconds": seconds} | fields
    )


def used(outcome: Outcome) -> dict[str, tuple[float, float]]:
    """Per limit its peak and its slot-seconds."""
    return {meter.rule: (meter.used.peak, meter.used.total(outcome.end)) for meter in outcome.limits}


def test_one_slot_by_priority_then_arrival() -> None:
    arrivals = [run("a", 0, 10), run("b", 1, 10), run("c", 2, 5), run("d", 3, 5, priority=1)]
    outcome = simulate(arrivals, Rules(max_concurrent_runs=1))
    assert list(outcome.launched.items()) == [("a", 0), ("d", 10), ("b", 15), ("c", 25)]
    assert outcome.end == 30
    assert used(outcome) == {"max_concurrent_runs": (1, 30)}
    # Waiting: b from 1 to 15, c from 2 to 25, d from 3 to 10.
    assert outcome.queued.total(30) == 14 + 23 + 7
    assert outcome.queued.peak == 3
    assert outcome.active.total(30) == 30


def test_a_run_behind_a_tag_limit_holds_no_other_back() -> None:
    tags = {"team": "docs"}
    arrivals = [run("a", 0, 10, tags=tags), run("b", 0, 4, tags=tags), run("c", 1, 3)]
    outcome = simulate(arrivals, Rules(tag_rules=(TagRule("team", 1),)))
    assert outcome.launched == {"a": 0, "c": 1, "b": 10}
    assert used(outcome)["team"] == (1, 14)


def test_a_run_of_many_slots_waits_for_as_many() -> None:
    arrivals = [
        run("a", 0, 10),
        run("b", 0, 4),
        run("wide", 1, 5, tags={SLOTS: "2"}),
        run("wider", 1, 5, tags={SLOTS: "3"}),
    ]
    outcome = simulate(arrivals, Rules(max_concurrent_runs=2))
    assert outcome.launched == {"a": 0, "b": 0, "wide": 10}
    assert used(outcome) == {"max_concurrent_runs": (2, 10 + 4 + 2 * 5)}
    assert outcome.queued.last == 1


@pytest.mark.parametrize("granularity", ["run", "op"])
def test_pools_hold_runs_back_at_both_granularities(granularity: Any) -> None:
    first, later = PoolNeeds({"db": 1}, {"db": 1}), PoolNeeds({"db": 1, "api": 1}, {"api": 1})
    arrivals = [run("a", 0, 10, pools=first), run("b", 1, 10, pools=first), run("c", 2, 10, pools=later)]
    outcome = simulate(arrivals, Rules(pools=PoolRules(granularity=granularity, limits={"db": 1})))
    assert outcome.launched == ({"a": 0, "b": 10, "c": 20} if granularity == "run" else {"a": 0, "c": 2, "b": 10})
    assert used(outcome)["pool db"] == (1, 30 if granularity == "run" else 20)


def test_rates_space_launches() -> None:
    arrivals = [run(str(n), 0, 1) for n in range(5)]
    outcome = simulate(arrivals, Rules(rates=(RateRule(key="runyard/job", limit=2, seconds=10),)))
    assert list(outcome.launched.values()) == [0, 0, 10, 10, 20]
    assert outcome.end == 21
    # Two launches count from 0 to 10, two from 10 to 20, one from 20 on.
    assert used(outcome)["2 of job in 10 s"] == (2, 41)


def test_a_fair_share_takes_turns_by_weight() -> None:
    arrivals = [run(f"a{n}", 0, 10, tags={"team": "a"}) for n in range(6)]
    arrivals += [run(f"b{n}", 0, 10, tags={"team": "b"}) for n in range(6)]
    outcome = simulate(arrivals, Rules(max_concurrent_runs=3, fair_share=FairShare(key="team", weights={"b": 2})))
    first = [run_id for run_id, at in outcome.launched.items() if at == 0]
    assert sorted(first) == ["a0", "b0", "b1"]


def test_a_pause_that_ends_lets_runs_go_then() -> None:
    paused = Pause(scope="queue", by="ops", since=0, until=7)
    outcome = simulate([run("a", 0, 1), run("b", 9, 1)], Rules(pauses=(paused,)))
    assert outcome.launched == {"a": 7, "b": 9}


@pytest.mark.parametrize(
    ("policy", "most", "launched", "refused", "canceled"),
    [
        ("allow", None, {"a": 0, "b": 1, "c": 2, "d": 20}, (), ()),
        ("skip", None, {"a": 0, "d": 20}, ("b", "c"), ()),
        ("queue_one", None, {"a": 0, "b": 10, "d": 20}, ("c",), ()),
        ("cancel_old", None, {"a": 0, "b": 1, "c": 2, "d": 20}, (), ("a", "b")),
    ],
)
def test_overlap_policies(
    policy: OverlapPolicy, most: int | None, launched: dict[str, float], refused: tuple[str], canceled: tuple[str]
) -> None:
    arrivals = [run("a", 0, 10), run("b", 1, 10), run("c", 2, 10), run("d", 20, 10), run("x", 0, 99, job_name="other")]
    outcome = simulate(arrivals, Rules(overlaps=(OverlapRule(job="job", policy=policy, max_queued=most),)))
    del outcome.launched["x"]
    assert (outcome.launched, outcome.refused, outcome.canceled) == (launched, refused, canceled)


def test_too_many_queued_of_a_job_are_refused() -> None:
    arrivals = [run(name, at, 10) for at, name in enumerate("abcd")]
    rules = Rules(max_concurrent_runs=1, overlaps=(OverlapRule(job="job", max_queued=1),))
    outcome = simulate(arrivals, rules)
    assert (outcome.launched, outcome.refused) == ({"a": 0, "b": 10}, ("c", "d"))


def test_what_is_there_at_the_start_holds_slots_and_waits() -> None:
    arrivals = [
        run("active", 10, 60, launched_at=50),
        run("over", 10, 30, launched_at=60),
        run("waiting", 20, 5),
        run("coming", 105, 5),
    ]
    outcome = simulate(arrivals, Rules(max_concurrent_runs=1), start=100)
    # ``over`` should have ended before the start: it does so at once.
    assert outcome.launched == {"waiting": 110, "coming": 115}
    assert outcome.queued.total(outcome.end) == (110 - 100) + (115 - 105)


def test_runs_of_no_duration_and_nothing_at_all() -> None:
    assert simulate([run("a", 5, 0), run("b", 5, 0)], Rules(max_concurrent_runs=1)).launched == {"a": 5, "b": 5}
    nothing = simulate([], Rules())
    assert (nothing.launched, nothing.end) == ({}, 0)


def test_progress_is_told() -> None:
    told: list[int] = []
    simulate([run(str(n), n, 1) for n in range(1200)], Rules(), progress=told.append)
    assert told == [500, 1000, 1200]
