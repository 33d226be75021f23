"""What people are told about a queued run, word by word."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from in_memory import NOW, active, explained, queued

from runyard.core.pools import PoolHolder, PoolNeeds
from runyard.core.queue import ActiveRun, Launch
from runyard.core.run import Run, RunStatus
from runyard.queue.explanation.entries import QueueEntry
from runyard.queue.explanation.reasons import (
    Holder,
    Line,
    Reason,
    Taken,
    fair_share,
    launchable,
    launcher_capacity,
    overlap,
    pool,
    rate_limit,
    run_slots,
    tag_limit,
)
from runyard.queue.explanation.state import Availability, QueueState
from runyard.queue.rules import FairShare, OverlapRule, Pause, PoolRules, RateRule, Rules, TagRule

DOCS = {"team": "docs"}
ONE_DOCS = Rules(max_concurrent_runs=10, tag_rules=(TagRule("team", 1, "docs"),))


def entries(runs: list[Run], holding: list[ActiveRun], rules: Rules, **changes: Any) -> dict[str, QueueEntry]:
    state = QueueState(now=NOW, rules=rules, active=tuple(holding), **changes)
    return {entry.run_id: entry for entry in explained(runs, state)}


def reasons(runs: list[Run], holding: list[ActiveRun], rules: Rules, **changes: Any) -> list[Reason]:
    found = entries(runs, holding, rules, **changes)
    return [found[run.run_id].reason for run in runs]


def told(runs: list[Run], holding: list[ActiveRun], rules: Rules, **changes: Any) -> list[tuple[str, str]]:
    return [(reason.kind, reason.message) for reason in reasons(runs, holding, rules, **changes)]


def test_a_tag_limit_names_its_holder_and_who_is_ahead() -> None:
    holder = active("7c41e09a-1111", ONE_DOCS, DOCS)
    first, second, third = reasons([queued(1, DOCS), queued(2, DOCS), queued(3, DOCS)], [holder], ONE_DOCS)
    assert first == Reason(
        kind="tag_limit",
        message="team=docs 1 of 1, held by 7c41e09a job",
        rule="team=docs",
        limit=1,
        used=1,
        holders=("7c41e09a-1111",),
        holder_details=(Holder(run_id="7c41e09a-1111", job_name="job", since=NOW - 30),),
    )
    assert second.message == "team=docs 1 of 1, held by 7c41e09a, then 1 run ahead"
    assert third.message == "team=docs 1 of 1, held by 7c41e09a, then 2 runs ahead"


def test_each_form_of_a_rule_has_its_name() -> None:
    for rule, name in (
        (TagRule("team", 1), "team"),
        (TagRule("team", 1, "docs"), "team=docs"),
        (TagRule("team", 1, per_unique_value=True), "team=docs"),
    ):
        rules = Rules(tag_rules=(rule,))
        (reason,) = reasons([queued(1, DOCS)], [active("x", rules, DOCS)], rules)
        assert reason.rule == name


def test_many_holders_are_cut_in_words_and_whole_in_the_list() -> None:
    rules = Rules(max_concurrent_runs=-1, tag_rules=(TagRule("team", 5),))
    (reason,) = reasons([queued(1, DOCS)], [active(f"holder-{n}", rules, DOCS) for n in range(5)], rules)
    assert reason.message == "team 5 of 5, held by holder-0, holder-1, holder-2 and 2 more"
    assert len(reason.holders) == 5


def test_run_slots_say_who_is_next_and_who_is_behind() -> None:
    rules = Rules(max_concurrent_runs=10, tag_rules=ONE_DOCS.tag_rules)
    holding = [active(f"run-{number}", rules, DOCS if number == 0 else None) for number in range(10)]
    assert told([queued(1), queued(2, DOCS), queued(3), queued(4)], holding, rules) == [
        ("next", "Next. All 10 run slots in use; starts when one ends"),
        ("tag_limit", "team=docs 1 of 1, held by run-0 job"),
        ("max_concurrent_runs", "Behind 1 run in order; all 10 run slots in use"),
        ("max_concurrent_runs", "Behind 2 runs in order; all 10 run slots in use"),
    ]


def test_one_run_slot() -> None:
    rules = Rules(max_concurrent_runs=1)
    assert told([queued(1), queued(2)], [active("x", rules)], rules) == [
        ("next", "Next. The only run slot is in use; starts when one ends"),
        ("max_concurrent_runs", "Behind 1 run in order; the only run slot is in use"),
    ]


def test_runs_that_start_now_and_what_they_leave_to_the_others() -> None:
    rules = Rules(max_concurrent_runs=2, tag_rules=(TagRule("team", 1),))
    assert told([queued(1, DOCS), queued(2, DOCS), queued(3), queued(4)], [], rules) == [
        ("next", "Next. Starts at once"),
        ("tag_limit", "team 0 of 1, then 1 run ahead"),
        ("next", "Starts at once, after 1 run"),
        ("max_concurrent_runs", "Behind 2 runs in order; 0 of 2 run slots in use"),
    ]


def test_a_limit_of_zero_says_so_plainly() -> None:
    none = Rules(max_concurrent_runs=0, tag_rules=(TagRule("team", 0),))
    assert told([queued(1)], [], none) == [
        ("max_concurrent_runs", "max_concurrent_runs is 0: nothing starts until it is raised")
    ]
    assert told([queued(1, DOCS)], [], Rules(tag_rules=(TagRule("team", 0),))) == [
        ("tag_limit", "team has limit 0: nothing of it starts until the limit is raised")
    ]


def test_a_held_run_names_who_and_why_and_has_no_position() -> None:
    run = queued(1, held=True, held_by="oncall", held_reason="partner asked to wait")
    found = entries([run, queued(2)], [], Rules())
    assert found["queued-1"].reason == Reason(
        kind="held", message="Held by oncall: “partner asked to wait”. Starts only when released", needs_action=True
    )
    assert (found["queued-1"].position, found["queued-1"].forecast_position) == (None, None)
    assert (found["queued-2"].position, found["queued-2"].forecast_position) == (1, 1)


def test_locations_that_cannot_launch() -> None:
    broken = {"here": Availability(why_closed="fails to load: ImportError: pyart")}
    assert told([queued(1)], [], Rules(), locations=broken) == [
        ("location_unavailable", "Location here fails to load: ImportError: pyart")
    ]
    resting = {"here": Availability(why_closed="could not be reached; tried again in 42 s", until=NOW + 42)}
    (reason,) = reasons([queued(1)], [], Rules(), locations=resting)
    assert reason.message == "Location here could not be reached; tried again in 42 s"
    assert (reason.until, reason.needs_action) == (NOW + 42, False)
    gone = Availability(why_closed="is not in the workspace")
    assert told([queued(1)], [], Rules(), elsewhere=gone) == [
        ("location_unavailable", "Location here is not in the workspace")
    ]


def test_a_busy_launcher() -> None:
    rules = Rules()
    holding = [active("x", rules, status=RunStatus.STARTING), active("y", rules)]
    assert told([queued(1), queued(2)], holding, rules, locations={"here": Availability(capacity=1)}) == [
        ("launcher_capacity", "Launcher of here is starting 1 run, as many as it takes at a time"),
        ("launcher_capacity", "Launcher of here is starting 1 run, as many as it takes at a time, then 1 run ahead"),
    ]


def test_the_limit_named_was_full_when_it_was_the_run_s_turn() -> None:
    """A run behind it takes the last place of the other limit only because this one cannot."""
    rules = Rules(tag_rules=(TagRule("team", 1),))
    holding = [active("x", rules, status=RunStatus.STARTING)]
    runs = [queued(1, DOCS), queued(2, DOCS, location_name="there")]
    assert told(runs, holding, rules, locations={"here": Availability(capacity=1)}) == [
        ("launcher_capacity", "Launcher of here is starting 1 run, as many as it takes at a time"),
        ("next", "Next. Starts at once"),
    ]


def test_with_no_daemon_only_what_a_limit_keeps_back_names_the_limit() -> None:
    nobody = ("no_queue_daemon", "No run queue daemon is alive; starts once one runs: runyard-daemon run")
    assert told([queued(1, DOCS), queued(2, DOCS)], [], ONE_DOCS, daemon_alive=False) == [
        nobody,
        ("tag_limit", "team=docs 0 of 1, then 1 run ahead"),
    ]
    one = Rules(max_concurrent_runs=1)
    assert told([queued(1)], [active("x", one)], one, daemon_alive=False) == [nobody]
    assert entries([queued(1)], [], one, daemon_alive=False)["queued-1"].estimated_start is None


def test_listed_by_forecast_then_position_then_held() -> None:
    rules = Rules(max_concurrent_runs=1, tag_rules=(TagRule("team", 1), TagRule("never", 0)))
    runs = [
        queued(1, held=True),
        queued(2, {"never": "1"}, priority=9),
        queued(3, DOCS),
        queued(4),
        queued(5, priority=5),
    ]
    found = entries(runs, [active("x", rules, DOCS)], rules)
    assert [(run_id, entry.position, entry.forecast_position) for run_id, entry in found.items()] == [
        ("queued-5", 2, 1),
        ("queued-3", 3, 2),
        ("queued-4", 4, 3),
        ("queued-2", 1, None),
        ("queued-1", None, None),
    ]
    assert found["queued-5"].waiting_seconds == 90.0


def test_estimates_come_from_the_durations_that_they_need() -> None:
    rules = Rules(max_concurrent_runs=2, tag_rules=(TagRule("team", 1),))
    holding = [
        active("x", rules, DOCS, since=NOW - 20, job_name="long"),
        active("y", rules, since=NOW - 10, job_name="short"),
    ]
    runs = [queued(1, DOCS, job_name="short"), queued(2, job_name="long"), queued(3, job_name="short")]
    found = entries(runs, holding, rules, durations={"long": 100.0, "short": 30.0})
    assert {run_id: entry.estimated_start for run_id, entry in found.items()} == {
        "queued-2": NOW + 20,
        "queued-1": NOW + 80,
        "queued-3": NOW + 110,
    }


def test_an_estimate_that_needs_an_unknown_duration_is_null() -> None:
    rules = Rules(max_concurrent_runs=2)
    holding = [active("x", rules, job_name="known", since=NOW - 5), active("y", rules, job_name="unknown")]
    runs = [queued(1, job_name="unknown"), queued(2, job_name="known"), queued(3)]
    found = entries(runs, holding, rules, durations={"known": 10.0})
    assert [entry.estimated_start for entry in found.values()] == [NOW + 5, None, None]
    assert [entry.forecast_position for entry in found.values()] == [1, 2, 3]


def test_runs_of_unknown_duration_are_taken_to_end_in_the_order_in_which_they_started() -> None:
    rules = Rules(max_concurrent_runs=2, tag_rules=(TagRule("team", 1),))
    holding = [active("late", rules, DOCS, since=NOW - 5), active("early", rules, since=NOW - 50)]
    assert list(entries([queued(1, DOCS), queued(2)], holding, rules)) == ["queued-2", "queued-1"]


def test_a_run_that_is_overdue_is_expected_to_end_now() -> None:
    rules = Rules(max_concurrent_runs=1)
    found = entries([queued(1)], [active("x", rules, since=NOW - 500)], rules, durations={"job": 60.0})
    assert found["queued-1"].estimated_start == NOW


def test_the_forecast_ends_after_a_thousand() -> None:
    rules = Rules(max_concurrent_runs=1)
    found = entries([queued(seq) for seq in range(1002)], [], rules, durations={"job": 1.0})
    assert found["queued-999"].forecast_position == 1000
    assert found["queued-999"].estimated_start == NOW + 999
    assert (found["queued-1000"].forecast_position, found["queued-1000"].position) == (None, 1001)


def test_a_pool_at_op_granularity_names_the_step_that_holds_it() -> None:
    rules = Rules(pools=PoolRules(limits={"gpu": 1}))
    run = queued(1, pools=PoolNeeds({"gpu": 1}, {"gpu": 1}))
    holder = PoolHolder("gpu", "48be9f0a-1", "blend_members", 1, 1, NOW - 720)
    (reason,) = reasons([run], [active("48be9f0a-1", rules, job_name="forecast_blend")], rules, holders=(holder,))
    assert (reason.kind, reason.rule, reason.limit, reason.used) == ("pool", "pool gpu", 1, 1)
    assert reason.message == "pool gpu 1 of 1, held by 48be9f0a forecast_blend \u203a blend_members"
    assert [(held.step_key, held.since) for held in reason.holder_details] == [("blend_members", NOW - 720)]


def test_a_run_that_begins_in_several_full_pools() -> None:
    rules = Rules(pools=PoolRules(limits={"gpu": 1, "db": 1}))
    run = queued(1, pools=PoolNeeds({"gpu": 1, "db": 1}, {"gpu": 1, "db": 1}))
    holders = (PoolHolder("gpu", "x", "one", 1, 1, NOW - 7), PoolHolder("db", "x", "two", 1, 1, NOW - 9))
    (reason,) = reasons([run], [active("x", rules)], rules, holders=holders)
    assert reason.message == "pool db 1 of 1, held by x job \u203a two, as are the other pools that it begins in"
    assert told([run], [active("x", rules)], rules, holders=holders[:1]) == [("next", "Next. Starts at once")]


def test_a_pool_at_run_granularity() -> None:
    rules = Rules(pools=PoolRules(limits={"db": 3}, granularity="run"))
    taking = PoolNeeds({"db": 2}, {})
    holding = [active("x", rules, pools=taking)]
    assert told([queued(1, pools=taking), queued(2, pools=PoolNeeds({"db": 1}))], holding, rules) == [
        ("pool", "pool db 2 of 3, held by x, needs 2, then 1 run ahead"),
        ("next", "Next. Starts at once"),
    ]


@pytest.mark.parametrize(
    ("scope", "name", "value", "subject"),
    [
        ("queue", "", "", "The queue"),
        ("tag", "team", "docs", "team=docs"),
        ("tag", "runyard/job", "job", "job=job"),
        ("pool", "db", "", "pool db"),
        ("location", "here", "", "location here"),
    ],
)
def test_a_pause_names_who_why_and_until_when(scope, name, value, subject) -> None:
    pause = Pause(scope=scope, name=name, value=value, by="ops", reason="disk full", since=NOW - 5, until=NOW + 3600)
    run = queued(1, DOCS, pools=PoolNeeds({"db": 1}))
    (reason,) = reasons([run], [], Rules(pauses=(pause,)))
    assert reason.message == f"{subject} is paused by ops until 03:46 UTC: “disk full”"
    assert (reason.kind, reason.until, reason.pause, reason.needs_action) == ("paused", NOW + 3600, pause, False)
    found = entries([run], [], Rules(pauses=(pause,)))
    assert found["queued-1"].estimated_start == NOW + 3600


def test_a_drain_without_an_end_needs_somebody() -> None:
    pause = Pause(scope="queue", by="ops", since=NOW - 5, drain=True)
    found = entries([queued(1)], [], Rules(pauses=(pause,)))["queued-1"]
    assert (found.reason.kind, found.reason.message) == ("draining", "The queue is drained by ops")
    assert (found.reason.needs_action, found.forecast_position) == (True, None)


def test_a_rate_says_when_the_next_launch_is_allowed() -> None:
    rules = Rules(rates=(RateRule(key="team", limit=2, seconds=60.0),))
    lanes = [active(f"x{n}", rules, DOCS).lane for n in range(2)]
    launches = (Launch("x0", lanes[0], NOW - 48), Launch("x1", lanes[1], NOW - 30))
    found = entries([queued(1, DOCS), queued(2, DOCS)], [], rules, launches=launches)
    first, second = found["queued-1"], found["queued-2"]
    assert first.reason.kind == "rate_limit"
    assert first.reason.message == "team launched 2 of 2 per 1 min, next launch allowed in 12 s"
    assert (first.reason.until, first.estimated_start) == (NOW + 12, NOW + 12)
    assert (second.reason.ahead, second.estimated_start) == (1, NOW + 30)


def test_a_rate_that_was_lowered_allows_the_next_launch_when_enough_count_no_more() -> None:
    rules = Rules(rates=(RateRule(key="team", limit=1, seconds=60.0),))
    lane = active("x", rules, DOCS).lane
    launches = tuple(Launch(f"x{n}", lane, NOW - 50 + 10 * n) for n in range(3))
    found = entries([queued(1, DOCS)], [], rules, launches=launches)["queued-1"]
    assert found.reason.message == "team launched 3 of 1 per 1 min, next launch allowed in 30 s"
    assert found.estimated_start == NOW + 30


def test_a_run_that_takes_more_than_a_limit_has_can_never_start() -> None:
    rules = Rules(max_concurrent_runs=2)
    found = entries([queued(1, {"runyard/slots": "3"}), queued(2)], [], rules)
    assert (found["queued-1"].reason.kind, found["queued-1"].forecast_position) == ("weight", None)
    assert found["queued-1"].reason.message == (
        "Takes 3 slots of max_concurrent_runs, whose limit is 2, and so cannot start. "
        "Raise the limit, or cancel the run and launch it with fewer"
    )
    assert found["queued-2"].reason.message == "Next. Starts at once"


def test_a_heavy_run_says_what_it_needs() -> None:
    rules = Rules(max_concurrent_runs=4)
    assert told([queued(1, {"runyard/slots": "3"})], [active("x", rules, {"runyard/slots": "2"})], rules) == [
        ("next", "Next. 2 of 4 run slots in use, needs 3; starts when one ends")
    ]


def test_an_overlap_policy_names_the_other_run() -> None:
    rules = Rules(overlaps=(OverlapRule(job="job", policy="queue_one"),))
    assert told([queued(1)], [active("7c41e09a-1", rules)], rules) == [
        ("overlap", "job job runs one at a time (overlap: queue_one), held by 7c41e09a job")
    ]


def test_a_share_that_is_used_up_lets_others_go_first() -> None:
    rules = Rules(max_concurrent_runs=2, fair_share=FairShare(key="team"))
    holding = [active("x", rules, {"team": "a"}), active("y", rules, {"team": "a"})]
    runs = [queued(1, {"team": "a"}), queued(2, {"team": "b"})]
    found = entries(runs, holding, rules, durations={"job": 100.0})
    assert found["queued-2"].reason.message.startswith("Next. All 2 run slots in use")
    assert (found["queued-1"].reason.kind, found["queued-1"].reason.message) == (
        "fair_share",
        "Fair share: team=a holds 2 slots for weight 1; 1 run with less goes first; all 2 run slots in use",
    )


def test_next_names_the_run_that_is_expected_to_end_first() -> None:
    rules = Rules(max_concurrent_runs=2)
    holding = [active("aa90f3c2-1", rules, since=NOW - 50), active("x", rules, since=NOW - 5)]
    assert told([queued(1)], holding, rules, durations={"job": 60.0}) == [
        ("next", "Next. All 2 run slots in use; starts when one ends, first aa90f3c2")
    ]


def test_a_low_priority_is_said_to_be_why() -> None:
    rules = Rules(max_concurrent_runs=1)
    found = told([queued(1, priority=-1), queued(2)], [active("x", rules)], rules)
    assert found[0] == ("max_concurrent_runs", "Priority -1: behind 1 run in order; the only run slot is in use")


TEAM = Taken(rule="team=docs", limit=2, used=2, holders=("a", "b"))
SLOTS = Taken(rule="max_concurrent_runs", limit=3, used=3)
RATE = RateRule(key="team", limit=5, seconds=60)


@pytest.mark.parametrize(
    ("make", "endings"),
    [
        (
            launchable,
            ("Next. Starts at once", "after 1 run", "after 2 runs", "up to 1 run comes first", "runs come first"),
        ),
        (
            lambda line: run_slots(SLOTS, line),
            ("starts when one ends", "Behind 1 run", "Behind 2 runs", "Behind up to 1 run", "Behind up to 2 runs"),
        ),
        (
            lambda line: fair_share(SLOTS, line, name="team=a", used=1, weight=1),
            ("others go first", "1 run with less goes", "2 runs with less go", "up to 1 run with", "up to 2 runs with"),
        ),
        *(
            (make, ("", "then 1 run ahead", "then 2 runs ahead", "then up to 1 run ahead", "then up to 2 runs ahead"))
            for make in (
                lambda line: tag_limit(TEAM, line),
                lambda line: pool(TEAM, line),
                lambda line: overlap(TEAM, line, policy="queue_one"),
                lambda line: rate_limit(TEAM, line, RATE, free_at=NOW + 12, now=NOW),
                lambda line: launcher_capacity(TEAM, line),
            )
        ),
    ],
)
def test_a_line_of_any_length_reads_well(make: Callable[[Line], Reason], endings: tuple[str, ...]) -> None:
    lines = [Line(), Line(1), Line(2), Line(1, is_most=True), Line(2, is_most=True)]
    for line, ending in zip(lines, endings, strict=True):
        message = make(line).message
        assert ending in message, message
        assert not re.search(r"\b0 runs?\b|\b1 runs\b|\b(\w+) \1\b|  |\.$", message), message
    assert make(Line(0, is_most=True)).message == make(Line()).message
