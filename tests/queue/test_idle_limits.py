"""Limits that can match nothing are found, with the nearest thing in use; those that may match are left alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.queue.idle_limits import IdleLimit, NamesInUse, idle_limits, tags_asked, unused_tag
from runyard.queue.rules import JOB, LOCATION, FairShare, OverlapRule, PoolRules, RateRule, Rules, TagRule

NAMES = NamesInUse(
    jobs={"yard": frozenset({"etl", "report"}), "shop": frozenset({"sell"})},
    pools=frozenset({"db"}),
    tags={"team": frozenset({"docs", "web"}), "t=1": frozenset({"x"}), "dagster/schedule_name": frozenset({"daily"})},
    op_tags=frozenset({"dagster/concurrency_key", "layer"}),
)


def found(names: NamesInUse = NAMES, **rules: Any) -> list[IdleLimit]:
    return idle_limits(Rules(**rules), names)


def only(**rules: Any) -> IdleLimit:
    (idle,) = found(**rules)
    return idle


@pytest.mark.parametrize(
    ("rule", "name", "message"),
    [
        (
            TagRule("teem", 1),
            "teem",
            "Limit teem counts no run: no definition and no run has the tag 'teem'. Did you mean 'team'?",
        ),
        (
            TagRule("team", 1, "dogs"),
            "team=dogs",
            "Limit team=dogs counts no run: no definition and no run has team=dogs. Did you mean 'team=docs'?",
        ),
        (
            TagRule("dagster/concurrency_key", 1, per_unique_value=True),
            "dagster/concurrency_key=*",
            "'dagster/concurrency_key' is a tag of ops, and runs do not have it. Such ops are in a pool: limit that.",
        ),
        (
            TagRule("layer", 1, "gold"),
            "layer=gold",
            "Limit layer=gold counts no run: 'layer' is a tag of ops, and runs do not have it.",
        ),
        (
            TagRule(JOB, 1, "reprot"),
            "runyard/job=reprot",
            "Limit job=reprot counts no run: no code location has a job 'reprot'. Did you mean 'report'?",
        ),
        (
            TagRule(LOCATION, 1, "yarn"),
            "runyard/location=yarn",
            "Limit location=yarn counts no run: there is no code location 'yarn'. Did you mean 'yard'?",
        ),
        (
            TagRule("t", 1, "1=x"),
            "t=1=x",
            "Limit t=1=x counts no run: no definition and no run has the tag 't'. Did you mean 't\\=1=x'?",
        ),
        (
            TagRule("dagster/schedule_name", 1, "dayly"),
            "dagster/schedule_name=dayly",
            "no run has dagster/schedule_name=dayly. Did you mean 'dagster/schedule_name=daily'?",
        ),
    ],
)
def test_a_rule_that_matches_nothing_is_said_with_the_nearest(rule: TagRule, name: str, message: str) -> None:
    idle = only(tag_rules=(rule,))
    assert (idle.kind, idle.name) == ("tag_limit", name)
    assert idle.message.endswith(message)
    assert idle.message.startswith(f"Limit {idle.rule} counts no run: ")


@pytest.mark.parametrize(
    "rules",
    [
        {"tag_rules": (TagRule("team", 1), TagRule("team", 1, per_unique_value=True), TagRule("team", 1, "web"))},
        {"tag_rules": (TagRule("t=1", 1, "x"), TagRule("dagster/schedule_name", 1))},
        {"tag_rules": (TagRule(JOB, 1, "sell"), TagRule(JOB, 1, per_unique_value=True), TagRule(LOCATION, 1, "shop"))},
        {"rates": (RateRule(key="team", limit=1, seconds=5), RateRule(key=JOB, value="etl", limit=1, seconds=5))},
        {"fair_share": FairShare(key=JOB, weights={"etl": 2.0})},
        {"fair_share": FairShare(key="team", weights={"docs": 2.0})},
        {"overlaps": (OverlapRule(job="etl"), OverlapRule(job="sell", location="shop"))},
        {"pools": PoolRules(default_limit=4, limits={"db": 2})},
    ],
)
def test_what_matches_is_not_said(rules: dict[str, Any]) -> None:
    assert found(**rules) == []


@pytest.mark.parametrize(
    ("rules", "kind", "rule", "says"),
    [
        (
            {"rates": (RateRule(key="teem", limit=1, seconds=5),)},
            "rate_limit",
            "teem",
            "Launch rate teem counts no run",
        ),
        (
            {"rates": (RateRule(key=JOB, value="etll", limit=1, seconds=5),)},
            "rate_limit",
            "job=etll",
            "no code location has a job 'etll'. Did you mean 'etl'?",
        ),
        (
            {"fair_share": FairShare(key="teem")},
            "fair_share",
            "teem",
            "Fair share by teem has no effect: no definition",
        ),
        (
            {"fair_share": FairShare(key="team", weights={"docs": 2.0, "wep": 1.0})},
            "fair_share",
            "team=wep",
            "The weight of team=wep has no effect: no definition and no run has team=wep. Did you mean 'team=web'?",
        ),
        ({"overlaps": (OverlapRule(job="nope"),)}, "overlap", "job nope", "no code location has a job 'nope'."),
        (
            {"overlaps": (OverlapRule(job="etl", location="shop"),)},
            "overlap",
            "job etl",
            "Overlap policy of job etl has no effect: 'shop' has no job 'etl'.",
        ),
        (
            {"overlaps": (OverlapRule(job="etl", location="shoop"),)},
            "overlap",
            "job etl",
            "there is no code location 'shoop'. Did you mean 'shop'?",
        ),
        (
            {"pools": PoolRules(limits={"dbb": 2, "db": 1})},
            "pool",
            "pool dbb",
            "Limit of pool dbb holds no step back: no op is in a pool 'dbb'. Did you mean 'db'?",
        ),
    ],
)
def test_every_other_kind_of_limit_is_looked_at_too(rules: dict[str, Any], kind: str, rule: str, says: str) -> None:
    idle = only(**rules)
    assert (idle.kind, idle.rule) == (kind, rule)
    assert says in idle.message


def test_a_location_that_has_not_loaded_is_named_because_it_may_have_it() -> None:
    names = NamesInUse(jobs=NAMES.jobs, unloaded=("late",), tags=NAMES.tags)
    (idle,) = found(names, tag_rules=(TagRule(JOB, 1, "nope"),))
    assert idle.message.endswith("has a job 'nope'. Code location late has not loaded and may.")
    assert (
        found(names, tag_rules=(TagRule(LOCATION, 1, "late"),), overlaps=(OverlapRule(job="x", location="late"),)) == []
    )


def test_nothing_is_said_while_nothing_is_known() -> None:
    rules = {"tag_rules": (TagRule("teem", 1),), "pools": PoolRules(limits={"dbb": 2})}
    assert found(NamesInUse(), **rules) == []
    assert found(NamesInUse(unloaded=("yard",)), **rules) == []


_KEYS = st.sampled_from(["team", "teem", "layer", "t=1", JOB, LOCATION])
_VALUES = st.none() | st.sampled_from(["docs", "x", "etl", "yard", "nope"])


@given(st.lists(st.builds(TagRule, _KEYS, st.just(1), _VALUES), max_size=5), st.data())
def test_a_rule_is_idle_exactly_when_no_run_could_have_its_tag(rules: list[TagRule], data: st.DataObject) -> None:
    """Against every run that the names allow."""
    runs = [
        {JOB: job, LOCATION: location, **dict(tags)}
        for location, jobs in NAMES.jobs.items()
        for job in jobs
        for tags in [[(key, value)] for key, values in NAMES.tags.items() for value in values]
    ]
    idle = {limit.name for limit in idle_limits(Rules(tag_rules=tuple(rules)), NAMES)}
    for rule in rules:
        matches = any(rule.key in run and rule.value in (None, run[rule.key]) for run in runs)
        message = unused_tag(rule.key, rule.value, NAMES)
        assert (message is None) == matches
    assert (not idle) == all(unused_tag(rule.key, rule.value, NAMES) is None for rule in rules)


def test_what_is_to_be_looked_up_among_runs() -> None:
    rules = Rules(
        tag_rules=(TagRule("team", 1, "docs"), TagRule(JOB, 1, "etl")),
        rates=(RateRule(key="api", limit=1, seconds=5),),
        fair_share=FairShare(key="customer"),
    )
    assert tags_asked(rules) == {("team", "docs"), ("api", None), ("customer", None)}
