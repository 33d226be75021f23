from __future__ import annotations

from runyard.core.clock import ManualClock
from runyard.core.pools import PoolNeeds
from runyard.core.run import RunStatus
from runyard.storage.open import SqlStores

from .make import BOOM, claim, enqueue, new_run


def test_runs_that_were_there_in_a_window(stores: SqlStores, clock: ManualClock) -> None:
    pools = PoolNeeds({"db": 2}, {"db": 1})
    early = enqueue(stores, priority=3, tags={"team": "docs"}, pools=pools)
    start = clock.now()
    (won,) = claim(stores, early)
    clock.advance(10)
    waiting = enqueue(stores, job_name="other")
    stores.runs.add([new_run()], enqueue=False)
    clock.advance(10)
    expected = (RunStatus.STARTING,)
    stores.runs.fail(won.run_id, attempt=won.attempt, expected=expected, failure=BOOM, now=clock.now())
    clock.advance(10)
    late = enqueue(stores)

    everything = stores.history.between(start - 1, clock.now() + 1, limit=10)
    assert [run.run_id for run in everything] == [early.run_id, waiting.run_id, late.run_id]
    first = everything[0]
    assert (first.job_name, first.location_name, first.priority, first.tags) == ("job", "loc", 3, {"team": "docs"})
    assert (first.pools, first.queued_at) == (pools, start)
    assert first.launched_at is not None
    assert first.ended_at == start + 20
    assert (everything[1].launched_at, everything[1].ended_at) == (None, None)

    def ids(since: float, until: float, limit: int = 10) -> list[str]:
        return [run.run_id for run in stores.history.between(start + since, start + until, limit=limit)]

    assert ids(0, 10) == [early.run_id]
    assert ids(19, 30) == [early.run_id, waiting.run_id]
    assert ids(20, 30) == [waiting.run_id]
    assert ids(25, 31) == [waiting.run_id, late.run_id]
    assert ids(0, 31, limit=2) == [early.run_id, waiting.run_id]


def test_a_run_without_the_queue_came_when_it_was_launched(stores: SqlStores, clock: ManualClock) -> None:
    (run,) = stores.runs.add([new_run()], enqueue=False)
    clock.advance(5)
    stores.queue.start_directly(run.run_id, now=clock.now())
    (found,) = stores.history.between(0, clock.now() + 1, limit=10)
    assert found.queued_at == found.launched_at == clock.now()
