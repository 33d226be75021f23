"""What would start a run sooner."""

from __future__ import annotations

import pytest
from in_memory import NOW, active, explained, forecast_of, laned, queued

from runyard.core.run import Run
from runyard.queue.explanation.reasons import Holder
from runyard.queue.explanation.sooner import Place, Trial, raise_limit, told, trials
from runyard.queue.explanation.state import QueueState
from runyard.queue.rules import FairShare, PoolRules, Rules, TagRule

DOCS = {"team": "docs"}
RULES = Rules(max_concurrent_runs=4, tag_rules=(TagRule("team", 1, "docs"),))


def tried(run_id: str, runs: list[Run], state: QueueState) -> dict[str, Trial]:
    rows = [laned(run, state.rules) for run in runs]
    entry = next(entry for entry in explained(rows, state) if entry.run_id == run_id)
    run = next(row for row in rows if row.run_id == run_id)
    return {trial.title: trial for trial in trials(run, entry, forecast_of(rows, state), state)}


def test_priority_limit_and_cancel_are_tried() -> None:
    holder = active("7c41e09a-1", RULES, DOCS, since=NOW - 50)
    state = QueueState(now=NOW, rules=RULES, active=(holder,), durations={"job": 100.0})
    runs = [queued(1, DOCS, priority=5), queued(2, DOCS)]
    found = tried("queued-2", runs, state)
    assert list(found) == ["Priority 6", "team=docs limit 2", "Cancel 7c41e09a"]
    moved = found["Priority 6"].head
    assert moved is not None
    assert (moved.run_id, moved.priority) == ("queued-2", 6)
    raised = found["team=docs limit 2"]
    assert [rule.limit for rule in raised.state.rules.tag_rules] == [2]
    starts = forecast_of([laned(run, RULES) for run in runs], raised.state).starts
    assert [start.head.run_id for start in starts] == ["queued-1"]
    assert found["Cancel 7c41e09a"].state.active == ()


def test_nothing_is_tried_for_what_starts_now_or_never() -> None:
    state = QueueState(now=NOW, rules=Rules(tag_rules=(TagRule("team", 0),)))
    assert tried("queued-1", [queued(1)], state) == {}
    assert tried("queued-1", [queued(1, DOCS)], state) == {}


def test_what_a_trial_comes_to() -> None:
    holder = active("x", RULES, DOCS, since=NOW - 40)
    state = QueueState(now=NOW, rules=RULES, active=(holder,), durations={"job": 100.0})
    (entry,) = explained([queued(1, DOCS)], state)
    assert entry.estimated_start == NOW + 60
    before = Place(1, NOW + 60, 1)
    now = told(None, before, before, NOW)
    assert (now.kind, now.title, now.message, now.saves) == ("now", "Now", "position 1", None)
    sooner = told(Trial(title="Priority 1", state=state, priority=1), Place(1, NOW, 0), before, NOW)
    assert (sooner.kind, sooner.message, sooner.saves, sooner.priority) == (
        "priority",
        "starts at once, 1 min sooner",
        60.0,
        1,
    )
    same = told(Trial(title="t", state=state, rule="team=docs", limit=2), before, before, NOW)
    assert (same.kind, same.message) == ("limit", "position 1, no sooner")
    canceled = Holder(run_id="x", job_name="daily", since=NOW - 40)
    loses = told(Trial(title="Cancel x", state=state, canceled=canceled), None, before, NOW)
    assert (loses.kind, loses.message, loses.run_id) == ("cancel", "not foreseeable; daily loses 40 s of work", "x")


def test_without_durations_the_order_says_what_is_sooner() -> None:
    """Two run slots, both taken by jobs that never ended before; four runs wait."""
    rules = Rules(max_concurrent_runs=2)
    held = tuple(active(f"h{n}-aaaaaaa", rules, since=NOW - 40 + n) for n in range(2))
    state = QueueState(now=NOW, rules=rules, active=held)
    runs = [queued(number) for number in range(1, 5)]
    rows = [laned(run, rules) for run in runs]

    def messages(run_id: str) -> dict[str, str]:
        forecast = forecast_of(rows, state)
        before = Place.of(forecast, run_id)
        assert before is not None
        found = {"Now": told(None, before, before, NOW).message}
        for title, trial in tried(run_id, runs, state).items():
            moved = [row for row in rows if row.run_id != run_id]
            changed = [*moved, laned(queued(int(run_id[-1]), priority=trial.priority or 0), rules)]
            found[title] = told(trial, Place.of(forecast_of(changed, trial.state), run_id), before, NOW).message
        return found

    assert messages("queued-1") == {
        "Now": "position 1, once 1 run has ended",
        "max_concurrent_runs limit 3": "starts at once",
        "Cancel h0-aaaaa": "starts at once; job loses 40 s of work",
    }
    assert messages("queued-3") == {
        "Now": "position 3, once 3 runs have ended",
        "Priority 1": "position 1, once 1 run has ended (now: position 3, once 3 runs have ended)",
        "max_concurrent_runs limit 3": ("position 3, once 2 runs have ended (now: position 3, once 3 runs have ended)"),
        "Cancel h0-aaaaa": (
            "position 3, once 2 runs have ended (now: position 3, once 3 runs have ended); job loses 40 s of work"
        ),
    }


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("max_concurrent_runs", Rules(max_concurrent_runs=3)),
        ("team", Rules(max_concurrent_runs=2, tag_rules=(TagRule("team", 1),))),
        ("pool db", Rules(max_concurrent_runs=2, pools=PoolRules(limits={"db": 1}))),
        ("launcher of here", None),
    ],
)
def test_raising_a_limit(rule: str, changed: Rules | None) -> None:
    rules = Rules(max_concurrent_runs=2, tag_rules=(TagRule("team", 0),), pools=PoolRules(limits={"db": 0}))
    raised = raise_limit(rules, rule)
    if changed is None:
        assert raised is None
        return
    assert raised is not None
    assert raised.max_concurrent_runs == changed.max_concurrent_runs
    assert raised.tag_rules == (changed.tag_rules or rules.tag_rules)
    assert raised.pools == (changed.pools if rule.startswith("pool") else rules.pools)


def test_each_value_of_a_key_is_raised_together() -> None:
    rules = Rules(tag_rules=(TagRule("runyard/job", 1, per_unique_value=True),), fair_share=FairShare(key="x"))
    raised = raise_limit(rules, "job=archive")
    assert raised is not None
    assert raised.tag_rules[0].limit == 2
    assert raise_limit(Rules(max_concurrent_runs=-1), "max_concurrent_runs") is None
