"""Random rules, of every kind or of one kind mostly, and random runs that come under them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from queue_oracle import OracleRun

from runyard.queue.rules import JOB, LOCATION, FairShare, OverlapRule, Pause, PoolRules, RateRule, Rules, TagRule

#: A run but for the number at which it comes.
NewRun = Callable[[int], OracleRun]

KEYS = ("team", "customer", "region")
VALUES = ("a", "b", "c")
LOCATIONS = ("north", "south")
JOBS = ("one", "two")
POOLS = ("db", "api")

keys = st.sampled_from((*KEYS, JOB, LOCATION))
values = st.sampled_from((*VALUES, "one", "north"))
#: One value, all together, each on its own.
forms = st.one_of(
    st.fixed_dictionaries({"value": values}), st.just({}), st.just({"per_unique_value": True}), st.just({})
)
tag_rules = st.builds(lambda key, limit, form: TagRule(key, limit, **form), keys, st.integers(0, 4), forms)
rates = st.builds(
    lambda key, limit, seconds, form: RateRule(key=key, limit=limit, seconds=seconds, **form),
    keys,
    st.integers(0, 3),
    st.sampled_from([2.0, 5.0, 12.5]),
    forms,
)
pools = st.builds(
    PoolRules,
    default_limit=st.none() | st.integers(0, 2),
    granularity=st.sampled_from(["op", "run"]),
    run_buffer=st.sampled_from([0, 0, 1]),
    block_queue=st.sampled_from([True, True, True, False]),
    limits=st.dictionaries(st.sampled_from(POOLS), st.integers(0, 4)),
)
overlaps = st.builds(
    OverlapRule,
    job=st.sampled_from(JOBS),
    location=st.none() | st.sampled_from(LOCATIONS),
    policy=st.sampled_from(["allow", "skip", "queue_one", "cancel_old"]),
)
shares = st.builds(
    FairShare,
    key=keys,
    weights=st.dictionaries(values, st.sampled_from([0.5, 2.0, 3.0])),
    default_weight=st.sampled_from([1.0, 2.0]),
)


@st.composite
def pauses(draw: st.DrawFn) -> Pause:
    scope = draw(st.sampled_from(["queue", "tag", "tag", "pool", "location"]))
    names = {"queue": st.just(""), "tag": keys, "pool": st.sampled_from(POOLS), "location": st.sampled_from(LOCATIONS)}
    return Pause(
        scope=scope,
        name=draw(names[scope]),
        value=draw(values) if scope == "tag" else "",
        by="ops",
        since=0.0,
        until=draw(st.sampled_from([None, 1.0, 3.0, 7.5, 20.0, 60.0])),
    )


def few(of: st.SearchStrategy, most: int) -> st.SearchStrategy:
    """Mostly none, so that runs get through."""
    return st.just(()) | st.lists(of, max_size=most).map(tuple)


everything = st.builds(
    Rules,
    max_concurrent_runs=st.sampled_from([-1, -1, 0, 1, 2, 3, 5, 8]),
    tag_rules=few(tag_rules, 4),
    pools=st.just(PoolRules()) | pools,
    rates=few(rates, 2),
    fair_share=st.none() | shares,
    overlaps=few(overlaps, 2),
    pauses=few(st.one_of(pauses()), 2).map(lambda found: tuple({one.subject: one for one in found}.values())),
)
#: Of one kind mostly, so that others do not hold back what it would.
by_shares = st.builds(Rules, max_concurrent_runs=st.integers(1, 5), fair_share=shares, tag_rules=few(tag_rules, 1))
op_pools = st.builds(PoolRules, default_limit=st.integers(1, 2), run_buffer=st.sampled_from([0, 0, 1]))
by_pools = st.builds(Rules, max_concurrent_runs=st.just(-1), pools=op_pools | pools)
by_rates = st.builds(Rules, max_concurrent_runs=st.just(-1), rates=st.lists(rates, min_size=1, max_size=3).map(tuple))
by_tags = st.builds(Rules, max_concurrent_runs=st.integers(3, 9), tag_rules=st.lists(tag_rules, max_size=3).map(tuple))
themes = st.sampled_from([everything, by_shares, by_shares, by_pools, by_pools, by_rates, by_tags])
rule_sets = themes.flatmap(lambda theme: theme)

all_tags = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))
needs = st.dictionaries(st.sampled_from(POOLS), st.integers(1, 2))
roots = st.sampled_from([{}, {}, {"db": 1}, {"db": 1}, {"db": 2, "api": 1}, {"api": 1}])


_untagged: st.SearchStrategy[dict[str, str]] = st.just({})
_no_pools: st.SearchStrategy[dict[str, int]] = st.just({})
_priorities = st.sampled_from([0, 0, 0, -1, 1, 2])
_north = st.just("north")
_one = st.just("one")
_single = st.just(1)


def runs_of(
    *,
    tags: st.SearchStrategy[dict[str, str]] = _untagged,
    priority: st.SearchStrategy[int] = _priorities,
    location: st.SearchStrategy[str] = _north,
    job: st.SearchStrategy[str] = _one,
    weight: st.SearchStrategy[int] = _single,
    pools: st.SearchStrategy[dict[str, int]] = _no_pools,
    roots: st.SearchStrategy[dict[str, int]] = _no_pools,
) -> st.SearchStrategy[NewRun]:
    """Runs that differ in what is said, and in priority."""

    def made(pools: dict[str, int], roots: dict[str, int], tags: dict[str, str], **fields: Any) -> NewRun:
        needs = {**roots, **pools}
        return lambda seq: OracleRun(f"run-{seq}", seq=seq, tags=dict(tags), pools=needs, roots=roots, **fields)

    return st.builds(
        made,
        pools=pools,
        roots=roots,
        tags=tags,
        priority=priority,
        location=location,
        job=job,
        weight=weight,
    )


new_runs = runs_of(
    tags=all_tags,
    location=st.sampled_from(LOCATIONS),
    job=st.sampled_from(JOBS),
    weight=st.sampled_from([1, 1, 1, 2, 3]),
    pools=st.just({}) | needs,
    roots=roots,
)
