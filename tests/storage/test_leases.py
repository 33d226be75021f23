"""Leases, and the fence that keeps a leader who lost his from writing."""

from __future__ import annotations

import threading

import pytest

from runyard.core.clock import ManualClock
from runyard.core.errors import LeaseLost
from runyard.core.lease import Fence, Lease
from runyard.core.run import RunStatus
from runyard.storage.open import SqlStores

from .make import BOOM, NOW, enqueue, get, lead, started, until_someone_waits


def test_a_lease_is_held_by_one_and_renewed_at_its_term(stores: SqlStores) -> None:
    first = stores.leases.acquire("queue", holder="a", seconds=60)
    assert first is not None
    assert (first.holder, first.term) == ("a", 1)
    assert stores.leases.acquire("queue", holder="b", seconds=60) is None
    renewed = stores.leases.acquire("queue", holder="a", seconds=60)
    assert renewed is not None
    assert renewed.term == 1
    assert renewed.expires_at >= first.expires_at
    assert stores.leases.list() == [renewed]


def test_a_released_lease_is_taken_at_the_next_term(stores: SqlStores) -> None:
    fence = lead(stores, "queue", holder="a")
    stores.leases.release("queue", holder="b", term=fence.term)
    stores.leases.release("queue", holder="a", term=fence.term + 1)
    assert stores.leases.acquire("queue", holder="b", seconds=60) is None
    stores.leases.release("queue", holder="a", term=fence.term)
    assert [(lease.holder, lease.term) for lease in stores.leases.list()] == [(None, 1)]
    assert lead(stores, "queue", holder="b").term == 2
    assert lead(stores, "sensor", holder="b").term == 1


def test_an_expired_lease_is_taken_over(stores: SqlStores) -> None:
    assert lead(stores, holder="a", seconds=-1).term == 1
    assert lead(stores, holder="b", seconds=-1).term == 2
    # Its own, but expired: somebody could have held it in between.
    assert lead(stores, holder="b").term == 3


def test_expiry_goes_by_the_databases_clock(sqlite_stores: SqlStores, clock: ManualClock) -> None:
    lead(sqlite_stores, holder="a", seconds=10)
    clock.advance(9.9)
    assert sqlite_stores.leases.acquire("queue", holder="b", seconds=10) is None
    clock.advance(0.1)
    assert lead(sqlite_stores, holder="b", seconds=10).term == 2


def test_a_clock_set_back_keeps_no_dead_leader_in_office(sqlite_stores: SqlStores, clock: ManualClock) -> None:
    lead(sqlite_stores, holder="killed", seconds=8)
    clock.advance(-86_400)
    assert lead(sqlite_stores, holder="b", seconds=8).term == 2


def test_expiry_on_postgres_ignores_this_machines_clock(postgres_stores: SqlStores, clock: ManualClock) -> None:
    lead(postgres_stores, holder="a", seconds=60)
    clock.advance(1e6)
    assert postgres_stores.leases.acquire("queue", holder="b", seconds=60) is None


def test_every_fenced_verb_aborts_after_a_take_over(stores: SqlStores) -> None:
    won = started(stores)
    stale = lead(stores, holder="me")
    stores.leases.release("queue", holder="me", term=stale.term)
    lead(stores, holder="b")
    stores.runs.cancel_active(won.run_id, message="m", now=NOW)
    before = get(stores, won.run_id)
    for call in (
        lambda: stores.runs.fail(
            won.run_id, attempt=1, expected=(RunStatus.CANCELING,), failure=BOOM, now=NOW, fence=stale
        ),
        lambda: stores.runs.end_canceling(won.run_id, attempt=1, message="m", now=NOW, fence=stale),
        lambda: stores.runs.requeue(won.run_id, attempt=1, reason="r", now=NOW, fence=stale),
        lambda: stores.queue.relane(fence=stale, rules=stores.queue.rules()),
        lambda: stores.queue.claim([], fence=Fence("nobody", 0), rules_version=0, now=NOW),
    ):
        with pytest.raises(LeaseLost):
            call()
    assert get(stores, won.run_id) == before


def test_a_take_over_waits_for_a_fenced_transaction(postgres_stores: SqlStores) -> None:
    stores = postgres_stores
    fence = lead(stores, holder="a", seconds=0)
    run = enqueue(stores)
    taken: list[Lease | None] = []

    def take_over() -> None:
        taken.append(stores.leases.acquire("queue", holder="b", seconds=60))

    thread = threading.Thread(target=take_over)
    with stores.database.write(fence) as connection:
        thread.start()
        until_someone_waits(stores)
        assert taken == []
        connection.exec_driver_sql("UPDATE runs SET held_reason = 'written in time'")
    thread.join(20)
    assert [lease.term for lease in taken if lease] == [fence.term + 1]
    assert get(stores, run.run_id).held_reason == "written in time"
    with pytest.raises(LeaseLost), stores.database.write(fence):
        raise AssertionError("a stale write got through")


def test_fenced_transactions_do_not_wait_for_each_other(postgres_stores: SqlStores) -> None:
    fence = lead(postgres_stores)
    with postgres_stores.database.write(fence), postgres_stores.database.write(fence) as second:
        assert second.exec_driver_sql("SELECT 1").scalar() == 1
