"""Steps that wait for a pool: served in order by whatever makes room, and gone when their attempt is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from runyard.core.clock import ManualClock
from runyard.core.errors import NeverAdmissible
from runyard.core.events import EventType
from runyard.core.policies import RunPolicies
from runyard.core.pools import PoolWaiter
from runyard.core.queue import Claim, LimitChange
from runyard.core.run import RunStatus
from runyard.queue.rules import Pause, PoolRules, Rules
from runyard.settings.instance import SqliteSettings
from runyard.storage.open import SqlStores, open_stores

from .make import BOOM, NOW, get, lead, report, started
from .pools import free, held, limit, line, pool_changes, step_ends, take, used


def _full(stores: SqlStores, *, slots: int = 1) -> Claim:
    """A run whose step ``load`` holds all of the pool."""
    limit(stores, db=slots)
    won = started(stores)
    assert take(stores, won, slots=slots)
    return won


def test_the_highest_priority_is_next_then_who_came_first(stores: SqlStores) -> None:
    first, won = _full(stores), started(stores)
    for step, priority in [("low", -1), ("second", 5), ("third", 5), ("plain", 0)]:
        assert not take(stores, won, step, priority=priority, now=NOW + 7)
    assert line(stores) == ["second", "third", "plain", "low"]
    assert stores.pool_slots.waiters(["db"])[0] == PoolWaiter("db", won.run_id, "second", 1, 1, 5, NOW + 7)
    assert stores.pool_slots.waiters(["web"]) == []
    free(stores, first)
    for step in ["second", "third", "plain", "low"]:
        assert held(stores) == [(won.run_id, step)]
        free(stores, won, step)
    assert (line(stores), used(stores)) == ([], {})


def test_asking_again_keeps_the_place_and_the_first_priority(stores: SqlStores) -> None:
    first, won = _full(stores), started(stores)
    take(stores, won, "a")
    take(stores, won, "b")
    assert not take(stores, won, "b", priority=9, now=NOW + 9)
    assert line(stores) == ["a", "b"]
    assert {waiter.since for waiter in stores.pool_slots.waiters()} == {NOW}
    free(stores, first)
    assert take(stores, won, "a")
    assert not take(stores, won, "b")


def test_nobody_passes_one_who_does_not_fit_yet(stores: SqlStores) -> None:
    limit(stores, db=3)
    won = started(stores)
    take(stores, won, "two", slots=2)
    assert not take(stores, won, "large", slots=3)
    assert not take(stores, won, "small"), "there is room, but another comes first"
    assert take(stores, won, "urgent", priority=1), "the priority is higher and there is room"
    free(stores, won, "two")
    assert held(stores) == [(won.run_id, "urgent")]
    free(stores, won, "urgent")
    assert held(stores) == [(won.run_id, "large")]
    free(stores, won, "large")
    assert held(stores) == [(won.run_id, "small")]


def test_one_who_gives_up_lets_the_others_through(stores: SqlStores) -> None:
    limit(stores, db=2)
    won = started(stores)
    take(stores, won, "holds")
    take(stores, won, "large", slots=2)
    take(stores, won, "small")
    changes = pool_changes(stores, lambda: free(stores, won, "large"))
    assert [change.lane for change in changes] == ["db"]
    assert held(stores) == [(won.run_id, "holds"), (won.run_id, "small")]
    assert pool_changes(stores, lambda: free(stores, won, "large")) == []


def test_several_are_served_at_once(stores: SqlStores) -> None:
    first, won = _full(stores, slots=3), started(stores)
    for step in "abcd":
        take(stores, won, step)
    assert len(pool_changes(stores, lambda: free(stores, first))) == 1
    assert held(stores) == [(won.run_id, step) for step in "abc"]
    assert line(stores) == ["d"]


def test_who_needs_more_than_there_is_by_now_holds_up_nobody(stores: SqlStores) -> None:
    first, won = _full(stores, slots=3), started(stores)
    take(stores, won, "large", slots=3)
    take(stores, won, "small")
    stores.limits.change(LimitChange(kind="pool", name="db", limit=2), by="ops", now=NOW)
    assert take(stores, first, slots=3), "what it holds it keeps"
    free(stores, first)
    assert held(stores) == [(won.run_id, "small")]
    with pytest.raises(NeverAdmissible):
        take(stores, won, "large", slots=3)
    stores.limits.change(LimitChange(kind="pool", name="db", limit=4), by="ops", now=NOW)
    assert held(stores) == [(won.run_id, "large"), (won.run_id, "small")], "when the limit is raised it is in line"


def _resumed(stores: SqlStores) -> None:
    stores.limits.resume("pool", "db", by="ops", now=NOW)


def _lapsed(stores: SqlStores) -> None:
    assert stores.limits.lift_lapsed(now=NOW + 99, fence=lead(stores)) == 1


@pytest.mark.parametrize("lift", [_resumed, _lapsed])
def test_a_lifted_pause_serves_who_is_next(stores: SqlStores, lift: Callable[[SqlStores], None]) -> None:
    limit(stores, db=2)
    won = started(stores)
    stores.limits.pause(Pause(scope="pool", name="db", by="ops", since=NOW, until=NOW + 50))
    for step in "abc":
        assert not take(stores, won, step)
    changes = pool_changes(stores, lambda: lift(stores))
    assert [change.lane for change in changes] == ["db"]
    assert (held(stores), line(stores)) == ([(won.run_id, "a"), (won.run_id, "b")], ["c"])


def _raised(stores: SqlStores) -> None:
    stores.limits.change(LimitChange(kind="pool", name="db", limit=3), by="ops", now=NOW)


def _configured(stores: SqlStores) -> None:
    limit(stores, db=3)


def _removed(stores: SqlStores) -> None:
    limit(stores)


def _no_longer_counted(stores: SqlStores) -> None:
    stores.limits.configure(Rules(pools=PoolRules(limits={"db": 1}, granularity="run")))


@pytest.mark.parametrize(("change", "left"), [(_raised, ["c"]), (_configured, ["c"]), (_removed, [])])
def test_a_raised_limit_serves_who_is_next(
    stores: SqlStores, change: Callable[[SqlStores], None], left: list[str]
) -> None:
    _full(stores)
    won = started(stores)
    for step in "abc":
        take(stores, won, step)
    assert [moved.lane for moved in pool_changes(stores, lambda: change(stores))] == ["db"]
    assert line(stores) == left
    assert used(stores) == {"db": 4 - len(left)}


def test_at_run_granularity_nobody_waits_any_more(stores: SqlStores) -> None:
    _full(stores)
    won = started(stores)
    take(stores, won, "a")
    _no_longer_counted(stores)
    assert line(stores) == []
    assert take(stores, won, "a")
    assert used(stores) == {"db": 1}


@pytest.mark.parametrize(
    "kind",
    [EventType.STEP_SUCCESS, EventType.STEP_FAILURE, EventType.STEP_UP_FOR_RETRY, EventType.STEP_SKIPPED],
)
def test_the_end_of_a_try_gives_its_slots_to_who_is_next(stores: SqlStores, kind: EventType) -> None:
    first, won = _full(stores), started(stores)
    take(stores, won, "next")
    for wrong in (
        step_ends(first.run_id, "other", seq=1, kind=kind),
        step_ends(first.run_id, "load", seq=2, kind=EventType.STEP_OUTPUT),
        step_ends(first.run_id, "load", seq=3, kind=kind, attempt=2),
        step_ends(won.run_id, "load", seq=4, kind=kind),
    ):
        stores.runs.report([wrong])
        assert held(stores) == [(first.run_id, "load")]
    changes = pool_changes(stores, lambda: stores.runs.report([step_ends(first.run_id, "load", seq=9, kind=kind)]))
    assert [change.lane for change in changes] == ["db"]
    assert held(stores) == [(won.run_id, "next")]


def test_an_end_that_is_told_again_leaves_the_slots_of_the_next_try(stores: SqlStores) -> None:
    won = _full(stores)
    told = step_ends(won.run_id, "load", seq=5, kind=EventType.STEP_UP_FOR_RETRY)
    assert stores.runs.report([told, told]) == [True, True]
    assert used(stores) == {}
    assert take(stores, won)
    assert stores.runs.report([told]) == [True]
    assert used(stores) == {"db": 1}
    stores.runs.report([step_ends(won.run_id, "load", seq=6)])
    assert used(stores) == {}


def test_an_end_without_a_number_counts_each_time(stores: SqlStores) -> None:
    won = _full(stores)
    for _ in range(2):
        take(stores, won)
        stores.runs.report([step_ends(won.run_id, "load", seq=None, kind=EventType.STEP_FAILURE)])
        assert used(stores) == {}


def test_steps_and_runs_that_end_in_one_batch(stores: SqlStores) -> None:
    limit(stores, default=1)
    some = [started(stores) for _ in range(3)]
    won = started(stores)
    pools = ["z", "a", "m"]
    for one, pool in zip(some, pools, strict=True):
        take(stores, one, pool=pool)
        take(stores, won, f"next in {pool}", pool=pool)
    batch = [
        step_ends(some[0].run_id, "load", seq=1),
        report(some[1], end=RunStatus.SUCCESS),
        step_ends(some[2].run_id, "load", seq=1),
    ]
    changes = pool_changes(stores, lambda: stores.runs.report(batch))
    assert [change.lane for change in changes] == sorted(pools)
    assert [key for _, key in held(stores)] == [f"next in {pool}" for pool in sorted(pools)]


def _succeed(stores: SqlStores, won: Claim) -> None:
    stores.runs.report([report(won, end=RunStatus.SUCCESS)])


def _fail(stores: SqlStores, won: Claim) -> None:
    stores.runs.fail(won.run_id, attempt=won.attempt, expected=(RunStatus.STARTED,), failure=BOOM, now=NOW)


def _cancel(stores: SqlStores, won: Claim) -> None:
    stores.runs.cancel_active(won.run_id, message="m", now=NOW)
    assert len(line(stores)) == 3, "its steps wait on until the worker has stopped"
    stores.runs.end_canceling(won.run_id, attempt=won.attempt, message="m", now=NOW)


def _lose(stores: SqlStores, won: Claim) -> None:
    stores.runs.lose_worker(won.run_id, attempt=won.attempt, failure=BOOM, now=NOW)


def _resume(stores: SqlStores, won: Claim) -> None:
    stores.policies.configure(RunPolicies(max_resumes=1))
    stores.runs.lose_worker(won.run_id, attempt=won.attempt, failure=BOOM, now=NOW)
    assert get(stores, won.run_id).attempt == 2


@pytest.mark.parametrize("end", [_succeed, _fail, _cancel, _lose, _resume])
def test_whatever_ends_an_attempt_takes_it_out_of_the_lines(
    stores: SqlStores, end: Callable[[SqlStores, Claim], None]
) -> None:
    limit(stores, default=2)
    first, won, other = started(stores), started(stores), started(stores)
    take(stores, first)
    take(stores, won, "large", slots=2)
    take(stores, won, "larger", pool="web", slots=1)
    take(stores, won, "largest", slots=2)
    take(stores, other, "small")
    assert len(line(stores)) == 3
    end(stores, won)
    assert line(stores) == []
    assert held(stores) == sorted([(first.run_id, "load"), (other.run_id, "small")]), "the next are served"
    assert not stores.pool_slots.claim(
        won.run_id, "large", attempt=won.attempt, pool="db", slots=1, priority=0, now=NOW
    )
    assert line(stores) == []


class _Place(NamedTuple):
    order: tuple[int, int]
    holder: tuple[str, str, str]
    slots: int


class PoolsOverTime(RuleBasedStateMachine):
    """Against a plain model: which step holds how much of which pool, and who waits in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        settings = SqliteSettings(str(Path(self.directory.name) / "runyard.db"), synchronous="OFF")
        self.stores = open_stores(settings, ManualClock(), runtime_dir=self.directory.name)
        self.limits: dict[str, int] = {"db": 3, "web": 1}
        self.paused: set[str] = set()
        self.held: dict[tuple[str, str, str], int] = {}
        self.lines: dict[str, list[_Place]] = {"db": [], "web": []}
        self.numbers = count(1)

    def teardown(self) -> None:
        self.stores.close()
        self.directory.cleanup()

    @initialize()
    def begin(self) -> None:
        limit(self.stores, **self.limits)
        self.runs = [started(self.stores) for _ in range(3)]

    def serve(self) -> None:
        for pool, places in self.lines.items():
            most = self.limits[pool]
            for place in sorted(places):
                if place.slots > most or pool in self.paused:
                    continue
                if self.in_use(pool) + place.slots > most:
                    break
                places.remove(place)
                self.held[place.holder] = place.slots

    def in_use(self, pool: str) -> int:
        return sum(slots for (_, _, of), slots in self.held.items() if of == pool)

    def forget(self, run_id: str, step: str | None = None) -> None:
        def gone(holder: tuple[str, str, str]) -> bool:
            return holder[0] == run_id and step in (None, holder[1])

        self.held = {holder: slots for holder, slots in self.held.items() if not gone(holder)}
        for pool, places in self.lines.items():
            self.lines[pool] = [place for place in places if not gone(place.holder)]
        self.serve()

    @rule(
        run=st.integers(0, 2),
        step=st.sampled_from("ab"),
        pool=st.sampled_from(["db", "web"]),
        slots=st.integers(1, 4),
        priority=st.integers(-1, 1),
    )
    def claim(self, run: int, step: str, pool: str, slots: int, priority: int) -> None:
        won, most = self.runs[run], self.limits[pool]
        holder = (won.run_id, step, pool)
        if most and slots > most and holder not in self.held:
            with pytest.raises(NeverAdmissible):
                take(self.stores, won, step, pool=pool, slots=slots, priority=priority)
            return
        waits = any(place.holder == holder for place in self.lines[pool])
        if holder not in self.held and not waits:
            self.lines[pool].append(_Place((-priority, next(self.numbers)), holder, slots))
            self.serve()
        assert take(self.stores, won, step, pool=pool, slots=slots, priority=priority) == (holder in self.held)

    @rule(run=st.integers(0, 2), step=st.sampled_from("ab"))
    def free(self, run: int, step: str) -> None:
        free(self.stores, self.runs[run], step)
        self.forget(self.runs[run].run_id, step)

    @rule(run=st.integers(0, 2), step=st.sampled_from("ab"), kind=st.sampled_from(["STEP_FAILURE", "STEP_SUCCESS"]))
    def end_step(self, run: int, step: str, kind: str) -> None:
        won = self.runs[run]
        self.stores.runs.report([step_ends(won.run_id, step, seq=next(self.numbers), kind=EventType(kind))])
        self.forget(won.run_id, step)

    @rule(run=st.integers(0, 2), end=st.sampled_from([RunStatus.SUCCESS, RunStatus.FAILURE]))
    def end(self, run: int, end: RunStatus) -> None:
        won = self.runs[run]
        self.stores.runs.report([report(won, end=end)])
        self.forget(won.run_id)
        self.runs[run] = started(self.stores)

    @rule(pool=st.sampled_from(["db", "web"]), most=st.integers(0, 4))
    def set_limit(self, pool: str, most: int) -> None:
        self.stores.limits.change(LimitChange(kind="pool", name=pool, limit=most), by="ops", now=NOW)
        self.limits[pool] = most
        self.serve()

    @rule(pool=st.sampled_from(["db", "web"]))
    def pause_or_resume(self, pool: str) -> None:
        if pool in self.paused:
            self.stores.limits.resume("pool", pool, by="ops", now=NOW)
        else:
            self.stores.limits.pause(Pause(scope="pool", name=pool, by="ops", since=NOW))
        self.paused ^= {pool}
        self.serve()

    @invariant()
    def as_expected(self) -> None:
        found = {(one.run_id, one.step_key, one.pool): one.slots for one in self.stores.pool_slots.holders()}
        assert found == self.held
        used(self.stores)
        for pool, places in self.lines.items():
            waiting = [(one.run_id, one.step_key, one.pool) for one in self.stores.pool_slots.waiters([pool])]
            assert waiting == [place.holder for place in sorted(places)]


