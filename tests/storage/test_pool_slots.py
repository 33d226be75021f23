"""Step slots in pools: what is used is what is held, at every committed state."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from runyard.core.errors import NeverAdmissible
from runyard.core.pools import PoolHolder
from runyard.core.queue import Claim, LimitChange
from runyard.core.run import RunStatus
from runyard.queue.rules import Pause, PoolRules, Rules
from runyard.storage.open import SqlStores

from .make import BOOM, NOW, claimed, in_status, report, started
from .pools import free, held, limit, pool_changes, take, used


def test_a_full_pool_keeps_the_next_step_out(stores: SqlStores) -> None:
    limit(stores, db=3)
    first, second = started(stores), started(stores)
    assert take(stores, first, slots=2)
    assert take(stores, second, "other")
    assert not take(stores, second, slots=2)
    assert used(stores) == {"db": 3}
    free(stores, first)
    assert take(stores, second, slots=2)
    assert used(stores) == {"db": 3}
    assert held(stores, "db") == [(second.run_id, "load"), (second.run_id, "other")]


def test_claiming_again_changes_nothing(stores: SqlStores) -> None:
    limit(stores, db=2)
    won = started(stores)
    assert take(stores, won)
    assert pool_changes(stores, lambda: take(stores, won)) == []
    take(stores, won, "second")
    assert take(stores, won), "also while the pool is full"
    assert used(stores) == {"db": 2}
    assert stores.pool_slots.holders() == [
        PoolHolder("db", won.run_id, step, won.attempt, 1, NOW) for step in ("load", "second")
    ]
    assert stores.pool_slots.holders(["other"]) == stores.pool_slots.holders([]) == []


def test_a_pool_without_a_limit_always_has_room(stores: SqlStores) -> None:
    won = started(stores)
    assert all(take(stores, won, f"step{number}", slots=400) for number in range(4))
    assert used(stores) == {"db": 1600}


def test_only_the_attempt_that_is_active_takes_slots(stores: SqlStores) -> None:
    limit(stores, default=5)
    won = started(stores)
    assert not stores.pool_slots.claim(
        won.run_id, "load", attempt=won.attempt + 1, pool="db", slots=1, priority=0, now=NOW
    )
    for status in (RunStatus.NOT_STARTED, RunStatus.QUEUED, RunStatus.SUCCESS):
        run_id = in_status(stores, status)
        attempt = 1 if status is RunStatus.SUCCESS else 0
        assert not stores.pool_slots.claim(run_id, "load", attempt=attempt, pool="db", slots=1, priority=0, now=NOW)
    assert not stores.pool_slots.claim("nobody", "load", attempt=1, pool="db", slots=1, priority=0, now=NOW)
    assert used(stores) == {}


def test_more_than_a_pool_has_is_refused_for_good(stores: SqlStores) -> None:
    limit(stores, db=2, closed=0)
    won = started(stores)
    with pytest.raises(NeverAdmissible, match="Step 'load' takes 3 slots of pool 'db', whose limit is 2"):
        take(stores, won, slots=3)
    assert not take(stores, won, pool="closed"), "a closed pool opens again: its steps wait"
    assert used(stores) == {}


def test_a_paused_pool_gives_no_slots_until_it_is_resumed(stores: SqlStores) -> None:
    limit(stores, db=3)
    won = started(stores)
    take(stores, won)
    stores.limits.pause(Pause(scope="pool", name="db", by="ops", since=NOW - 9, until=NOW + 9))
    assert not take(stores, won, "second")
    assert take(stores, won), "what it holds it keeps"
    assert take(stores, won, "second", pool="web")
    assert take(stores, won, "third", now=NOW + 10)
    assert len(held(stores, "db")) == 3, "who waited is served too"


def test_at_run_granularity_steps_take_nothing(stores: SqlStores) -> None:
    stores.limits.configure(Rules(pools=PoolRules(default_limit=1, granularity="run")))
    won = started(stores)
    assert take(stores, won, slots=5)
    assert take(stores, won, "second")
    assert used(stores) == {}


def test_lowering_a_limit_evicts_nobody(stores: SqlStores) -> None:
    limit(stores, db=3)
    won = started(stores)
    take(stores, won, slots=2)
    stores.limits.change(LimitChange(kind="pool", name="db", limit=1), by="ops", now=NOW)
    assert used(stores) == {"db": 2}
    assert not take(stores, won, "second")
    free(stores, won)
    assert take(stores, won, "second")


def _ends(stores: SqlStores) -> Iterator[Callable[[Claim], object]]:
    yield lambda won: stores.runs.report([report(won, end=RunStatus.SUCCESS)])
    yield lambda won: stores.runs.report([report(won, end=RunStatus.FAILURE)])
    yield lambda won: stores.runs.fail(
        won.run_id, attempt=won.attempt, expected=(RunStatus.STARTED,), failure=BOOM, now=NOW
    )

    def cancel(won: Claim) -> None:
        stores.runs.cancel_active(won.run_id, message="m", now=NOW)
        assert len(stores.pool_slots.holders()) == 3, "its steps run on until the worker has stopped"
        stores.runs.end_canceling(won.run_id, attempt=won.attempt, message="m", now=NOW)

    yield cancel


def test_whatever_ends_a_run_gives_its_slots_back(stores: SqlStores) -> None:
    limit(stores, default=9)
    other = started(stores)
    take(stores, other)
    for end in _ends(stores):
        won = started(stores)
        take(stores, won, slots=2)
        take(stores, won, "second", pool="web")
        changes = pool_changes(stores, lambda: end(won))  # noqa: B023  called at once
        assert [change.lane for change in changes] == ["db", "web"]
        assert used(stores) == {"db": 1}


def test_a_run_that_goes_back_to_the_queue_gives_its_slots_back(stores: SqlStores) -> None:
    limit(stores, default=9)
    won = claimed(stores)
    take(stores, won)
    stores.runs.requeue(won.run_id, attempt=won.attempt, reason="m", now=NOW)
    assert used(stores) == {}


def test_every_claim_and_release_is_told(stores: SqlStores) -> None:
    limit(stores, db=1)
    won, other = started(stores), started(stores)
    give = stores.pool_slots.free
    assert [change.lane for change in pool_changes(stores, lambda: take(stores, won))] == ["db"]
    assert pool_changes(stores, lambda: take(stores, other)) == []
    assert pool_changes(stores, lambda: give(other.run_id, "load", attempt=1)) == []
    assert pool_changes(stores, lambda: give(won.run_id, "load", attempt=2)) == []
    assert [change.lane for change in pool_changes(stores, lambda: give(won.run_id, "load", attempt=1))] == ["db"]
