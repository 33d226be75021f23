"""Taking over a deep queue, and what a leader must not be misled by."""

from __future__ import annotations

import psycopg

from deep_queue import deepen
from runyard.core.ids import new_id
from runyard.core.run import NewRun, RunStatus
from runyard.daemons.run_queue import mirror
from runyard.queue.rules import Rules, TagRule
from runyard.settings.instance import PostgresSettings
from runyard.storage.open import SqlStores

from .bench import Bench

CUSTOMERS = Rules(max_concurrent_runs=-1, tag_rules=(TagRule("customer", 1, per_unique_value=True),))


def _customer(number: int | str) -> NewRun:
    return NewRun(run_id=new_id(), job_name="job", location_name="yard", tags={"customer": str(number)})


def test_with_more_lanes_than_are_read_at_once_runs_start_in_order(any_bench, monkeypatch) -> None:
    monkeypatch.setattr(mirror, "FEW_LANES", 100)
    yard = any_bench(CUSTOMERS, capacity=8)
    runs = deepen(yard.stores, _customer(0), 3_000, own_lane=True)
    assert yard.launched(8) == runs[:8]


def test_the_one_free_run_behind_all_others_is_found(any_bench, monkeypatch) -> None:
    monkeypatch.setattr(mirror, "FEW_LANES", 100)
    rules = (TagRule("customer", 1, per_unique_value=True), TagRule("t", 0, "docs"))
    yard = any_bench(Rules(max_concurrent_runs=-1, tag_rules=rules), capacity=8)
    blocked = _customer(0)
    blocked.tags["t"] = "docs"
    deepen(yard.stores, blocked, 3_000, own_lane=True)
    last = yard.submit(customer="last")
    assert yard.launched(1) == [last]


def test_a_run_that_comes_while_the_lanes_are_not_all_known_takes_its_place(any_bench, monkeypatch) -> None:
    monkeypatch.setattr(mirror, "FEW_LANES", 100)
    yard = any_bench(CUSTOMERS, capacity=8)
    runs = deepen(yard.stores, _customer(0), 3_000, own_lane=True)
    assert yard.launched(8) == runs[:8]
    last, urgent = yard.submit(customer="last"), yard.submit("5", customer="urgent")
    yard.end(runs[0])
    yard.end(runs[1])
    assert yard.launched(10)[8:] == [urgent, runs[8]]
    assert yard.status(last) is RunStatus.QUEUED


def test_a_return_to_the_queue_that_is_read_late_frees_no_slot_that_is_taken_again(
    postgres_stores: SqlStores, postgres_settings: PostgresSettings
) -> None:
    yard = Bench(postgres_stores, Rules(max_concurrent_runs=1))
    yard.location.reachable = False
    first, second = yard.submit(), yard.submit()
    with psycopg.connect(postgres_settings.url, application_name="runyard") as older:
        yard.look()
        older.execute("SELECT pg_current_xact_id()")
        yard.woken.wait()
        assert yard.status(first) is RunStatus.QUEUED
        # A new leader reads the state as it is, and its cursor cannot be behind what an older transaction hides.
        yard.location.reachable = True
        other = yard.new_daemon()
        other.run_once(yard.clock.now(), yard.fence)
        assert yard.location.wait_launched(1) == [first]
    other.run_once(yard.clock.now(), yard.fence)
    assert yard.status(second) is RunStatus.QUEUED
    yard.daemon.close()
    other.close()


def test_a_run_started_without_the_queue_counts(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=1))
    yard.look()
    direct = NewRun(run_id=new_id(), job_name="job", location_name="yard")
    yard.stores.runs.add([direct], enqueue=False)
    claim = yard.stores.queue.start_directly(direct.run_id, now=yard.clock.now())
    assert claim is not None
    yard.stores.runs.assign_host(direct.run_id, attempt=claim.attempt, host_id="h", pid=1)
    run = yard.submit()
    yard.look()
    assert yard.status(run) is RunStatus.QUEUED
    yard.end(direct.run_id)
    assert yard.launched(1) == [run]
