"""Step slots in pools: what is used is what is held, at every committed state."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from runyard.core.clock import ManualClock
from runyard.core.errors import NeverAdmissible
from runyard.core.pools import PoolHolder
from runyard.core.queue import Claim, LimitChange, QueueChange
from runyard.core.run import RunStatus
from runyard.queue.rules import Pause, PoolRules, Rules
from runyard.settings.instance import SqliteSettings
from runyard.storage.open import SqlStores, open_stores

from .make import BOOM, NOW, claimed, in_status, report, started

USED = (
    "SELECT c.pool, c.used, (SELECT coalesce(sum(h.slots), 0) FROM pool_holders AS h WHERE h.pool = c.pool)"
    " FROM pool_counters AS c"
)


def limit(stores: SqlStores, default: int | None = None, **limits: int) -> None:
    stores.limits.configure(Rules(pools=PoolRules(default_limit=default, limits=limits)))


def take(stores: SqlStores, won: Claim, step: str = "load", *, pool: str = "db", slots: int = 1) -> bool:
    return stores.pool_slots.claim(won.run_id, step, attempt=won.attempt, pool=pool, slots=slots, priority=0, now=NOW)


def used(stores: SqlStores) -> dict[str, int]:
    """Slots in use by pool; fails when counters and holders differ."""
    with stores.database.read() as connection:
        rows = connection.exec_driver_sql(USED).all()
    assert all(number == held for _, number, held in rows), rows
    return {pool: number for pool, number, _ in rows if number}


def pool_changes(stores: SqlStores, act: Callable[[], object]) -> list[QueueChange]:
    place = stores.queue.change_head()
    act()
    return [change for change in stores.queue.changes(place) if change.kind == "pool"]


def test_a_full_pool_keeps_the_next_step_out(stores: SqlStores) -> None:
    limit(stores, db=3)
    first, second = started(stores), started(stores)
    assert take(stores, first, slots=2)
    assert not take(stores, second, slots=2)
    assert take(stores, second, "other")
    assert used(stores) == {"db": 3}
    stores.pool_slots.free(first.run_id, "load", attempt=first.attempt)
    assert take(stores, second, slots=2)
    held = [(holder.run_id, holder.step_key, holder.slots) for holder in stores.pool_slots.holders(["db"])]
    assert sorted(held) == sorted([(second.run_id, "other", 1), (second.run_id, "load", 2)])


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
    assert stores.pool_slots.claim(
        won.run_id, "third", attempt=won.attempt, pool="db", slots=1, priority=0, now=NOW + 10
    )


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
    stores.pool_slots.free(won.run_id, "load", attempt=won.attempt)
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
    free = stores.pool_slots.free
    assert [change.lane for change in pool_changes(stores, lambda: take(stores, won))] == ["db"]
    assert pool_changes(stores, lambda: take(stores, other)) == []
    assert pool_changes(stores, lambda: free(other.run_id, "load", attempt=1)) == []
    assert pool_changes(stores, lambda: free(won.run_id, "load", attempt=2)) == []
    assert [change.lane for change in pool_changes(stores, lambda: free(won.run_id, "load", attempt=1))] == ["db"]


SLOW_COMMITS = """
    CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(random() * 0.01); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER take_time AFTER INSERT OR DELETE ON pool_holders
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION take_time();
"""
LIMITS = {"db": 3, "web": 2}


class _Worker:
    """Claims, frees and ends at random; every step is of a run that several workers share."""

    def __init__(self, stores: SqlStores, seed: int, shared: list[Claim]) -> None:
        self.stores, self.random, self.shared = stores, random.Random(seed), shared  # noqa: S311  no secret
        self.granted = 0
        self.own = started(stores)
        self.thread = threading.Thread(target=self.work)
        self.error: BaseException | None = None

    def work(self) -> None:
        try:
            for _ in range(60):
                self.act()
        except BaseException as error:  # noqa: BLE001  raised again by the test
            self.error = error

    def act(self) -> None:
        won = self.random.choice([self.own, *self.shared])
        step = f"step{self.random.randrange(3)}"
        chance = self.random.random()
        if chance < 0.6:
            pool = self.random.choice(sorted(LIMITS))
            self.granted += take(self.stores, won, step, pool=pool, slots=self.random.randint(1, 2))
        elif chance < 0.9:
            self.stores.pool_slots.free(won.run_id, step, attempt=won.attempt)
        else:
            self.stores.runs.report([report(self.own, end=RunStatus.SUCCESS)])
            self.own = started(self.stores)


def test_eight_claimers_never_take_more_than_there_is(postgres_stores: SqlStores) -> None:
    """Commits take their time, so that transactions overlap; what others see of them always adds up."""
    stores = postgres_stores
    limit(stores, **LIMITS)
    with stores.database.write() as connection:
        connection.exec_driver_sql(SLOW_COMMITS)
    shared = [started(stores), started(stores)]
    workers = [_Worker(stores, seed, shared) for seed in range(8)]
    for worker in workers:
        worker.thread.start()
    looks, seen = 0, set[int]()
    while any(worker.thread.is_alive() for worker in workers):
        # One statement, one snapshot.
        now = used(stores)
        assert all(now.get(pool, 0) <= most for pool, most in LIMITS.items()), now
        looks += 1
        seen.add(now.get("db", 0))
    for worker in workers:
        worker.thread.join()
        if worker.error is not None:
            raise worker.error
    assert looks > 20
    assert LIMITS["db"] in seen, "the pool was full at times"
    assert sum(worker.granted for worker in workers) > 50


class PoolsOverTime(RuleBasedStateMachine):
    """Against a plain model: which step holds how much of which pool."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        settings = SqliteSettings(str(Path(self.directory.name) / "runyard.db"), synchronous="OFF")
        self.stores = open_stores(settings, ManualClock(), runtime_dir=self.directory.name)
        self.limits: dict[str, int] = {"db": 3, "web": 1}
        self.held: dict[tuple[str, str, str], int] = {}
        self.numbers = count()

    def teardown(self) -> None:
        self.stores.close()
        self.directory.cleanup()

    @initialize()
    def begin(self) -> None:
        limit(self.stores, **self.limits)
        self.runs = [started(self.stores) for _ in range(3)]

    @rule(
        run=st.integers(0, 2), step=st.sampled_from("ab"), pool=st.sampled_from(["db", "web"]), slots=st.integers(1, 4)
    )
    def claim(self, run: int, step: str, pool: str, slots: int) -> None:
        won, most = self.runs[run], self.limits[pool]
        holder = (won.run_id, step, pool)
        if most and slots > most:
            with pytest.raises(NeverAdmissible):
                take(self.stores, won, step, pool=pool, slots=slots)
            return
        fits = sum(taken for (_, _, of), taken in self.held.items() if of == pool) + slots <= most
        assert take(self.stores, won, step, pool=pool, slots=slots) == (holder in self.held or fits)
        if fits:
            self.held.setdefault(holder, slots)

    @rule(run=st.integers(0, 2), step=st.sampled_from("ab"))
    def free(self, run: int, step: str) -> None:
        won = self.runs[run]
        self.stores.pool_slots.free(won.run_id, step, attempt=won.attempt)
        self.held = {key: slots for key, slots in self.held.items() if key[:2] != (won.run_id, step)}

    @rule(run=st.integers(0, 2), end=st.sampled_from([RunStatus.SUCCESS, RunStatus.FAILURE]))
    def end(self, run: int, end: RunStatus) -> None:
        won = self.runs[run]
        self.stores.runs.report([report(won, end=end)])
        self.held = {key: slots for key, slots in self.held.items() if key[0] != won.run_id}
        self.runs[run] = started(self.stores)

    @rule(pool=st.sampled_from(["db", "web"]), most=st.integers(0, 4))
    def set_limit(self, pool: str, most: int) -> None:
        self.stores.limits.change(LimitChange(kind="pool", name=pool, limit=most), by="ops", now=NOW)
        self.limits[pool] = most

    @invariant()
    def holders_are_as_expected(self) -> None:
        found = {(one.run_id, one.step_key, one.pool): one.slots for one in self.stores.pool_slots.holders()}
        assert found == self.held
        used(self.stores)


PoolsOverTime.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
test_pools_over_time = PoolsOverTime.TestCase
