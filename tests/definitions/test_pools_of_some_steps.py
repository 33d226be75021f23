"""A run of some of a job's steps needs the pools of those, and begins where nothing among them comes first."""

from __future__ import annotations

from runyard.core.pools import PoolNeeds, PoolUse, pool_needs

CHAIN = [PoolUse("load", (), "db", 2), PoolUse("clean", ("load",), None, 1), PoolUse("write", ("clean",), "db", 3)]


def test_a_whole_chain_begins_at_its_root() -> None:
    assert pool_needs(CHAIN) == PoolNeeds({"db": 3}, {"db": 2})


def test_what_is_left_begins_where_nothing_left_comes_first() -> None:
    assert pool_needs(CHAIN[2:]) == PoolNeeds({"db": 3}, {"db": 3})
    assert pool_needs(CHAIN[1:]) == PoolNeeds({"db": 3}, {})


def test_steps_that_were_left_out_between_two_part_them() -> None:
    assert pool_needs([CHAIN[0], CHAIN[2]]) == PoolNeeds({"db": 3}, {"db": 5})


def test_nothing_needs_nothing() -> None:
    assert pool_needs([]) == PoolNeeds({}, {})
