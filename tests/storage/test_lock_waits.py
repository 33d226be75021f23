"""Two transactions at once on PostgreSQL: who has to wait for whom, so that what one decided still holds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from runyard.core.policies import RunPolicies
from runyard.core.queue import LimitChange
from runyard.core.run import RunStatus
from runyard.queue.rules import Rules, TagRule
from runyard.storage.open import SqlStores
from runyard.storage.pool_holders import give_back
from runyard.storage.pool_line import StepTry
from runyard.storage.run_ending import RunEnding
from runyard.storage.stored_rules import StoredRules

from .make import BOOM, NOW, get, report, started, until_someone_waits
from .pools import held, limit, line, take, used


def _one_after_the_other(
    stores: SqlStores, first: Callable[[sa.Connection], object], second: Callable[[], object]
) -> None:
    """``second`` begins when ``first`` is done but not committed, and has to wait for that."""
    with ThreadPoolExecutor(1) as thread:
        with stores.database.write() as connection:
            first(connection)
            waiting = thread.submit(second)
            until_someone_waits(stores)
        waiting.result(60)


def _free_first(stores: SqlStores) -> tuple[Callable[[sa.Connection], object], str]:
    """A full pool with a line: the freeing of its slot, and the run whose step is next."""
    limit(stores, db=1)
    first, second = started(stores), started(stores)
    assert take(stores, first)
    assert not take(stores, second)
    step = StepTry(first.run_id, "load", first.attempt)
    return lambda connection: give_back(stores.database, connection, steps=[step], now=NOW), second.run_id


def test_a_run_that_ends_while_its_step_is_served_keeps_nothing(postgres_stores: SqlStores) -> None:
    stores = postgres_stores
    serve, run_id = _free_first(stores)
    end = {"attempt": 1, "expected": (RunStatus.STARTED,), "failure": BOOM, "now": NOW}
    _one_after_the_other(stores, serve, lambda: stores.runs.fail(run_id, **end))
    assert (held(stores), line(stores), used(stores)) == ([], [], {})


def test_a_limit_is_lowered_after_those_who_are_served_by_the_one_before(postgres_stores: SqlStores) -> None:
    stores = postgres_stores
    serve, run_id = _free_first(stores)
    lower = LimitChange(kind="pool", name="db", limit=0)
    _one_after_the_other(stores, serve, lambda: stores.limits.change(lower, by="ops", now=NOW))
    assert held(stores) == [(run_id, "load")]


def test_a_retry_is_in_a_lane_of_the_rules_in_force(postgres_stores: SqlStores) -> None:
    stores = postgres_stores
    stores.policies.configure(RunPolicies(retries_enabled=True, max_retries=1))
    won = started(stores, tags={"team": "docs"})

    def fail(connection: sa.Connection) -> None:
        RunEnding(stores.database, StoredRules(), connection, won.run_id).fail((RunStatus.STARTED,), 1, BOOM, NOW)

    _one_after_the_other(stores, fail, lambda: stores.limits.configure(Rules(tag_rules=(TagRule("team", 1),))))
    (retry,) = stores.queue.in_order(None, limit=9)
    assert retry.stale, "its lane is of before the key was tracked, and known to be"
    assert get(stores, retry.run_id).tags["team"] == "docs"


def test_a_claim_waits_for_the_end_of_its_run(postgres_stores: SqlStores) -> None:
    stores = postgres_stores
    limit(stores, db=1)
    won = started(stores)

    def end(connection: sa.Connection) -> None:
        RunEnding(stores.database, StoredRules(), connection, won.run_id).fail((RunStatus.STARTED,), 1, BOOM, NOW)

    _one_after_the_other(stores, end, lambda: take(stores, won))
    assert (held(stores), line(stores), used(stores)) == ([], [], {})
    assert stores.runs.report([report(won, end=RunStatus.SUCCESS)]) == [False]
