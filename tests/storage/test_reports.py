"""What workers say: accepted once, from the right attempt and token only."""

from __future__ import annotations

import msgspec

from runyard.core.events import Cursor, Event, EventType
from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.run import RunStatus
from runyard.storage.open import SqlStores

from .make import BOOM, NOW, claim, claimed, enqueue, event_types, get, log, report, started

S = RunStatus


def _messages(stores: SqlStores, run_id: str) -> list[str]:
    return [s.event.message for s in stores.events.of_run(run_id) if s.event.type.value == "LOG"]


def test_begin_events_and_end_in_one_report(stores: SqlStores) -> None:
    won = claimed(stores)
    whole = report(won, begin=True, seqs=(1, 2), end=S.SUCCESS)
    assert stores.runs.report([whole]) == [True]
    run = get(stores, won.run_id)
    assert (run.status, run.started_at, run.ended_at, run.pid) == (S.SUCCESS, NOW, NOW, 4711)
    assert event_types(stores, won.run_id)[3:] == ["RUN_START", "LOG", "LOG", "RUN_SUCCESS"]


def test_repeating_a_report_changes_nothing(stores: SqlStores) -> None:
    won = claimed(stores)
    reports = [report(won, begin=True, seqs=(1,)), report(won, seqs=(1, 2)), report(won, seqs=(3,), end=S.FAILURE)]
    for one in reports:
        assert stores.runs.report([one, one]) == [True, True]
    run, events = get(stores, won.run_id), event_types(stores, won.run_id)
    assert run.failure == BOOM
    assert events[3:] == ["RUN_START", "LOG", "LOG", "LOG", "RUN_FAILURE"]
    assert stores.runs.report(reports) == [True, True, True]
    assert get(stores, won.run_id) == run
    assert event_types(stores, won.run_id) == events


def test_a_wrong_token_never_begins(stores: SqlStores) -> None:
    won = claimed(stores)
    wrong = msgspec.structs.replace(report(won, begin=True, seqs=(1,)), begin="guess")
    assert stores.runs.report([wrong]) == [False]
    assert get(stores, won.run_id).status is S.STARTING
    assert _messages(stores, won.run_id) == []


def test_a_token_that_began_lets_no_second_process_begin(stores: SqlStores) -> None:
    won = claimed(stores)
    first = report(won, begin=True)
    assert stores.runs.report([first]) == [True]
    assert stores.runs.report([first]) == [True], "its own repetition"
    others = [msgspec.structs.replace(first, pid=2), msgspec.structs.replace(first, begin="guess")]
    assert stores.runs.report(others) == [False, False]


def test_a_launch_that_was_given_up_on_never_runs_late(stores: SqlStores) -> None:
    won = claimed(stores)
    stores.runs.requeue(won.run_id, attempt=1, reason="location unreachable", now=NOW)
    assert stores.runs.report([report(won, begin=True)]) == [False]
    (second,) = claim(stores, get(stores, won.run_id))
    assert (second.attempt, second.token != won.token) == (2, True)
    assert stores.runs.report([report(won, begin=True, seqs=(1,), end=S.SUCCESS)]) == [False]
    assert get(stores, won.run_id).status is S.STARTING
    assert stores.runs.report([report(second, begin=True)]) == [True]


def test_an_older_attempt_says_nothing_more(stores: SqlStores) -> None:
    won = claimed(stores)
    stores.runs.requeue(won.run_id, attempt=1, reason="r", now=NOW)
    (second,) = claim(stores, get(stores, won.run_id))
    assert stores.runs.report([report(second, begin=True, seqs=(1,))]) == [True]
    assert stores.runs.report([report(won, seqs=(5,)), report(won, end=S.FAILURE)]) == [False, False]
    assert get(stores, won.run_id).status is S.STARTED
    assert len(_messages(stores, won.run_id)) == 1


def test_a_run_canceled_before_its_worker_began_does_not_begin(stores: SqlStores) -> None:
    won = claimed(stores)
    stores.runs.cancel_active(won.run_id, message="m", now=NOW)
    assert stores.runs.report([report(won, begin=True)]) == [False]
    assert stores.runs.report([report(won, end=S.CANCELED)]) == [True]
    assert get(stores, won.run_id).status is S.CANCELED


def test_finishing_first_beats_a_cancellation(stores: SqlStores) -> None:
    won = started(stores)
    stores.runs.cancel_active(won.run_id, message="m", now=NOW)
    # Its begin, said again because the answer was lost, is still a repetition.
    assert stores.runs.report([report(won, begin=True), report(won, end=S.SUCCESS)]) == [True, True]
    assert get(stores, won.run_id).status is S.SUCCESS


def test_another_verdict_is_told_to_the_worker(stores: SqlStores) -> None:
    won = started(stores)
    stores.runs.fail(won.run_id, attempt=1, expected=(S.STARTED,), failure=BOOM, now=NOW)
    assert stores.runs.report([report(won, seqs=(1,)), report(won, end=S.SUCCESS)]) == [False, False]
    assert get(stores, won.run_id).status is S.FAILURE
    assert _messages(stores, won.run_id) == []


