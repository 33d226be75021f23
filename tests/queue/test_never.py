"""Runs that could wait for ever are found, and no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.core.errors import NeverAdmissible
from runyard.core.pools import PoolNeeds
from runyard.queue.never import Need, check_admissible, never_admissible
from runyard.queue.rules import JOB, PoolRules, Rules, TagRule


def need(rules: Rules, *, weight: int = 1, tags: dict[str, str] | None = None, **pools: int) -> Need | None:
    needs = PoolNeeds(all=pools)
    return never_admissible(rules, location_name="yard", job_name="etl", tags=tags or {}, pools=needs, weight=weight)


def test_each_kind_of_limit_is_named() -> None:
    docs = {"team": "docs"}
    assert need(Rules(max_concurrent_runs=4), weight=5) == Need(5, "max_concurrent_runs", 4)
    one_value = Rules(tag_rules=(TagRule(key="team", value="docs", limit=2),))
    assert need(one_value, weight=3, tags=docs) == Need(3, "team=docs", 2)
    assert need(one_value, weight=3, tags={"team": "web"}) is None
    each = Rules(tag_rules=(TagRule(key="team", limit=2, per_unique_value=True),))
    assert need(each, weight=3, tags=docs) == Need(3, "team=docs", 2)
    together = Rules(tag_rules=(TagRule(key="team", limit=2),))
    assert need(together, weight=3, tags=docs) == Need(3, "team", 2)
    assert need(Rules(tag_rules=(TagRule(key=JOB, value="etl", limit=2),)), weight=3) == Need(3, "job etl", 2)
    pools = PoolRules(limits={"db": 2}, default_limit=5)
    assert need(Rules(pools=pools), db=3) == Need(3, "pool db", 2, of_step=True)
    assert need(Rules(pools=pools), other=5) is None
    assert need(Rules(pools=PoolRules()), other=1000) is None


def test_what_is_refused_says_what_would_do() -> None:
    with pytest.raises(NeverAdmissible, match=r"A step of 'etl' takes 3 slots of pool db, whose limit is 2: it could"):
        check_admissible(
            Rules(pools=PoolRules(limits={"db": 2})),
            location_name="yard",
            job_name="etl",
            tags={},
            pools=PoolNeeds(all={"db": 3}),
            weight=1,
        )


@given(st.integers(-1, 5), st.integers(0, 5), st.integers(0, 5), st.integers(1, 6), st.integers(1, 6))
def test_a_run_is_refused_exactly_when_some_limit_is_too_low(
    runs: int, tagged: int, pool: int, weight: int, slots: int
) -> None:
    rules = Rules(
        max_concurrent_runs=runs,
        tag_rules=(TagRule(key="team", limit=tagged),),
        pools=PoolRules(limits={"db": pool}),
    )
    # A limit of 0 is there to be raised: only more than one slot is too much for it.
    too_much = (runs != -1 and weight > max(runs, 1)) or weight > max(tagged, 1) or slots > max(pool, 1)
    assert (need(rules, weight=weight, tags={"team": "x"}, db=slots) is not None) == too_much
