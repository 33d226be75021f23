"""Expected starts and what came of them, and who overtook a queued run."""

from __future__ import annotations

from runyard.core.queue import Estimate
from runyard.core.run import Run
from runyard.storage.estimates import KEPT
from runyard.storage.open import SqlStores

from .make import NOW, claim, enqueue, get, lead


def expect(stores: SqlStores, run_id: str, made_at: float, start: float) -> None:
    stores.queue.expect([Estimate(run_id, made_at, start)])


def launch(stores: SqlStores, run: Run, at: float) -> None:
    fence, version = lead(stores), stores.queue.rules().version
    heads = [head for head in stores.queue.heads([run.lane or ""], per_lane=99) if head.run_id == run.run_id]
    (won,) = stores.queue.claim(heads, fence=fence, rules_version=version, now=at)
    assert won.run_id == run.run_id


def test_the_first_estimate_of_a_run_stays_and_tells_once_it_has_started(stores: SqlStores) -> None:
    first, second, third = (enqueue(stores) for _ in range(3))
    expect(stores, first.run_id, NOW, NOW + 10)
    expect(stores, first.run_id, NOW + 5, NOW + 11)
    stores.queue.expect([Estimate(second.run_id, NOW + 1, NOW + 20), Estimate(third.run_id, NOW + 2, NOW + 30)])
    assert stores.queue.estimates() == []
    launch(stores, second, NOW + 25)
    launch(stores, first, NOW + 12)
    assert stores.queue.estimates() == [
        Estimate(second.run_id, NOW + 1, NOW + 20, NOW + 25),
        Estimate(first.run_id, NOW, NOW + 10, NOW + 12),
    ]
    assert len(stores.queue.estimates(limit=1)) == 1


def test_a_run_that_goes_back_to_the_queue_has_not_started(stores: SqlStores) -> None:
    run = enqueue(stores)
    expect(stores, run.run_id, NOW, NOW + 10)
    launch(stores, run, NOW + 12)
    stores.runs.requeue(run.run_id, attempt=1, reason="r", now=NOW + 13)
    assert stores.queue.estimates() == []
    launch(stores, run, NOW + 40)
    assert [one.started_at for one in stores.queue.estimates()] == [NOW + 40]


def test_only_the_newest_are_kept(stores: SqlStores) -> None:
    old, young = enqueue(stores), enqueue(stores)
    claim(stores, old, young)
    stores.queue.expect([])
    expect(stores, old.run_id, NOW, NOW)
    expect(stores, young.run_id, NOW + 1, NOW)
    stores.queue.expect([Estimate(f"run{number}", NOW + 9, NOW) for number in range(KEPT - 1)])
    assert [one.run_id for one in stores.queue.estimates()] == [young.run_id]


def test_who_overtook_a_run(stores: SqlStores) -> None:
    earlier, run, later, last, waiting = (enqueue(stores) for _ in range(5))
    now = get(stores, run.run_id).queued_at
    assert now is not None
    for other, at in ((earlier, now + 1), (last, now + 2), (later, now + 3)):
        launch(stores, other, at)
    run = get(stores, run.run_id)
    assert [other.run_id for other in stores.queue.overtaken(run)] == [later.run_id, last.run_id]
    assert [other.run_id for other in stores.queue.overtaken(run, limit=1)] == [later.run_id]
    assert stores.queue.overtaken(get(stores, waiting.run_id)) == []
