"""Steering in bulk: which runs, what each is told, and what admission is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from runyard.core.events import BEGINNING
from runyard.core.queue import QueueFilter, Steered, Steering
from runyard.core.run import Run, RunStatus
from runyard.core.tags import PRIORITY
from runyard.queue.rules import Rules, TagRule
from runyard.storage.open import SqlStores

from .make import NOW, claim, claimed, enqueue, event_types, get, in_status, new_run, report, until_someone_waits

EVERY = QueueFilter()


def steer_all(
    stores: SqlStores, action: str, where: QueueFilter = EVERY, *, limit: int = 1000, **fields: Any
) -> list[Steered]:
    """Transaction by transaction to the end."""
    steering = Steering(**({"action": action, "by": "ops"} | fields))
    done = [stores.queue.steer(where, steering, now=NOW + 5, limit=limit)]
    while done[-1].after is not None:
        done.append(stores.queue.steer(where, steering, now=NOW + 5, after=done[-1].after, limit=limit))
    return done


def changed(done: Sequence[Steered]) -> list[str]:
    return [run_id for one in done for run_id in one.changed]


def ids(runs: Sequence[Run]) -> list[str]:
    return [run.run_id for run in runs]


def lanes_told(stores: SqlStores, act: Callable[[], object]) -> list[str | None]:
    place = stores.queue.change_head()
    act()
    found = stores.queue.changes(place)
    assert {one.kind for one in found} <= {"lane"}
    return [one.lane for one in found]


def test_each_field_of_the_filter_restricts(stores: SqlStores) -> None:
    plain = enqueue(stores)
    other = enqueue(stores, job_name="other")
    away = enqueue(stores, location_name="away")
    tagged = enqueue(stores, tags={"team": "docs", "env": "test"})
    urgent = enqueue(stores, priority=5)
    held = enqueue(stores, job_name="held")
    for status in RunStatus:
        if status is not RunStatus.QUEUED:
            in_status(stores, status)
    stores.queue.steer(QueueFilter(job_name="held"), Steering(action="hold", by="ops"), now=NOW)
    for where, runs in (
        (QueueFilter(run_ids=(other.run_id, "nobody", plain.run_id)), [plain, other]),
        (QueueFilter(job_name="other"), [other]),
        (QueueFilter(location_name="away"), [away]),
        (QueueFilter(tags={"team": "docs"}), [tagged]),
        (QueueFilter(tags={"team": "docs", "env": "test"}, priority=0), [tagged]),
        (QueueFilter(tags={"team": "docs", "env": "live"}), []),
        (QueueFilter(priority=5), [urgent]),
        (QueueFilter(held=True), [held]),
        (QueueFilter(held=False), [plain, other, away, tagged, urgent]),
        (EVERY, [plain, other, away, tagged, urgent, held]),
    ):
        assert changed(steer_all(stores, "priority", where, priority=77)) == ids(runs), where
        for run in runs:
            steer_all(stores, "priority", QueueFilter(run_ids=(run.run_id,)), priority=run.priority)


def test_pages_go_on_where_they_stopped(stores: SqlStores) -> None:
    runs = stores.runs.add([new_run() for _ in range(7)], enqueue=True)
    done = steer_all(stores, "hold", limit=3, reason="later")
    assert [len(one.changed) for one in done] == [3, 3, 1]
    assert changed(done) == ids(runs)
    assert changed(steer_all(stores, "hold", limit=3)) == [], "those that are held already are passed over"
    assert [get(stores, run.run_id).held_reason for run in runs] == ["later"] * 7
    assert changed(steer_all(stores, "release", limit=7)) == ids(runs)
    assert changed(steer_all(stores, "release")) == []
    assert all((run.held, run.held_by, run.held_reason) == (False, None, None) for run in stores.queue.queued(limit=9))


def test_each_run_is_told_who_and_why(stores: SqlStores) -> None:
    run = enqueue(stores)
    for action, fields in (
        ("hold", {"reason": "disk full"}),
        ("release", {}),
        ("hold", {}),
        ("priority", {"priority": -3}),
        ("cancel", {"reason": "no longer needed", "by": "dev"}),
    ):
        assert len(changed(steer_all(stores, action, **fields))) == 1
    told = [stored.event for stored in stores.events.of_run(run.run_id)][1:]
    assert [event.message for event in told] == [
        "Held by ops: disk full",
        "Released by ops.",
        "Held by ops.",
        "Priority changed from 0 to -3 by ops.",
        "Canceled by dev: no longer needed",
    ]
    assert {event.timestamp for event in told} == {NOW + 5}
    assert event_types(stores, run.run_id)[1:] == ["ENGINE_EVENT"] * 4 + ["RUN_CANCELED"]


def test_one_change_a_lane_however_many_runs(stores: SqlStores) -> None:
    runs = stores.runs.add([new_run(job_name=name) for name in "abaabb"], enqueue=True)
    lanes = [runs[0].lane, runs[1].lane]
    for action in ("hold", "release", "cancel"):
        assert sorted(lanes_told(stores, lambda: steer_all(stores, action))) == sorted(lanes)  # type: ignore[type-var]  # noqa: B023
    assert lanes_told(stores, lambda: steer_all(stores, "cancel")) == []


def test_a_new_priority_replaces_the_tag_and_the_place(stores: SqlStores) -> None:
    runs = [enqueue(stores, tags=tags) for tags in ({}, {PRIORITY: "0", "team": "docs"}, {})]
    ahead = enqueue(stores, priority=4)
    assert changed(steer_all(stores, "priority", priority=4)) == ids(runs)
    assert [run.run_id for run in stores.queue.queued(limit=9)] == ids([*runs, ahead])
    assert [get(stores, run.run_id).tags for run in runs] == [
        {PRIORITY: "4"},
        {PRIORITY: "4", "team": "docs"},
        {PRIORITY: "4"},
    ]
    by_tag = QueueFilter(tags={PRIORITY: "4"})
    assert changed(steer_all(stores, "hold", by_tag)) == ids(runs), "the tag's rows are those of the new priority"


def test_the_last_of_ten_thousand_becomes_the_next(sqlite_stores: SqlStores) -> None:
    stores = sqlite_stores
    for _ in range(10):
        runs = stores.runs.add([new_run() for _ in range(1000)], enqueue=True)
    steer_all(stores, "priority", QueueFilter(run_ids=(runs[-1].run_id,)), priority=1)
    (first,) = stores.queue.heads(stores.queue.lanes(), per_lane=1)
    assert first.run_id == runs[-1].run_id


def test_lanes_follow_the_priority_only_where_a_rule_looks_at_it(stores: SqlStores) -> None:
    old = enqueue(stores, priority=1, tags={PRIORITY: "1"})
    assert lanes_told(stores, lambda: steer_all(stores, "priority", priority=2)) == [old.lane]
    stores.limits.configure(Rules(tag_rules=(TagRule(PRIORITY, 1, "5"),)))
    assert len(lanes_told(stores, lambda: steer_all(stores, "priority", priority=5))) == 2
    lane = get(stores, old.run_id).lane
    assert lane == enqueue(stores, tags={PRIORITY: "5"}).lane != old.lane


def test_canceled_runs_are_finished(stores: SqlStores) -> None:
    runs = stores.runs.add([new_run() for _ in range(3)], enqueue=True)
    steer_all(stores, "hold", QueueFilter(run_ids=(runs[0].run_id,)))
    won = claimed(stores)
    assert changed(steer_all(stores, "cancel")) == ids(runs)
    for run in runs:
        found = get(stores, run.run_id)
        assert (found.status, found.ended_at, found.held) == (RunStatus.CANCELED, NOW + 5, False)
    assert get(stores, won.run_id).status is RunStatus.STARTING
    assert stores.queue.depth() == 0
    assert claim(stores, *runs) == []


def test_runs_that_are_claimed_meanwhile_are_left_alone(postgres_stores: SqlStores) -> None:
    stores = postgres_stores
    first, second = enqueue(stores, run_id="b"), enqueue(stores, run_id="a")
    done: list[Steered] = []
    thread = threading.Thread(target=lambda: done.extend(steer_all(stores, "cancel")))
    with stores.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE runs SET status = 'STARTING', launch_token = 't', launch_seq = 1, launched_at = 1, attempt = 1"
            " WHERE run_id = 'a'"
        )
        thread.start()
        until_someone_waits(stores)
        # Locks are taken in the order in which claims and reports take theirs: it has not got to the other one.
        connection.exec_driver_sql("SELECT 1 FROM runs WHERE run_id = 'b' FOR UPDATE NOWAIT")
    thread.join(20)
    assert changed(done) == [first.run_id]
    assert get(stores, second.run_id).status is RunStatus.STARTING


@pytest.mark.parametrize("act", ["hold", "cancel", "priority"])
def test_steering_and_claiming_at_once_never_wait_for_each_other(stores: SqlStores, act: str) -> None:
    """Whatever the order, each run goes one way, and nothing is lost."""
    runs = stores.runs.add([new_run() for _ in range(60)], enqueue=True)
    barrier = threading.Barrier(2)
    steered: list[str] = []

    def steer_some() -> None:
        barrier.wait(10)
        steered.extend(changed(steer_all(stores, act, limit=10, priority=3)))

    thread = threading.Thread(target=steer_some)
    thread.start()
    barrier.wait(10)
    won = [one for start in range(50, -1, -10) for one in claim(stores, *runs[start : start + 10])]
    stores.runs.report([report(one, begin=True) for one in won])
    thread.join(30)
    taken = {one.run_id for one in won}
    if act != "priority":
        assert taken.isdisjoint(steered)
        assert len(taken) + len(steered) == 60
    assert {run.run_id for run in stores.queue.queued(limit=99)} == (
        set(ids(runs)) - taken - (set(steered) if act == "cancel" else set())
    )
    assert stores.queue.changes(BEGINNING)
