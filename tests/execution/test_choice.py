"""Which of the ready steps begin: within places, tag limits and slots, by rank."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

import runyard as dg
from runyard.definitions.config.executor_config import ExecutorSettings, TagLimit
from runyard.definitions.steps import Step
from runyard.execution.executors.choice import PATIENCE, Claims, choose


def step(key, pool=None, tags=None):
    def body():
        pass

    return Step(key, dg.op(name=key, pool=pool)(body), {}, tags or {}, None)


def moves(ready, running=(), claims=None, places=2, limits=(), now=0.0):
    chosen = choose(ready, running, claims, ExecutorSettings(True, places, tuple(limits)), now)
    return chosen.withdraw, [s.key for s in chosen.claim], [s.key for s in chosen.begin]


def claims(asked=None, granted=()):
    return Claims(asked or {}, set(granted))


A, B, C = step("a", "db"), step("b"), step("c")


def test_free_places_are_filled_by_rank():
    assert moves([C, B, A], places=2) == ([], [], ["c", "b"])
    assert moves([C, B], running=[A], places=2) == ([], [], ["c"])
    assert moves([C], running=[A, B], places=2) == ([], [], [])


def test_a_step_in_a_pool_keeps_a_place_for_a_moment_and_then_no_longer():
    assert moves([A, B], claims=claims(), places=1) == ([], ["a"], [])
    assert moves([A, B], claims=claims({"a": 0.0}), places=1, now=PATIENCE / 2) == ([], [], [])
    assert moves([A, B], claims=claims(granted="a"), places=1, now=PATIENCE / 2) == ([], [], ["a"])
    assert moves([A, B], claims=claims({"a": 0.0}), places=1, now=PATIENCE) == ([], [], ["b"])
    assert moves([A, B, C], claims=claims({"a": 0.0}), places=2, now=PATIENCE / 2) == ([], [], ["b"])


def test_what_ranks_higher_than_the_claim_does_not_wait_for_it():
    assert moves([B, A], claims=claims(), places=1) == ([], [], ["b"])


def test_who_waits_stays_in_line_while_every_place_is_taken():
    assert moves([A], running=[B, C], claims=claims({"a": 0.0}), places=2, now=9) == ([], [], [])


def test_who_holds_slots_begins_before_all_others():
    assert moves([B, A], claims=claims(granted="a"), places=1) == ([], [], ["a"])


def test_slots_are_asked_for_only_where_there_is_a_place_for_the_step():
    other = step("q", "other")
    assert moves([A, other], claims=claims(), places=1) == ([], ["a"], [])
    assert moves([A, other], claims=claims({"a": 0.0}), places=1, now=PATIENCE) == ([], ["q"], [])
    assert moves([A], running=[B, C], claims=claims(), places=2) == ([], [], [])


def test_no_line_of_a_pool_is_longer_than_there_are_places():
    many = [step(f"p{i}", "db") for i in range(5)]
    assert moves(many, claims=claims({"p0": 0.0, "p1": 0.0}), places=2, now=9) == ([], [], [])
    assert moves(many, claims=claims({"p0": 0.0, "p1": 0.0}), places=3, now=9) == ([], ["p2"], [])


def test_a_claim_gives_way_to_one_of_a_higher_rank_in_the_same_pool():
    first, second = step("first", "db"), step("second", "db")
    assert moves([first, second], claims=claims({"second": 0.0}), places=1, now=9) == (["second"], ["first"], [])
    assert moves([first, second], claims=claims({"second": 0.0}), places=2, now=9) == ([], ["first"], [])


def test_slots_of_a_step_that_is_not_ready_any_more_are_given_back():
    assert moves([B], claims=claims({"x": 0.0}, ["y"]), now=9) == (["x", "y"], [], ["b"])


def test_a_limit_that_is_written_twice_counts_once():
    twice = [TagLimit("c", 2)] * 2
    assert moves([step("r", None, {"c": "x"}), step("s", None, {"c": "x"})], limits=twice)[2] == ["r", "s"]


def test_tag_limits_hold_for_a_value_any_value_or_each_value():
    red, red2, blue = step("r", None, {"c": "red"}), step("r2", None, {"c": "red"}), step("b", None, {"c": "blue"})
    ready = [red, red2, blue]
    assert moves(ready, places=9, limits=[TagLimit("c", 1, "red")])[2] == ["r", "b"]
    assert moves(ready, places=9, limits=[TagLimit("c", 2)])[2] == ["r", "r2"]
    assert moves(ready, places=9, limits=[TagLimit("c", 1, per_value=True)])[2] == ["r", "b"]
    assert moves([blue, red2], [red], places=9, limits=[TagLimit("c", 1, per_value=True)])[2] == ["b"]


@st.composite
def situations(draw):
    tags = st.dictionaries(st.sampled_from(["c", "d"]), st.sampled_from(["x", "y"]))
    pools = st.sampled_from([None, "p", "q"])
    steps = [step(f"s{i}", draw(pools), draw(tags)) for i in range(draw(st.integers(0, 9)))]
    cut = draw(st.integers(0, len(steps)))
    limit = st.builds(
        TagLimit,
        st.sampled_from(["c", "d"]),
        st.integers(1, 3),
        st.none() | st.sampled_from(["x", "y"]),
        st.booleans(),
    ).filter(lambda one: not (one.per_value and one.value))
    pooled = [s.key for s in steps[cut:] if s.op.pool]
    holding = st.dictionaries(st.sampled_from(pooled), st.floats(0, 1)) if pooled else st.just({})
    asked, granted = draw(holding), set(draw(holding))
    return (
        steps[:cut],
        steps[cut:],
        draw(st.none() | st.just(Claims({k: at for k, at in asked.items() if k not in granted}, granted))),
        ExecutorSettings(True, draw(st.integers(1, 5)) + cut, tuple(draw(st.lists(limit, max_size=3)))),
        draw(st.floats(0, 1)),
    )


def breaks(limit, running):
    values = [s.tags[limit.key] for s in running if limit.key in s.tags]
    fitting = [value for value in values if limit.value in (None, value)]
    return max(Counter(fitting).values(), default=0) > limit.limit if limit.per_value else len(fitting) > limit.limit


@given(situations())
def test_whatever_is_chosen_keeps_to_the_limits_and_sits_on_no_slot(situation):
    running, ready, has, config, now = situation
    limits = [limit for limit in config.tag_limits if not breaks(limit, running)]
    config = config._replace(tag_limits=tuple(limits))
    chosen = choose(ready, running, has, config, now)
    after = [*running, *chosen.begin]
    assert len(after) <= config.max_concurrent
    assert not any(breaks(limit, after) for limit in limits)
    had = set() if has is None else {*has.asked, *has.granted}
    begun = {s.key for s in chosen.begin}
    assert set(chosen.withdraw) <= had - begun
    assert not {s.key for s in chosen.claim} & had
    if has is not None:
        assert all(s.op.pool is None or s.key in has.granted for s in chosen.begin)
        assert not set(chosen.withdraw) & set(has.granted), "what is held is not given back"
        places = config.max_concurrent - len(running)
        line = Counter(s.op.pool for s in ready if s.key in has.asked)
        new = Counter(s.op.pool for s in chosen.claim)
        left = Counter(s.op.pool for s in ready if s.key in has.asked and s.key not in chosen.withdraw)
        assert all(left[pool] + new[pool] <= max(places, line[pool]) for pool in line | new)
        assert len(chosen.claim) + len(chosen.begin) <= places
        # Nobody gives way to a lower rank.
        rank = {s.key: i for i, s in enumerate(ready)}
        for key in chosen.withdraw:
            assert any(rank[s.key] < rank[key] and s.op.pool == ready[rank[key]].op.pool for s in chosen.claim)


@given(situations())
def test_nothing_more_could_begin_once_no_claim_is_fresh(situation):
    running, ready, _has, config, _ = situation
    chosen = choose(ready, running, None, config, 0.0)
    idle = [s for s in ready if s not in chosen.begin]
    after = [*running, *chosen.begin]
    if len(after) < config.max_concurrent:
        for one in idle:
            assert any(breaks(limit, [*after, one]) for limit in config.tag_limits)
