"""The run queue daemon against real SQLite storage and a scripted location."""

from __future__ import annotations

import time

import msgspec
import psycopg
import pytest

from runyard.core.errors import LeaseLost, StorageUnavailable
from runyard.core.ids import new_id
from runyard.core.queue import QueueFilter, Steering
from runyard.core.run import NewRun, RunStatus
from runyard.daemons.run_queue.back_off import FIRST_PAUSE
from runyard.queue.rules import Rules, TagRule
from runyard.settings.instance import PostgresSettings
from runyard.storage.open import SqlStores

from .bench import Bench
from .fakes import definitions

TEAM = Rules(max_concurrent_runs=-1, tag_rules=(TagRule(key="team", limit=1),))


def test_a_blocked_run_does_not_block_the_one_behind_it(bench) -> None:
    yard = bench(TEAM)
    a, b, c = yard.submit(team="docs"), yard.submit(team="docs"), yard.submit()
    assert yard.launched(2) == [a, c]
    yard.end(a)
    assert yard.launched(3) == [a, c, b]


def test_without_the_limit_the_order_is_the_order_of_asking(bench) -> None:
    yard = bench()
    runs = [yard.submit(team="docs"), yard.submit(team="docs"), yard.submit()]
    assert yard.launched(3) == runs


def test_priority_orders_under_one_slot(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=1))
    low, middle, high = yard.submit("-1"), yard.submit("0"), yard.submit("5")
    for done, expected in enumerate([high, middle, low], start=1):
        assert yard.launched(done)[-1] == expected
        yard.end(expected)


def test_a_priority_that_is_no_integer_counts_as_zero_and_says_so(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=1))
    bad, high = yard.submit("urgent"), yard.submit("1")
    assert yard.launched(1) == [high]
    events = yard.stores.events.of_run(bad)
    assert any(e.event.level == "WARNING" and "urgent" in e.event.message for e in events)


def test_zero_slots_launch_nothing_and_raising_the_limit_does(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=0))
    run = yard.submit()
    yard.look()
    assert yard.status(run) is RunStatus.QUEUED
    yard.stores.limits.configure(Rules(max_concurrent_runs=1))
    assert yard.launched(1) == [run]


def test_a_newly_tracked_tag_holds_runs_that_were_queued_before(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=0))
    first, second = yard.submit(team="docs"), yard.submit(team="docs")
    yard.stores.limits.configure(TEAM)
    assert yard.launched(1) == [first]
    assert yard.status(second) is RunStatus.QUEUED


def test_held_runs_wait_and_released_ones_keep_their_place(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=1))
    first, second = yard.submit(), yard.submit()
    only = QueueFilter(run_ids=(first,))
    yard.stores.queue.steer(only, Steering(action="hold", by="me"), now=yard.clock.now())
    assert yard.launched(1) == [second]
    yard.stores.queue.steer(only, Steering(action="release", by="me"), now=yard.clock.now())
    third = yard.submit()
    yard.end(second)
    assert yard.launched(2) == [second, first]
    assert yard.status(third) is RunStatus.QUEUED


def test_a_location_that_does_not_load_keeps_only_its_own_runs_waiting(bench) -> None:
    yard = bench()
    yard.location.definitions = None
    run = yard.submit()
    yard.look()
    assert yard.status(run) is RunStatus.QUEUED
    yard.location.definitions = definitions("job")
    assert yard.launched(1) == [run]


def test_an_unreachable_location_gives_the_run_back_to_its_place(bench) -> None:
    yard = bench()
    yard.location.reachable = False
    run = yard.submit()
    yard.look()
    yard.woken.wait()
    assert yard.status(run) is RunStatus.QUEUED
    yard.location.reachable = True
    yard.look()
    assert yard.status(run) is RunStatus.QUEUED, "asked again only after a pause"
    yard.clock.advance(10)
    assert yard.launched(1) == [run]


def test_after_the_configured_retries_an_unreachable_location_fails_the_run(bench) -> None:
    yard = bench(max_user_code_failure_retries=1, user_code_failure_retry_delay=60.0)
    yard.location.reachable = False
    run = yard.submit()
    yard.look()
    yard.woken.wait()
    yard.clock.advance(61)
    yard.look()
    yard.woken.wait()
    assert yard.status(run) is RunStatus.FAILURE


def test_a_launch_that_fails_ends_its_run_and_no_other(bench) -> None:
    yard = bench()
    yard.location.launch_error = "no memory"
    bad = yard.submit()
    yard.launched(1)
    yard.woken.wait()
    failed = yard.stores.runs.get(bad)
    assert failed.status is RunStatus.FAILURE
    assert failed.failure.message == "no memory"
    yard.location.launch_error = None
    good = yard.submit()
    assert yard.launched(2)[-1] == good


def test_a_claim_that_no_host_took_is_made_again_by_the_next_leader(bench) -> None:
    yard = bench()
    run = yard.submit()
    head = yard.stores.queue.heads(yard.stores.queue.lanes())
    version = yard.stores.queue.rules().version
    claims = yard.stores.queue.claim(head, fence=yard.fence, rules_version=version, now=yard.clock.now())
    assert [claim.run_id for claim in claims] == [run]
    assert yard.launched(1) == [run]
    assert yard.location.launched[0].attempt == claims[0].attempt + 1
    assert yard.location.launched[0].token != claims[0].token


