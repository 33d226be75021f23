"""No step goes on in a run that is over."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runyard.core.events import Event, EventType
from runyard.core.launch import WorkerReport
from runyard.core.policies import RunPolicies
from runyard.core.queue import Claim
from runyard.core.run import Run, RunFailure, RunStatus
from runyard.storage.open import SqlStores

from .make import NOW, started

KILLED = RunFailure("WorkerKilled", "The run's worker (process 4711) was killed by signal 9 (SIGKILL).")


def tell(stores: SqlStores, won: Claim, *steps: tuple[EventType, str]) -> None:
    events = tuple(
        Event(run_id=won.run_id, type=kind, timestamp=NOW, attempt=won.attempt, seq=number, step_key=key)
        for number, (kind, key) in enumerate(steps, 1)
    )
    report = WorkerReport(run_id=won.run_id, attempt=won.attempt, events=events, timestamp=NOW)
    assert stores.runs.report([report]) == [True]


def ends(stores: SqlStores, run_id: str) -> list[tuple[str, int]]:
    """Steps that were said to have failed, and in which attempt, in order."""
    events = [stored.event for stored in stores.events.of_run(run_id)]
    return [(str(e.step_key), e.attempt) for e in events if e.type is EventType.STEP_FAILURE]


def lose(stores: SqlStores, won: Claim) -> Run | None:
    return stores.runs.lose_worker(won.run_id, attempt=won.attempt, failure=KILLED, now=NOW)


def fail(stores: SqlStores, won: Claim) -> Run | None:
    return stores.runs.fail(won.run_id, attempt=won.attempt, expected=(RunStatus.STARTED,), failure=KILLED, now=NOW)


def cancel(stores: SqlStores, won: Claim) -> Run | None:
    stores.runs.cancel_active(won.run_id, message="asked", now=NOW)
    return stores.runs.end_canceling(won.run_id, attempt=won.attempt, message="Killed.", now=NOW)


@pytest.mark.parametrize("end", [lose, fail, cancel])
def test_steps_that_had_begun_end_with_their_run(
    stores: SqlStores, end: Callable[[SqlStores, Claim], Run | None]
) -> None:
    won = started(stores)
    tell(
        stores,
        won,
        (EventType.STEP_START, "done"),
        (EventType.STEP_START, "first"),
        (EventType.STEP_SUCCESS, "done"),
        (EventType.STEP_START, "again"),
        (EventType.STEP_UP_FOR_RETRY, "again"),
        (EventType.STEP_RESTARTED, "again"),
    )
    assert end(stores, won) is not None
    assert ends(stores, won.run_id) == [("first", 1), ("again", 1)]
    last = [stored.event for stored in stores.events.of_run(won.run_id)][-3:]
    assert last[-1].type in (EventType.RUN_FAILURE, EventType.RUN_CANCELED), "steps end before their run does"
    assert "Killed" in last[0].data["error"]["message"] or "SIGKILL" in last[0].data["error"]["message"]


def test_the_failure_names_the_one_step_that_was_running(stores: SqlStores) -> None:
    won = started(stores)
    tell(stores, won, (EventType.STEP_START, "a"), (EventType.STEP_SUCCESS, "a"), (EventType.STEP_START, "b"))
    run = lose(stores, won)
    assert run is not None
    assert run.failure == RunFailure(KILLED.error_class, KILLED.message, "b")


def test_of_several_running_steps_none_is_named(stores: SqlStores) -> None:
    won = started(stores)
    tell(stores, won, (EventType.STEP_START, "a"), (EventType.STEP_START, "b"))
    run = lose(stores, won)
    assert run is not None
    assert run.failure == KILLED


def test_a_resumed_run_has_no_step_of_its_last_attempt_running(stores: SqlStores) -> None:
    stores.policies.configure(RunPolicies(max_resumes=1))
    won = started(stores)
    tell(stores, won, (EventType.STEP_START, "a"))
    run = lose(stores, won)
    assert run is not None
    assert run.status is RunStatus.STARTING
    assert ends(stores, won.run_id) == [("a", 1)]


def test_a_verdict_that_comes_too_late_says_nothing(stores: SqlStores) -> None:
    won = started(stores)
    tell(stores, won, (EventType.STEP_START, "a"))
    assert lose(stores, won) is not None
    assert lose(stores, won) is None
    assert ends(stores, won.run_id) == [("a", 1)]