def test_an_end_that_the_status_does_not_admit_leaves_it(stores: SqlStores) -> None:
    won = started(stores)
    assert stores.runs.report([report(won, end=S.CANCELED, seqs=(1,))]) == [True]
    assert get(stores, won.run_id).status is S.STARTED
    assert _messages(stores, won.run_id) == ["line"]


def test_many_runs_in_one_transaction(stores: SqlStores) -> None:
    many = [enqueue(stores) for _ in range(30)]
    won = claim(stores, *many)
    stranger = WorkerReport(run_id="nobody", attempt=1, events=(log("nobody", 1),))
    answers = stores.runs.report(
        [*(report(one, begin=True, seqs=tuple(range(10))) for one in won), stranger, report(won[0], end=S.FAILURE)]
    )
    assert answers == [True] * 30 + [False, True]
    assert stores.runs.count_by_status() == {S.STARTED: 29, S.FAILURE: 1}
    assert all(len(_messages(stores, run.run_id)) == 10 for run in many)
    assert stores.events.of_run("nobody") == []
    assert stores.runs.report([]) == []


def test_an_end_without_a_reason_still_has_a_failure(stores: SqlStores) -> None:
    won = started(stores)
    bare = WorkerReport(run_id=won.run_id, attempt=1, end=RunEnd(status=S.FAILURE, message="it fell over"))
    assert stores.runs.report([bare]) == [True]
    failure = get(stores, won.run_id).failure
    assert failure is not None
    assert failure.message == "it fell over"


def test_events_come_back_as_they_were_said(stores: SqlStores) -> None:
    won = started(stores)
    said = msgspec.structs.replace(
        log(won.run_id, 1, "line\0 with NUL, ü and \U0001f600"),
        step_key="load[1]",
        level="WARNING",
        data={"rows": [1, 2.5, None], "path": {"a": True}},
    )
    stores.runs.report([WorkerReport(run_id=won.run_id, attempt=1, events=(said,))])
    stored = stores.events.of_run(won.run_id)[-1].event
    assert stored == msgspec.structs.replace(said, attempt=1)


def _heard(stores: SqlStores, place: Cursor) -> list[tuple[str, str | None, RunStatus | None]]:
    return [(change.kind, change.run_id, change.status) for change in stores.queue.changes(place)]


def test_admission_hears_of_every_step(stores: SqlStores) -> None:
    run = enqueue(stores)
    place = stores.queue.change_head()
    claim(stores, run)
    assert _heard(stores, place) == []
    stores.runs.requeue(run.run_id, attempt=1, reason="r", now=NOW)
    assert _heard(stores, place) == [("ended", run.run_id, S.QUEUED), ("lane", run.run_id, S.QUEUED)]
    (won,) = claim(stores, get(stores, run.run_id))
    place = stores.queue.change_head()
    stores.runs.report([report(won, begin=True)])
    assert _heard(stores, place) == [("started", run.run_id, S.STARTED)]
    stores.runs.cancel_active(run.run_id, message="m", now=NOW)
    place = stores.queue.change_head()
    stores.runs.report([report(won, end=S.CANCELED)])
    assert _heard(stores, place) == [("ended", run.run_id, S.CANCELED)]
    assert {change.lane for change in stores.queue.changes(place)} == {run.lane}


def _failed_try(run_id: str, *, seq: int) -> Event:
    error = {"class_name": "ValueError", "message": "the clean-up failed."}
    return Event(
        run_id=run_id,
        type=EventType.STEP_UP_FOR_RETRY,
        timestamp=NOW,
        seq=seq,
        step_key="load",
        level="WARNING",
        message="Step 'load' failed: ValueError: the clean-up failed. It is tried again in 2 s (retry 1).",
        data={"error": error, "seconds_to_wait": 2.0, "retry_number": 1},
    )


def test_no_other_try_is_announced_once_the_cancel_is_committed(stores: SqlStores) -> None:
    won = started(stores)
    before = WorkerReport(run_id=won.run_id, attempt=won.attempt, events=(_failed_try(won.run_id, seq=1),))
    after = WorkerReport(run_id=won.run_id, attempt=won.attempt, events=(_failed_try(won.run_id, seq=2),))
    assert stores.runs.report([before]) == [True]
    assert stores.runs.cancel_active(won.run_id, message="asked", now=NOW)
    # Its worker does not know of the cancel yet; a repetition of what came before it changes nothing.
    assert stores.runs.report([before, after]) == [True, True]
    found = [stored.event for stored in stores.events.of_run(won.run_id) if stored.event.step_key]
    assert [event.type.value for event in found] == ["STEP_UP_FOR_RETRY", "STEP_FAILURE"]
    assert found[1].level == "ERROR"
    assert found[1].message == (
        "Step 'load' failed: ValueError: the clean-up failed. It is not tried again: the run was told to stop."
    )
    assert found[1].data == {"error": {"class_name": "ValueError", "message": "the clean-up failed."}}