# Shrinking takes minutes with a database in each step.
PoolsOverTime.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, phases=set(Phase) - {Phase.shrink}
)
test_pools_over_time = PoolsOverTime.TestCase


def test_a_wait_is_explained_by_the_rules_in_force(stores: SqlStores) -> None:
    first, won = _full(stores), started(stores)
    take(stores, won, "other")
    take(stores, won, "load")
    found = {wait.step_key: wait for wait in stores.pool_slots.waits(won.run_id, now=NOW)}
    assert stores.pool_slots.waits(first.run_id, now=NOW) == []
    assert (found["load"].limit, found["load"].used) == (1, 1)
    assert [holder.run_id for holder in found["load"].holders] == [first.run_id]
    assert [waiter.step_key for waiter in found["load"].ahead] == ["other"]
    pause = Pause(scope="pool", name="db", by="ann", since=NOW, until=NOW + 60)
    stores.limits.pause(pause)
    stores.limits.change(LimitChange(kind="pool", name="db", limit=0), by="ann", now=NOW)
    assert [(wait.pause, wait.limit) for wait in stores.pool_slots.waits(won.run_id, now=NOW + 1)] == [(pause, 0)] * 2
    assert [wait.pause for wait in stores.pool_slots.waits(won.run_id, now=NOW + 61)] == [None, None]
