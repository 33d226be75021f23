"""Eight workers at the same pools on PostgreSQL, with commits that take their time, so that transactions overlap."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from itertools import count

from runyard.core.policies import RunPolicies
from runyard.core.queue import Claim, LimitChange
from runyard.core.run import RunStatus
from runyard.queue.rules import OverlapRule, Pause, PoolRules, Rules
from runyard.storage.open import SqlStores

from .make import BOOM, NOW, enqueue, get, new_run, report
from .pools import limit, step_ends, take, used

LIMITS = {"db": 3, "web": 2}
# Runs when a transaction commits, which still has the counter locked: whoever got slots had nobody before it who could
# have had them. Steps are named by their priority.
_SLOW_COMMITS = """
    CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(random() * 0.006); RETURN NULL; END $$;
    CREATE SEQUENCE grants;
    CREATE FUNCTION nobody_passed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM nextval('grants');
        PERFORM pg_sleep(random() * 0.006);
        IF EXISTS (
            SELECT 1 FROM pool_waiters AS w WHERE w.pool = NEW.pool AND w.slots <= NEW.slots
            AND -w.np > split_part(NEW.step_key, ' ', 1)::int
        ) THEN RAISE EXCEPTION 'somebody was passed'; END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER nobody_passed AFTER INSERT ON pool_holders
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nobody_passed();
    CREATE CONSTRAINT TRIGGER take_time AFTER DELETE ON pool_holders
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION take_time();
    CREATE CONSTRAINT TRIGGER take_time AFTER INSERT ON pool_waiters
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION take_time();
"""
# One statement, one snapshot: what is used, what is held, and what the first in line wants.
_LOOK = """
    SELECT c.pool, c.used, (SELECT coalesce(sum(h.slots), 0) FROM pool_holders AS h WHERE h.pool = c.pool),
        (SELECT w.slots FROM pool_waiters AS w WHERE w.pool = c.pool ORDER BY np, seq LIMIT 1)
    FROM pool_counters AS c
