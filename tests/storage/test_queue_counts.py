"""Ranks and depths are sums of counts: they must be what a walk over the queue finds, whatever was done to it."""

from __future__ import annotations

import random
from itertools import groupby

import pytest
import sqlalchemy as sa

from runyard.core.clock import ManualClock
from runyard.core.queue import QueueFilter, Steering
from runyard.core.run import Run, RunStatus
from runyard.storage.open import SqlStores
from runyard.storage.protocols import RunsFilter
from runyard.storage.queue_counts import count_moves
from runyard.storage.schema import BLOCK, queue_counts

from .make import BOOM, NOW, claim, enqueue, new_run, steer


def _check(stores: SqlStores) -> None:
    queued = list(stores.runs.list(RunsFilter(statuses=(RunStatus.QUEUED,)), limit=10_000))
    waiting = sorted((run for run in queued if not run.held), key=lambda run: (-run.priority, run.queue_seq or 0))
    ranks = stores.queue.positions(waiting)
    assert ranks == {run.run_id: rank for rank, run in enumerate(waiting, 1)}
    # PostgreSQL's sums are decimals, which would be told as text.
    assert {type(rank) for rank in ranks.values()} <= {int}
    assert stores.queue.depth() == len(queued)
    assert stores.queue.oldest() == min((run.queued_at for run in waiting if run.queued_at), default=None)
    assert stores.queue.depth(QueueFilter(held=False)) == len(waiting)
    assert stores.queue.depth(QueueFilter(held=True)) == len(queued) - len(waiting)


def _use_up_places(stores: SqlStores, count: int) -> None:
    """So that the next runs are in another block."""
    with stores.database.write() as connection:
        stores.database.numbers(connection, "queue_seq", count)


def _step(stores: SqlStores, chance: random.Random) -> None:
    queued = list(stores.runs.list(RunsFilter(statuses=(RunStatus.QUEUED,)), limit=10_000))
    some = chance.sample(queued, min(len(queued), chance.randint(1, 4)))
    ids = tuple(run.run_id for run in some)
    match chance.choice(["add", "add", "jump", "steer", "steer", "cancel", "claim", "back", "bulk", "forget"]):
        case "add":
            new = [new_run(priority=chance.randint(-1, 1)) for _ in range(chance.randint(1, 4))]
            stores.runs.add(new, enqueue=True)
        case "jump":
            _use_up_places(stores, chance.choice([BLOCK // 2, BLOCK]))
        case "steer" if some:
            steering = Steering(
                action=chance.choice(["priority", "hold", "release"]), by="ops", priority=chance.randint(-1, 1)
            )
            stores.queue.steer(QueueFilter(run_ids=ids), steering, now=NOW)
        case "cancel" if some:
            steer(stores, ids[0], "cancel")
        case "claim" if some:
            claim(stores, *some)
        case "back" if some:
            _launch_in_vain(stores, some[0], again=chance.random() < 0.7)
        case "bulk":
            stores.queue.steer(QueueFilter(), Steering(action="priority", by="ops", priority=1), now=NOW, limit=3)
        case _:
            stores.queue.forget_changes(stores.queue.change_head())


def _launch_in_vain(stores: SqlStores, run: Run, *, again: bool) -> None:
    """Back into the queue, or failed."""
    for won in claim(stores, run):
        expected = (RunStatus.STARTING,)
        if again:
            stores.runs.requeue(won.run_id, attempt=won.attempt, reason="Unreachable.", now=NOW)
        else:
            stores.runs.fail(won.run_id, attempt=won.attempt, expected=expected, failure=BOOM, now=NOW)


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_what_is_queued(stores: SqlStores, clock: ManualClock, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  no secret
    for _ in range(60):
        clock.advance(1)
        _step(stores, chance)
        _check(stores)


def test_writers_of_one_block_do_not_wait(postgres_stores: SqlStores) -> None:
    enqueue(postgres_stores)
    with postgres_stores.database.write() as first:
        count_moves(first, come=[(0, 0, 7)])
        # With a row that both change it would wait for the first one's end, which comes after its own.
        with postgres_stores.database.write() as second:
            count_moves(second, come=[(0, 0, 8)])
        assert postgres_stores.queue.depth() == 2
    assert postgres_stores.queue.depth() == 3


def test_blocks_keep_few_rows(stores: SqlStores) -> None:
    runs = [enqueue(stores) for _ in range(20)]
    _use_up_places(stores, 2 * BLOCK)
    gone = enqueue(stores)
    steer(stores, gone.run_id, "cancel")
    stores.queue.forget_changes(stores.queue.change_head())
    with stores.database.read() as connection:
        rows = connection.execute(sa.select(queue_counts.c.block, queue_counts.c.n)).all()
    assert [(block, sum(n for _, n in found)) for block, found in groupby(rows, key=lambda row: row[0])] == [
        ((runs[0].queue_seq or 0) // BLOCK, 20)
    ]
    assert len(rows) == 1
