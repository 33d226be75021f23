"""Overlap policies where runs are inserted: by people and by ticks, also several at once."""

from __future__ import annotations

import threading

import pytest

from runyard.core.errors import OverlapRefused
from runyard.core.run import Run, RunStatus
from runyard.core.tick import TickStatus
from runyard.queue.rules import OverlapPolicy, OverlapRule, Rules
from runyard.storage.open import SqlStores
from runyard.storage.protocols import RunAddition, RunsFilter

from .make import (
    KEY,
    NOW,
    SCHEDULE,
    claim,
    commit,
    enqueue,
    event_types,
    get,
    new_run,
    report,
    started,
    state,
    steer,
    tick,
)


def policy(
    stores: SqlStores, name: OverlapPolicy, *, max_queued: int | None = None, location: str | None = None
) -> None:
    rule = OverlapRule(job="job", location=location, policy=name, max_queued=max_queued)
    stores.limits.configure(Rules(overlaps=(rule,)))


def statuses(stores: SqlStores, *runs: Run) -> list[str]:
    return [get(stores, run.run_id).status.value for run in runs]


def count(stores: SqlStores) -> int:
    return stores.runs.count(RunsFilter())


def test_skip_refuses_while_one_is_queued_or_active(stores: SqlStores) -> None:
    policy(stores, "skip")
    first = enqueue(stores)
    with pytest.raises(OverlapRefused, match="'job' was refused by its overlap policy 'skip': a run of it is queued"):
        enqueue(stores)
    (won,) = claim(stores, first)
    with pytest.raises(OverlapRefused, match="active"):
        enqueue(stores)
    stores.runs.report([report(won, begin=True)])
    stores.runs.report([report(won, end=RunStatus.SUCCESS)])
    enqueue(stores)
    assert count(stores) == 2


def test_a_held_run_is_there_too(stores: SqlStores) -> None:
    policy(stores, "skip")
    steer(stores, enqueue(stores).run_id, "hold")
    with pytest.raises(OverlapRefused):
        enqueue(stores)


def test_other_jobs_and_locations_are_apart(stores: SqlStores) -> None:
    policy(stores, "skip")
    enqueue(stores)
    for fields in ({"job_name": "job2"}, {"job_name": 'job"'}, {"location_name": "elsewhere"}):
        enqueue(stores, **fields)
    with pytest.raises(OverlapRefused):
        enqueue(stores, location_name="elsewhere")
    policy(stores, "skip", location="loc")
    enqueue(stores, location_name="elsewhere")


def test_queue_one_lets_one_wait_behind_the_active_one(stores: SqlStores) -> None:
    policy(stores, "queue_one")
    started(stores)
    enqueue(stores)
    with pytest.raises(OverlapRefused, match="queued"):
        enqueue(stores)


def test_no_more_than_max_queued(stores: SqlStores) -> None:
    policy(stores, "allow", max_queued=2)
    started(stores)
    enqueue(stores)
    with pytest.raises(OverlapRefused, match="2 of it are queued and 2 may be"):
        stores.runs.add([new_run(), new_run()], enqueue=True)
    assert count(stores) == 2, "nothing was inserted, not the first one either"
    stores.runs.add([new_run(job_name="other"), new_run()], enqueue=True)


def test_cancel_old_takes_the_place_of_all_that_are_there(stores: SqlStores) -> None:
    running, queued, held, other = started(stores), enqueue(stores), enqueue(stores), enqueue(stores, job_name="other")
    steer(stores, held.run_id, "hold")
    policy(stores, "cancel_old")
    new = enqueue(stores)
    assert get(stores, running.run_id).status is RunStatus.CANCELING
    assert statuses(stores, queued, held, other, new) == ["CANCELED", "CANCELED", "QUEUED", "QUEUED"]
    assert event_types(stores, queued.run_id)[-1] == "RUN_CANCELED"
    told = stores.events.of_run(running.run_id)[-1].event
    assert told.type.value == "RUN_CANCELING"
    assert told.message == f"Canceled by its overlap policy 'cancel_old': run {new.run_id[:8]} takes its place."
    # One that is being canceled already is left to its end.
    enqueue(stores)
    assert get(stores, running.run_id).status is RunStatus.CANCELING


def test_of_several_at_once_the_last_stays(stores: SqlStores) -> None:
    policy(stores, "cancel_old")
    added = stores.runs.add([new_run(), new_run(job_name="other"), new_run()], enqueue=True)
    assert [run.status.value for run in added] == statuses(stores, *added) == ["CANCELED", "QUEUED", "QUEUED"]


def test_runs_that_are_not_queued_are_nobodys_business(stores: SqlStores) -> None:
    policy(stores, "skip")
    enqueue(stores)
    stores.runs.add([new_run()], enqueue=False)


def test_a_refused_key_of_a_person_is_free_again(stores: SqlStores) -> None:
    policy(stores, "skip")
    first = enqueue(stores)
    with pytest.raises(OverlapRefused):
        stores.runs.add([new_run()], enqueue=True, key=KEY)
    stores.runs.cancel_waiting(first.run_id, message="m", now=NOW)
    (run,) = stores.runs.add([new_run()], enqueue=True, key=KEY)
    assert statuses(stores, run) == ["QUEUED"]


def test_a_tick_says_which_runs_were_refused(stores: SqlStores) -> None:
    policy(stores, "skip")
    asked = [
        RunAddition(run=new_run(job_name=name), run_key=key) for name, key in (("job", "a"), ("job", "b"), ("x", "c"))
    ]
    outcome = commit(stores, asked)
    assert [run.job_name for run in outcome.runs] == ["job", "x"]
    (sentence,) = outcome.tick.refused
    assert "overlap policy 'skip'" in sentence
    assert (outcome.tick.status, outcome.tick.skip_reason) == (TickStatus.SUCCESS, None)
    assert stores.ticks.list(outcome.tick.key, limit=1) == [outcome.tick]


def test_a_tick_of_which_nothing_is_left_is_skipped_and_its_key_stays_free(stores: SqlStores) -> None:
    policy(stores, "skip")
    first = enqueue(stores)
    for ended, after in ((tick(), None), (tick(SCHEDULE), state(SCHEDULE))):
        if after is not None:
            stores.ticks.put_state(after)
        refused = commit(stores, [RunAddition(run=new_run(), run_key="k")], ended=ended).tick
        assert refused.status is TickStatus.SKIPPED
        assert refused.skip_reason == refused.refused[0]
        assert refused.run_ids == refused.duplicate_run_keys == ()
    stores.runs.cancel_waiting(first.run_id, message="m", now=NOW)
    assert len(commit(stores, [RunAddition(run=new_run(), run_key="k")]).runs) == 1
    again = commit(stores, [RunAddition(run=new_run(), run_key="k")]).tick
    assert (again.duplicate_run_keys, again.refused) == (("k",), ())


def test_of_many_that_ask_at_once_one_is_queued(stores: SqlStores) -> None:
    policy(stores, "skip")
    barrier = threading.Barrier(8)
    outcomes: list[str] = []

    def ask() -> None:
        barrier.wait(10)
        try:
            enqueue(stores)
            outcomes.append("queued")
        except OverlapRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["queued"] + ["refused"] * 7
