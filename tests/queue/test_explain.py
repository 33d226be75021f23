"""What people are told about a queued run, word by word."""

from __future__ import annotations

from typing import Any

from runyard.core.queue import ActiveRun
from runyard.core.run import Run, RunStatus
from runyard.queue.explain import LimitUse, QueueEntry, explain, limits_in_use
from runyard.queue.lanes import lane_key
from runyard.queue.reasons import Reason
from runyard.queue.rules import Rules, TagRule

NOW = 10_000.0
DOCS = {"team": "docs"}
ONE_DOCS = Rules(max_concurrent_runs=10, tag_rules=(TagRule("team", 1, "docs"),))


def queued(seq: int, tags: dict[str, str] | None = None, **changes: Any) -> Run:
    fields: dict[str, Any] = {
        "run_id": f"queued-{seq}",
        "job_name": "job",
        "location_name": "here",
        "status": RunStatus.QUEUED,
        "tags": tags or {},
        "queue_seq": seq,
        "created_at": NOW - 100,
        "queued_at": NOW - 90,
    }
    return Run(**{**fields, **changes})


def active(
    run_id: str,
    rules: Rules,
    tags: dict[str, str] | None = None,
    *,
    since: float = NOW - 30,
    job: str = "job",
    status: RunStatus = RunStatus.STARTED,
) -> ActiveRun:
    lane = lane_key(rules.tracked_keys, location_name="here", job_name=job, tags=tags or {}, pools=())
    return ActiveRun(run_id, lane, status, since)


def entries(runs: list[Run], holding: list[ActiveRun], rules: Rules, **changes: Any) -> dict[str, QueueEntry]:
    asked: dict[str, Any] = {"capacity": {}, "paused": {}, "unavailable": {}, "daemon_alive": True, "now": NOW}
    return {entry.run_id: entry for entry in explain(runs, holding, rules, **{**asked, **changes})}


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
        message="team=docs 1 of 1, held by 7c41e09a",
        rule="team=docs",
        limit=1,
        used=1,
        holders=("7c41e09a-1111",),
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
    assert reason.message == "team 5 of 5, held by holder-0 holder-1 holder-2 and 2 more"
    assert len(reason.holders) == 5


def test_run_slots_say_who_is_next_and_who_is_behind() -> None:
    rules = Rules(max_concurrent_runs=10, tag_rules=ONE_DOCS.tag_rules)
    holding = [active(f"run-{number}", rules, DOCS if number == 0 else None) for number in range(10)]
    assert told([queued(1), queued(2, DOCS), queued(3), queued(4)], holding, rules) == [
        ("next", "Next. All 10 run slots in use; starts when one ends"),
        ("tag_limit", "team=docs 1 of 1, held by run-0"),
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
        kind="held", message="Held by oncall: “partner asked to wait”. Starts only when released"
    )
    assert (found["queued-1"].position, found["queued-1"].forecast_position) == (None, None)
    assert (found["queued-2"].position, found["queued-2"].forecast_position) == (1, 1)


def test_locations_that_cannot_launch() -> None:
    unavailable = {"here": "fails to load: ImportError: pyart"}
    assert told([queued(1)], [], Rules(), unavailable=unavailable) == [
        ("location_unavailable", "Location here fails to load: ImportError: pyart")
    ]
    assert told([queued(1)], [], Rules(), paused={"here": NOW + 41.5}) == [
        ("location_unavailable", "Location here could not be reached; tried again in 42 s")
    ]


def test_a_busy_launcher() -> None:
    rules = Rules()
    holding = [active("x", rules, status=RunStatus.STARTING), active("y", rules)]
    assert told([queued(1), queued(2)], holding, rules, capacity={"here": 1}) == [
        ("launcher_capacity", "Launcher of here is starting 1 of 1 runs at a time"),
        ("launcher_capacity", "Launcher of here is starting 1 of 1 runs at a time, then 1 run ahead"),
    ]


def test_the_limit_named_was_full_when_it_was_the_run_s_turn() -> None:
    """A run behind it takes the last place of the other limit only because this one cannot."""
    rules = Rules(tag_rules=(TagRule("team", 1),))
    holding = [active("x", rules, status=RunStatus.STARTING)]
    runs = [queued(1, DOCS), queued(2, DOCS, location_name="there")]
    assert told(runs, holding, rules, capacity={"here": 1}) == [
        ("launcher_capacity", "Launcher of here is starting 1 of 1 runs at a time"),
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
    holding = [active("x", rules, DOCS, since=NOW - 20, job="long"), active("y", rules, since=NOW - 10, job="short")]
    runs = [queued(1, DOCS, job_name="short"), queued(2, job_name="long"), queued(3, job_name="short")]
    found = entries(runs, holding, rules, durations={"long": 100.0, "short": 30.0})
    assert {run_id: entry.estimated_start for run_id, entry in found.items()} == {
        "queued-2": NOW + 20,
        "queued-1": NOW + 80,
        "queued-3": NOW + 110,
    }


def test_an_estimate_that_needs_an_unknown_duration_is_null() -> None:
    rules = Rules(max_concurrent_runs=2)
    holding = [active("x", rules, job="known", since=NOW - 5), active("y", rules, job="unknown")]
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


def test_limits_in_use_for_the_side_panel() -> None:
    rules = Rules(
        max_concurrent_runs=2,
        tag_rules=(TagRule("team", 1, "docs"), TagRule("customer", 1, per_unique_value=True), TagRule("region", 3)),
    )
    holding = [active("x", rules, DOCS), active("y", rules, {"customer": "acme"})]
    waiting = [queued(1, DOCS), queued(2), queued(3), queued(4, {"customer": "zoo"}), queued(5, DOCS, held=True)]
    assert limits_in_use(holding, waiting, rules) == [
        LimitUse(rule="max_concurrent_runs", limit=2, used=2, holders=("x", "y"), waiting=3),
        LimitUse(rule="team=docs", limit=1, used=1, holders=("x",), waiting=1),
        LimitUse(rule="region", limit=3, used=0, holders=(), waiting=0),
        LimitUse(rule="customer=acme", limit=1, used=1, holders=("y",), waiting=0),
        LimitUse(rule="customer=zoo", limit=1, used=0, holders=(), waiting=0),
    ]
    assert limits_in_use([], [], Rules(max_concurrent_runs=-1)) == []