def test_a_launch_that_died_with_its_host_is_made_again(bench) -> None:
    yard = bench()
    yard.location.host_id = "first"
    run = yard.submit()
    yard.launched(1)
    yard.look()
    assert len(yard.location.launched) == 1, "its worker is on its way"
    yard.location.host_id = "second"
    deadline = time.monotonic() + 10
    # The launch's thread may still have to note that the first host took it.
    while len(yard.location.launched) < 2 and time.monotonic() < deadline:
        yard.look()
    assert yard.launched(2) == [run, run]
    first, second = yard.location.launched
    assert (second.attempt, second.token != first.token) == (first.attempt + 1, True)


def test_a_launch_that_failed_while_storage_was_away_is_made_again(bench, monkeypatch) -> None:
    yard = bench()
    yard.location.reachable = False

    def away(*_: object, **__: object) -> None:
        raise StorageUnavailable("not now")

    run = yard.submit()
    with monkeypatch.context() as patch:
        patch.setattr(yard.stores.runs, "requeue", away)
        yard.look()
        yard.woken.wait()
    assert yard.status(run) is RunStatus.STARTING
    yard.location.reachable = True
    yard.look()
    yard.clock.advance(FIRST_PAUSE)
    assert yard.launched(1) == [run]


def test_another_leaders_lost_claim_of_a_run_that_was_ours_is_made_again(bench) -> None:
    yard = bench()
    yard.location.reachable = False
    run = yard.submit()
    yard.look()
    yard.woken.wait()
    yard.stores.leases.release("daemon:queue", holder="a", term=yard.fence.term)
    other = yard.lead("b")
    heads = yard.stores.queue.heads(yard.stores.queue.lanes())
    yard.stores.queue.claim(heads, fence=other, rules_version=yard.stores.queue.rules().version, now=yard.clock.now())
    yard.stores.leases.release("daemon:queue", holder="b", term=other.term)
    yard.fence = yard.lead("a")
    yard.daemon.stand_by()
    yard.location.reachable = True
    yard.clock.advance(FIRST_PAUSE)
    assert yard.launched(1) == [run]


def test_a_clock_set_back_does_not_prolong_the_pause_of_a_location(bench) -> None:
    yard = bench()
    yard.location.reachable = False
    run = yard.submit()
    yard.look()
    yard.woken.wait()
    yard.location.reachable = True
    yard.clock.set_wall(yard.clock.now() - 3600)
    yard.clock.advance(FIRST_PAUSE)
    assert yard.launched(1) == [run]


def test_changes_behind_a_transaction_under_way_are_looked_for_soon(
    postgres_stores: SqlStores, postgres_settings: PostgresSettings
) -> None:
    yard = Bench(postgres_stores, Rules(max_concurrent_runs=-1))
    yard.look()
    with psycopg.connect(postgres_settings.url, application_name="runyard") as older:
        older.execute("SELECT pg_current_xact_id()")
        run = yard.submit()
        result = yard.daemon.run_once(yard.clock.now(), yard.fence)
        assert yard.location.launched == []
        assert result.wake_at - yard.clock.now() <= 0.1, "nobody will ask for a pass again"
    assert yard.launched(1) == [run]
    yard.daemon.close()


def test_a_leader_that_lost_its_lease_launches_nothing(bench) -> None:
    yard = bench()
    yard.look()
    run = yard.submit()
    yard.stores.leases.release("daemon:queue", holder="a", term=yard.fence.term)
    yard.lead("b")
    with pytest.raises(LeaseLost):
        yard.look()
    assert yard.status(run) is RunStatus.QUEUED
    assert yard.location.launched == []


def test_a_restarted_leader_counts_the_runs_that_run(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=1))
    first, second = yard.submit(), yard.submit()
    assert yard.launched(1) == [first]
    yard.stores.runs.assign_host(first, attempt=1, host_id="h", pid=1)
    yard.daemon.stand_by()
    yard.look()
    assert yard.status(second) is RunStatus.QUEUED


def test_many_runs_of_one_lane_launch_in_order_across_batches(bench) -> None:
    yard = bench()
    runs = [yard.submit() for _ in range(250)]
    assert yard.launched(250) == runs


def test_cancelled_while_queued_is_not_launched(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=1))
    first, second, third = yard.submit(), yard.submit(), yard.submit()
    assert yard.launched(1) == [first]
    yard.stores.runs.cancel_waiting(second, message="", now=yard.clock.now())
    yard.end(first)
    assert yard.launched(2) == [first, third]


def test_claims_carry_config_and_tags_to_the_worker(bench) -> None:
    yard = bench()
    run = NewRun(
        run_id=new_id(), job_name="job", location_name="yard", tags={"a": "b"}, run_config={"ops": {"x": {"config": 1}}}
    )
    yard.stores.runs.add([run], enqueue=True)
    yard.launched(1)
    spec = yard.location.launched[0]
    assert (spec.tags["a"], spec.run_config) == ("b", run.run_config)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(spec), type=type(spec)) == spec
