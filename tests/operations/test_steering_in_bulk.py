"""Many queued runs steered at once, on both databases: batches, who and why, and nothing but what matches."""

from __future__ import annotations

import pytest

from runyard.core.errors import WrongState
from runyard.core.queue import QueueFilter, Steering
from runyard.core.run import Run, RunStatus
from runyard.operations.queue import steering as queue_steering
from runyard.operations.queue.steering import filter_text, steer_all, steer_one

from .yard import Yard


def add(yard: Yard, number: int, job_name: str = "job", **tags: str) -> list[Run]:
    return [yard.submit(job_name, tags=tags) for _ in range(number)]


def now_is(yard: Yard, runs: list[Run]) -> list[Run]:
    found = [yard.stores.runs.get(run.run_id) for run in runs]
    return [run for run in found if run is not None]


def test_only_what_matches_is_steered_in_batches(both: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_steering, "BATCH", 2)
    ours, others = add(both, 5, team="docs"), add(both, 3, "other", team="docs")
    reached: list[int] = []
    steering = Steering(action="priority", by="ops", priority=7)
    where = QueueFilter(job_name="job", tags={"team": "docs"})
    assert steer_all(both.stores, where, steering, clock=both.clock, progress=reached.append) == 5
    assert reached == [2, 4, 5]
    assert {(run.priority, run.tags["dagster/priority"]) for run in now_is(both, ours)} == {(7, "7")}
    assert {run.priority for run in now_is(both, others)} == {0}
    assert steer_all(both.stores, where, steering, clock=both.clock) == 0, "they are so already"


def test_held_runs_are_released_by_filter(both: Yard) -> None:
    runs = add(both, 4)
    hold = Steering(action="hold", by="ops", reason="audit")
    steer_one(both.stores, runs[0].run_id, hold, clock=both.clock)
    assert steer_all(both.stores, QueueFilter(held=False), hold, clock=both.clock) == 3
    assert {(run.held, run.held_by, run.held_reason) for run in now_is(both, runs)} == {(True, "ops", "audit")}
    release = Steering(action="release", by="ops")
    assert steer_all(both.stores, QueueFilter(held=True), release, clock=both.clock) == 4
    assert not any(run.held for run in now_is(both, runs))


def test_canceling_the_queue_leaves_what_runs_alone(both: Yard) -> None:
    runs = add(both, 3)
    running = both.started()
    cancel = Steering(action="cancel", by="ops", reason="wrong data")
    assert steer_all(both.stores, QueueFilter(), cancel, clock=both.clock) == 3
    assert {run.status for run in now_is(both, runs)} == {RunStatus.CANCELED}
    assert both.status(running) is RunStatus.STARTED
    (event,) = [stored.event for stored in both.stores.events.of_run(runs[0].run_id)][-1:]
    assert event.message == "Canceled by ops: wrong data"


def test_one_run_is_canceled_while_it_is_queued_only(yard: Yard) -> None:
    run, running = yard.submit(), yard.started()
    cancel = Steering(action="cancel", by="ops")
    for _ in range(2):
        assert steer_one(yard.stores, run.run_id[:8], cancel, clock=yard.clock).status is RunStatus.CANCELED
    with pytest.raises(WrongState, match="is not queued: it is STARTED"):
        steer_one(yard.stores, running.run_id, cancel, clock=yard.clock)


def test_who_did_what_is_on_record(both: Yard) -> None:
    (run, _) = add(both, 2, team="docs")
    steer_one(both.stores, run.run_id, Steering(action="hold", by="ops", reason="audit"), clock=both.clock)
    steer_one(both.stores, run.run_id, Steering(action="hold", by="ops"), clock=both.clock)
    where = QueueFilter(tags={"team": "docs"})
    steer_all(both.stores, where, Steering(action="priority", by="ops", priority=-1), clock=both.clock)
    newest, first = both.stores.limits.audit(limit=10)
    assert (first.by, first.action, first.subject) == ("ops", "hold", f"run {run.run_id[:8]}")
    assert "audit" in first.message
    assert (newest.action, newest.subject) == ("priority", "team=docs")
    assert newest.message == "priority -1: 2 queued runs, team=docs"


def test_a_filter_reads_as_a_person_would_say_it() -> None:
    where = QueueFilter(job_name="etl", location_name="shop", tags={"a": "b"}, priority=3, held=False)
    assert filter_text(where) == "job etl, location shop, a=b, priority 3, not held"
    assert filter_text(QueueFilter()) == "all"
