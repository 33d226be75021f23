"""Ticks: runs, run keys, state and the tick itself are committed together or not at all."""

from __future__ import annotations

import threading

import msgspec
import pytest

from runyard.core.errors import LeaseLost
from runyard.core.lease import Fence
from runyard.core.run import RunStatus
from runyard.core.tick import InstigatorKey, InstigatorState, InstigatorStatus, TickStatus
from runyard.storage.open import SqlStores
from runyard.storage.protocols import RunsFilter

from .make import NOW, SCHEDULE, SENSOR, commit, current, get, keyed, lead, state, tick, until_someone_waits

replace = msgspec.structs.replace


def _runs(stores: SqlStores) -> int:
    return stores.runs.count(RunsFilter())


def test_a_tick_with_its_runs_and_cursor(stores: SqlStores) -> None:
    stores.ticks.put_state(state(cursor="0"))
    before = current(stores)
    advanced = replace(before, cursor="1\0", last_run_key="b", last_tick_at=NOW)
    outcome = commit(stores, keyed("a", "b", None), after=advanced)
    assert outcome.tick.run_ids == tuple(run.run_id for run in outcome.runs)
    assert [run.status for run in outcome.runs] == [RunStatus.QUEUED] * 3
    assert all(get(stores, run.run_id) == run for run in outcome.runs)
    assert stores.ticks.list(SENSOR, limit=9) == [outcome.tick]
    after = current(stores)
    assert after == replace(advanced, version=after.version)
    assert after.version > before.version


def test_a_sensors_run_key_has_one_run_for_ever(stores: SqlStores) -> None:
    first = commit(stores, keyed("a"))
    second = commit(stores, keyed("a", "b", "b"), ended=tick(time=NOW + 60))
    assert len(first.runs) == 1
    assert len(second.runs) == 1
    assert second.tick.status is TickStatus.SUCCESS
    assert second.tick.duplicate_run_keys == ("a", "b")
    third = commit(stores, keyed("b", "a"), ended=tick(time=NOW + 120))
    assert (third.tick.status, third.tick.duplicate_run_keys) == (TickStatus.SKIPPED, ("b", "a"))
    assert _runs(stores) == 2


def test_a_schedules_run_key_counts_for_its_time(stores: SqlStores) -> None:
    assert len(commit(stores, keyed("a", "b"), ended=tick(SCHEDULE)).runs) == 2
    assert len(commit(stores, keyed("a", "b"), ended=tick(SCHEDULE, time=NOW + 60)).runs) == 2
    assert len(commit(stores, keyed("a"), ended=tick(InstigatorKey("schedule", "loc", "other"))).runs) == 1


def test_run_keys_of_other_sensors_and_locations_do_not_meet(stores: SqlStores) -> None:
    for key in (SENSOR, InstigatorKey("sensor", "loc", "other"), InstigatorKey("sensor", "elsewhere", "files")):
        assert len(commit(stores, keyed("a"), ended=tick(key)).runs) == 1


def test_a_schedules_time_has_one_tick(stores: SqlStores) -> None:
    first = commit(stores, keyed(None), ended=tick(SCHEDULE))
    again = commit(stores, keyed(None), ended=tick(SCHEDULE))
    assert (again.tick, again.runs) == (first.tick, ())
    assert _runs(stores) == 1


def test_a_sensor_may_tick_twice_at_one_time_but_not_commit_one_tick_twice(stores: SqlStores) -> None:
    first = commit(stores, keyed(None))
    commit(stores, keyed(None))
    assert commit(stores, keyed(None), ended=first.tick).runs == ()
    assert _runs(stores) == 2
    assert len(stores.ticks.list(SENSOR, limit=9)) == 2


def test_a_failed_time_is_retried_in_its_place(stores: SqlStores) -> None:
    for failures in (1, 2):
        failed = commit(stores, ended=tick(SCHEDULE, status=TickStatus.FAILURE, failure_count=1))
        assert failed.tick.failure_count == failures
    good = commit(stores, keyed(None), ended=tick(SCHEDULE))
    assert (good.tick.status, good.tick.failure_count, len(good.runs)) == (TickStatus.SUCCESS, 2, 1)
    assert stores.ticks.list(SCHEDULE, limit=9) == [good.tick]


def test_failures_in_a_row_know_when_the_first_was(stores: SqlStores) -> None:
    def ends(minute: int, in_a_row: int, key: InstigatorKey = SENSOR) -> float | None:
        status = TickStatus.FAILURE if in_a_row else TickStatus.SKIPPED
        ended = tick(key, time=NOW + 60 * minute, status=status, consecutive_failures=in_a_row)
        return commit(stores, ended=ended).tick.failing_since

    assert [ends(0, 1), ends(1, 2), ends(2, 3)] == [NOW] * 3
    assert ends(3, 0) is None
    assert [ends(4, 1), ends(5, 2)] == [NOW + 240] * 2
    assert [ends(7, 1, SCHEDULE), ends(7, 2, SCHEDULE), ends(8, 3, SCHEDULE)] == [NOW + 420] * 3
    assert stores.ticks.list(SENSOR, limit=1)[0].failing_since == NOW + 240