"""


class _Worker:
    """Claims, frees and ends at random; every step is of a run that several workers share, or of its own."""

    def __init__(self, stores: SqlStores, seed: int, shared: Sequence[Claim]) -> None:
        self.stores, self.random, self.shared = stores, random.Random(seed), shared  # noqa: S311  no secret
        self.numbers = count(seed * 1_000_000)
        self.own = self.start()
        self.thread = threading.Thread(target=self.work)
        self.error: BaseException | None = None

    def start(self) -> Claim:
        enqueue(self.stores)
        (run,) = self.stores.runs.add([new_run()], enqueue=False)
        won = self.stores.queue.start_directly(run.run_id, now=NOW)
        assert won is not None
        assert self.stores.runs.report([report(won, begin=True)]) == [True]
        return won

    def work(self) -> None:
        try:
            for _ in range(40):
                self.act()
        except BaseException as error:  # noqa: BLE001  raised again by the test
            self.error = error

    def act(self) -> None:
        chance = self.random.random()
        if chance < 0.5:
            pool, priority = self.random.choice(sorted(LIMITS)), self.random.randrange(3)
            slots, step = self.random.randint(1, LIMITS[pool]), f"{priority} {self.random.randrange(2)}"
            won = self.random.choice([self.own, *self.shared])
            take(self.stores, won, step, pool=pool, slots=slots, priority=priority)
        elif chance < 0.9:
            self.give_back()
        else:
            self.end()
            self.own = self.start()

    def give_back(self) -> None:
        """What some step holds, by itself or at its end, told together with ends of steps that hold nothing."""
        holders = self.stores.pool_slots.holders()
        if not holders:
            return
        some = self.random.choice(holders)
        if self.random.random() < 0.5:
            self.stores.pool_slots.free(some.run_id, some.step_key, attempt=some.attempt)
        else:
            runs = {some.run_id, *(one.run_id for one in (self.own, *self.shared))}
            self.stores.runs.report([step_ends(run_id, some.step_key, seq=next(self.numbers)) for run_id in runs])

    def end(self) -> None:
        """By any of the ways in which a run ends."""
        runs, run_id, attempt = self.stores.runs, self.own.run_id, self.own.attempt
        way = self.random.randrange(4)
        if way == 0:
            runs.fail(run_id, attempt=attempt, expected=(RunStatus.STARTED,), failure=BOOM, now=NOW)
        elif way == 1:
            runs.cancel_active(run_id, message="m", now=NOW, failure=BOOM)
            runs.end_canceling(run_id, attempt=attempt, message="m", now=NOW)
        elif way == 2:
            while (lost := get(self.stores, run_id)).status is not RunStatus.FAILURE:
                runs.lose_worker(run_id, attempt=lost.attempt, failure=BOOM, now=NOW)
        else:
            runs.report([report(self.own, end=self.random.choice([RunStatus.SUCCESS, RunStatus.FAILURE]))])


def _at_work(workers: Sequence[_Worker]) -> Iterator[None]:
    """For as long as they work; raises what went wrong in one of them."""
    for worker in workers:
        worker.thread.start()
    while any(worker.thread.is_alive() for worker in workers):
        yield
    for worker in workers:
        worker.thread.join()
        if worker.error is not None:
            raise worker.error


def _workers(stores: SqlStores) -> list[_Worker]:
    with stores.database.write() as connection:
        connection.exec_driver_sql(_SLOW_COMMITS)
    shared = [_Worker(stores, seed, ()).own for seed in (98, 99)]
    return [_Worker(stores, seed, shared) for seed in range(8)]


def _grants(stores: SqlStores) -> int:
    with stores.database.read() as connection:
        return int(connection.exec_driver_sql("SELECT last_value FROM grants").scalar_one())


def _end_all(stores: SqlStores, workers: Sequence[_Worker]) -> None:
    for won in {one.run_id: one for worker in workers for one in (worker.own, *worker.shared)}.values():
        stores.runs.report([report(won, end=RunStatus.SUCCESS)])
    assert stores.pool_slots.holders() == []
    assert stores.pool_slots.waiters() == []
    assert used(stores) == {}


def test_eight_claimers_take_what_there_is_and_never_more(postgres_stores: SqlStores) -> None:
    """At every committed state no limit is exceeded, slots are holders, and the first in line does not fit."""
    stores = postgres_stores
    limit(stores, **LIMITS)
    workers = _workers(stores)
    looks, seen = 0, set[tuple[int, bool]]()
    for _ in _at_work(workers):
        with stores.database.read() as connection:
            rows = connection.exec_driver_sql(_LOOK).all()
        for pool, number, total, wanted in rows:
            assert number == total <= LIMITS[pool], rows
            assert wanted is None or number + wanted > LIMITS[pool], rows
            seen.add((number, wanted is not None))
        looks += 1
    assert looks > 5
    assert (LIMITS["db"], True) in seen, "the pool was full at times, and had a line"
    assert _grants(stores) > 30
    _serve_to_the_end(stores, "db")
    _end_all(stores, workers)


def _serve_to_the_end(stores: SqlStores, pool: str) -> None:
    """Nobody is left behind: holders go one by one, and whoever waits comes to its turn, in order."""
    while line := stores.pool_slots.waiters([pool]):
        before = {(holder.run_id, holder.step_key) for holder in stores.pool_slots.holders([pool])}
        gone = min(before)
        stores.pool_slots.free(*gone, attempt=1)
        after = {(holder.run_id, holder.step_key) for holder in stores.pool_slots.holders([pool])}
        served = after - before
        assert served == {(waiter.run_id, waiter.step_key) for waiter in line[: len(served)]}
        assert len(stores.pool_slots.waiters([pool])) == len(line) - len(served)


def test_rules_that_change_and_runs_that_are_retried_meanwhile_stop_nobody(postgres_stores: SqlStores) -> None:
    """Everything that locks rules, jobs, runs and pools at once: no order of locks leads to a deadlock."""
    stores = postgres_stores
    rules = Rules(pools=PoolRules(limits=LIMITS), overlaps=(OverlapRule(job="job", policy="allow", max_queued=900),))
    stores.limits.configure(rules)
    stores.policies.configure(RunPolicies(retries_enabled=True, max_retries=1, max_resumes=1))
    workers = _workers(stores)
    changes = count()
    for _ in _at_work(workers):
        number = next(changes)
        stores.limits.change(LimitChange(kind="pool", name="db", limit=3 + number % 2), by="ops", now=NOW)
        stores.limits.pause(Pause(scope="pool", name="web", by="ops", since=NOW))
        stores.limits.resume("pool", "web", by="ops", now=NOW)
        with stores.database.read() as connection:
            for pool, number, total, _ in connection.exec_driver_sql(_LOOK):
                assert number == total <= LIMITS[pool] + (pool == "db")
    assert next(changes) > 10
    assert _grants(stores) > 30
    assert stores.runs.count_by_status().get(RunStatus.QUEUED, 0) > 0, "runs were retried"
    _end_all(stores, workers)
