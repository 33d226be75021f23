"""What the panel of limits says."""

from __future__ import annotations

from typing import Any

from in_memory import NOW, active, laned, queued

from runyard.core.pools import PoolHolder, PoolNeeds
from runyard.core.queue import ActiveRun, AuditEntry, Launch
from runyard.core.run import Run
from runyard.queue.explanation.entries import LimitUse
from runyard.queue.explanation.limits_in_use import Waiting, changes_by_subject, limits_in_use
from runyard.queue.explanation.state import QueueState, admission_of
from runyard.queue.rules import FairShare, PoolRules, RateRule, Rules, TagRule

DOCS = {"team": "docs"}


def uses(
    rules: Rules,
    holding: list[ActiveRun],
    runs: list[Run],
    waiting: dict[str, Waiting] | None = None,
    changes: dict[str, AuditEntry] | None = None,
    **fields: Any,
) -> list[LimitUse]:
    state = QueueState(now=NOW, rules=rules, active=tuple(holding), **fields)
    lanes = [laned(run, rules).lane or "" for run in runs]
    return limits_in_use(admission_of(state), state, lanes, waiting or {}, waiting_is_all=True, changes=changes or {})


def short(use: LimitUse) -> tuple[str, str, float | None, float, tuple[str, ...]]:
    return (use.kind, use.rule, use.limit, use.used, use.holders)


def test_every_rule_is_there_and_of_each_value_those_that_are_seen() -> None:
    rules = Rules(
        max_concurrent_runs=2,
        tag_rules=(
            TagRule("team", 1, "docs"),
            TagRule("customer", 1, per_unique_value=True),
            TagRule("region", 3),
            TagRule("runyard/job", 4, "archive"),
        ),
    )
    holding = [active("x", rules, DOCS), active("y", rules, {"customer": "acme"})]
    found = uses(rules, holding, [queued(1, DOCS), queued(4, {"customer": "zoo"})])
    assert [short(use) for use in found] == [
        ("max_concurrent_runs", "max_concurrent_runs", 2, 2, ("x", "y")),
        ("tag_limit", "customer=acme", 1, 1, ("y",)),
        ("tag_limit", "customer=zoo", 1, 0, ()),
        ("tag_limit", "job=archive", 4, 0, ()),
        ("tag_limit", "region", 3, 0, ()),
        ("tag_limit", "team=docs", 1, 1, ("x",)),
    ]
    assert uses(Rules(max_concurrent_runs=-1), [], []) == []


def test_pools_also_those_that_nobody_uses() -> None:
    rules = Rules(max_concurrent_runs=-1, pools=PoolRules(limits={"gpu": 1, "db": 4}))
    holder = PoolHolder("gpu", "x", "train", 1, 1, NOW - 60)
    waiting = {"pool gpu": Waiting(3, NOW - 600)}
    found = uses(rules, [active("x", rules)], [], waiting, holders=(holder,), durations={"job": 100.0})
    assert [short(use) for use in found] == [("pool", "pool db", 4, 0, ()), ("pool", "pool gpu", 1, 1, ("x",))]
    gpu = found[1]
    assert (gpu.waiting, gpu.longest_wait, gpu.next_free) == (3, 600.0, NOW + 70)
    assert gpu.holder_details[0].step_key == "train"


def test_pools_at_run_granularity_count_runs() -> None:
    rules = Rules(max_concurrent_runs=-1, pools=PoolRules(default_limit=3, granularity="run"))
    found = uses(rules, [active("x", rules, pools=PoolNeeds({"db": 2}))], [])
    assert [short(use) for use in found] == [("pool", "pool db", 3, 2, ("x",))]


def test_rates_and_shares() -> None:
    rules = Rules(
        max_concurrent_runs=-1,
        rates=(RateRule(key="team", limit=1, seconds=60.0),),
        fair_share=FairShare(key="team", weights={"docs": 2.0}),
    )
    holder = active("x", rules, DOCS)
    found = uses(rules, [holder], [], launches=(Launch("x", holder.lane, NOW - 20),))
    assert [short(use) for use in found] == [
        ("rate_limit", "team", 1, 1, ("x",)),
        ("fair_share", "share of team=docs, weight 2", None, 1, ("x",)),
    ]
    assert found[0].next_free == NOW + 40


def test_who_set_a_limit_is_told() -> None:
    rules = Rules(max_concurrent_runs=2, tag_rules=(TagRule("customer", 1, per_unique_value=True),))

    def entry(entry_id: int, subject: str, action: str = "limit") -> AuditEntry:
        return AuditEntry(entry_id=entry_id, at=float(entry_id), by="ops", action=action, subject=subject, message="")

    audit = [entry(4, "customer=*"), entry(3, "customer=*"), entry(2, "queue", "pause"), entry(1, "pool db")]
    changes = changes_by_subject(audit, ["customer=*", "max_concurrent_runs"])
    found = uses(rules, [], [queued(1, {"customer": "acme"})], changes=changes)
    assert [(use.rule, use.changed_by, use.changed_at) for use in found] == [
        ("max_concurrent_runs", None, None),
        ("customer=acme", "ops", 4.0),
    ]
