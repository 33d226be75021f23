"""What a job's runs need of pools: at run granularity all of its pools, at op granularity those of its first steps."""

from __future__ import annotations

from typing import Any

import pytest

import runyard as dg
from runyard.core.errors import InvalidDefinition
from runyard.core.pools import PoolNeeds


def _op(name: str, pool: str | None = None, slots: int = 1, *, after: bool = False) -> dg.OpDefinition:
    """An op in a pool; ``after``: it takes the result of another."""

    def first() -> int:
        return 1

    def later(x: int) -> int:
        return x

    return dg.op(name=name, pool=pool, pool_slots=slots)(later if after else first)


def test_a_job_without_pools_needs_none() -> None:
    @dg.job
    def plain() -> None:
        _op("one")()

    assert plain.pools == PoolNeeds()


def test_a_pool_used_twice_is_needed_once_at_run_granularity() -> None:
    @dg.job
    def twice() -> None:
        _op("one", "db")()
        _op("two", "db")()

    assert twice.pools == PoolNeeds(all={"db": 1}, roots={"db": 2})


def test_of_the_steps_of_a_pool_the_one_that_takes_most_counts_for_the_run() -> None:
    @dg.job
    def uneven() -> None:
        _op("three", "db", 3, after=True)(_op("two", "db", 2, after=True)(_op("one", "db")()))

    assert uneven.pools == PoolNeeds(all={"db": 3}, roots={"db": 1})


def test_a_pool_downstream_counts_for_the_run_and_not_for_its_start() -> None:
    @dg.job
    def downstream() -> None:
        _op("write", "db", after=True)(_op("fetch", "api")())

    assert downstream.pools == PoolNeeds(all={"api": 1, "db": 1}, roots={"api": 1})


def test_a_first_step_without_a_pool_lets_the_run_begin_whatever_is_full() -> None:
    @dg.job
    def partly() -> None:
        _op("fetch", "api")()
        _op("free")()

    assert partly.pools == PoolNeeds(all={"api": 1}, roots={})


def test_first_steps_in_several_pools_are_all_named() -> None:
    @dg.job
    def both() -> None:
        _op("a", "api", 2)()
        _op("b", "db")()

    assert both.pools == PoolNeeds(all={"api": 2, "db": 1}, roots={"api": 2, "db": 1})


def test_steps_inside_graphs_count_like_others() -> None:
    @dg.graph
    def inner() -> Any:
        return _op("use", "db", 2, after=True)(_op("get", "api")())

    @dg.job
    def outer() -> None:
        _op("last", "gpu", after=True)(inner())

    assert outer.pools == PoolNeeds(all={"api": 1, "db": 2, "gpu": 1}, roots={"api": 1})


def test_an_op_used_twice_is_two_steps() -> None:
    shared = _op("shared", "db", 2)

    @dg.job
    def aliased() -> None:
        shared()
        shared.alias("again")()

    assert aliased.pools == PoolNeeds(all={"db": 2}, roots={"db": 4})


def test_the_older_tag_names_a_pool_and_the_argument_wins() -> None:
    @dg.op(tags={"dagster/concurrency_key": "api"})
    def tagged() -> None: ...

    @dg.op(pool="db", tags={"dagster/concurrency_key": "api"})
    def both() -> None: ...

    assert (tagged.pool, both.pool) == ("api", "db")


@pytest.mark.parametrize("pool", ["", 5, ["db"]])
def test_a_pool_is_a_name(pool: Any) -> None:
    with pytest.raises(InvalidDefinition, match=r"Op 'one' .*: pool is the name of a pool, not"):
        _op("one", pool)


@pytest.mark.parametrize("pool", ["a b", " db", "db ", "a\tb", "db\n", "a\u00a0b", " "])
def test_a_pools_name_has_no_blanks(pool: str) -> None:
    with pytest.raises(InvalidDefinition, match="is no name for a pool: it has a blank"):
        _op("one", pool)
    with pytest.raises(InvalidDefinition, match="is no name for a pool"):
        dg.op(name="one", tags={"dagster/concurrency_key": pool})(lambda: None)


@pytest.mark.parametrize("pool", ["a\0b", "\ud800"])
def test_a_pools_name_has_no_characters_that_no_storage_keeps(pool: str) -> None:
    with pytest.raises(InvalidDefinition, match="is no name for a pool: it has a character that cannot be stored"):
        _op("one", pool)


@pytest.mark.parametrize("pool", ["a/b", "a.b", "a-b", "A_1", "é", "a:b", "a=b", "1", "x" * 200])
def test_a_pools_name_has_any_other_characters(pool: str) -> None:
    assert _op("one", pool).pool == pool


@pytest.mark.parametrize("slots", [0, -1, 1001, True, "2", 1.5])
def test_pool_slots_are_a_whole_number(slots: Any) -> None:
    with pytest.raises(InvalidDefinition, match="pool_slots is a whole number from 1 to 1000, not"):
        _op("one", "db", slots)