def test_a_tick_of_keys_that_all_had_their_runs_says_so(stores: SqlStores) -> None:
    commit(stores, keyed("a", "b"))
    again = commit(stores, keyed("b", "a"), ended=tick(time=NOW + 60)).tick
    assert (again.status, again.skip_reason) == (TickStatus.SKIPPED, "Run keys 'a', 'b' had a run already.")
    partly = commit(stores, keyed("b", "c"), ended=tick(time=NOW + 120)).tick
    assert (partly.status, partly.skip_reason, partly.duplicate_run_keys) == (TickStatus.SUCCESS, None, ("b",))


def test_what_a_person_did_meanwhile_stands(stores: SqlStores) -> None:
    stores.ticks.put_state(state(cursor="old"))
    seen = current(stores)
    stores.ticks.set_cursor(SENSOR, "by hand")
    outcome = commit(stores, keyed("a"), after=replace(seen, cursor="new"))
    assert (outcome.tick.status, outcome.runs) == (TickStatus.SKIPPED, ())
    assert "while it was being evaluated" in (outcome.tick.skip_reason or "")
    assert current(stores).cursor == "by hand"
    assert len(commit(stores, keyed("a")).runs) == 1


def test_stopping_or_resetting_meanwhile_stands(stores: SqlStores) -> None:
    stores.ticks.put_state(state())
    seen = current(stores)
    stores.ticks.put_state(replace(seen, status=InstigatorStatus.STOPPED))
    assert commit(stores, keyed("a"), after=seen).runs == ()
    assert current(stores).status is InstigatorStatus.STOPPED
    stores.ticks.delete_state(SENSOR)
    assert stores.ticks.state(SENSOR) is None
    assert commit(stores, keyed("a"), after=seen).runs == ()
    stores.ticks.put_state(state())
    assert commit(stores, keyed("a"), after=seen).runs == ()
    assert _runs(stores) == 0


def test_a_change_of_a_state_loses_no_cursor_that_a_tick_commits_meanwhile(postgres_stores: SqlStores) -> None:
    stores = postgres_stores
    stores.ticks.put_state(state(cursor="old"))
    seen = current(stores)

    def tick_comes() -> None:
        commit(stores, keyed("a"), after=replace(seen, cursor="new"), fence=fence)

    def stopped(old: InstigatorState | None) -> InstigatorState:
        assert old is not None
        thread.start()
        until_someone_waits(stores)
        return replace(old, status=InstigatorStatus.STOPPED)

    fence = lead(stores, "sensors")
    thread = threading.Thread(target=tick_comes)
    stores.ticks.change_state(SENSOR, stopped)
    thread.join(20)
    # The change was first, so that the tick came to nothing: no runs, and no cursor that skips them.
    assert (current(stores).status, current(stores).cursor, _runs(stores)) == (InstigatorStatus.STOPPED, "old", 0)


def test_changing_a_state(stores: SqlStores) -> None:
    made = stores.ticks.change_state(SENSOR, lambda old: old or state(cursor="first"))
    assert made == current(stores)
    assert stores.ticks.change_state(SENSOR, lambda old: old or state(cursor="second")) == made
    moved = stores.ticks.change_state(SENSOR, lambda old: replace(old or state(), cursor="third"))
    assert (moved.cursor, moved.version > made.version) == ("third", True)
    stores.ticks.delete_state(SENSOR, version=made.version)
    assert current(stores) == moved
    stores.ticks.delete_state(SENSOR, version=moved.version)
    assert stores.ticks.state(SENSOR) is None


def test_states(stores: SqlStores) -> None:
    stores.ticks.put_state(state(SENSOR, cursor="c", consecutive_failures=3))
    stores.ticks.put_state(state(SCHEDULE, decided_until=NOW, status=InstigatorStatus.DECLARED_IN_CODE))
    assert [stored.key for stored in stores.ticks.states()] == [SCHEDULE, SENSOR]
    assert current(stores).consecutive_failures == 3
    assert current(stores, SCHEDULE).decided_until == NOW
    stores.ticks.set_cursor(SENSOR, None)
    assert current(stores).cursor is None
    stores.ticks.set_cursor(InstigatorKey("sensor", "loc", "none"), "x")
    assert len(stores.ticks.states()) == 2


def test_ticks_are_listed_from_the_newest(stores: SqlStores) -> None:
    for minute in range(5):
        commit(stores, ended=tick(SCHEDULE, time=NOW + 60 * minute))
    newest = stores.ticks.list(SCHEDULE, limit=2)
    older = stores.ticks.list(SCHEDULE, limit=9, before=newest[-1].time)
    times = [found.time for found in (*newest, *older)]
    assert times == [NOW + 60 * minute for minute in (4, 3, 2, 1, 0)]


def test_a_stale_leader_commits_nothing(stores: SqlStores) -> None:
    fence = lead(stores, "sensors")
    stale = Fence("sensors", fence.term - 1)
    with pytest.raises(LeaseLost):
        commit(stores, keyed("a"), fence=stale)
    with pytest.raises(LeaseLost):
        stores.ticks.put_state(state(), fence=stale)
    with pytest.raises(LeaseLost):
        stores.ticks.delete_state(SENSOR, fence=stale)
    assert (_runs(stores), stores.ticks.states(), stores.ticks.list(SENSOR, limit=9)) == (0, [], [])


def test_a_commit_that_fails_at_the_end_leaves_nothing(stores: SqlStores, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(stores.ticks, "_put_state", fail)
        with pytest.raises(RuntimeError):
            commit(stores, keyed("a"))
    assert (_runs(stores), stores.ticks.list(SENSOR, limit=9), stores.queue.lanes()) == (0, [], [])
    assert len(commit(stores, keyed("a")).runs) == 1
