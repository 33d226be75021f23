"""Steps of a run that have a process of their own: what they are told to do, and how they ended."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

import msgspec

from .events import ErrorInfo, Event, EventType
from .run import RunFailure

#: Each process of an attempt numbers its events in a space of its own: (run, attempt, seq) is what makes them unique.
SEQ_SPACE = 1 << 32


def first_seq(number: int) -> int:
    """The number before the first event of step process ``number``; the run's own worker is number 0."""
    return number * SEQ_SPACE


class StepOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One try of one step, for a process of its own.

    ``number`` counts the step processes of the attempt from 1. ``outputs`` are those, as (step key, output name), that
    the steps which it needs have given.
    """

    step_key: str
    number: int
    retry_number: int = 0
    outputs: tuple[tuple[str, str], ...] = ()


class StepStatus(str, Enum):
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    #: Failed, to be tried again after ``StepEnd.retry_after`` seconds.
    UP_FOR_RETRY = "UP_FOR_RETRY"
    CANCELED = "CANCELED"
    #: Its process ended without a word; ``StepEnd.failure`` says how. Its last event is still to be written.
    DIED = "DIED"


class StepEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How one try of a step ended. ``outputs`` are the names of those that it gave."""

    step_key: str
    number: int
    status: StepStatus
    outputs: tuple[str, ...] = ()
    failure: RunFailure | None = None
    retry_after: float | None = None


class SlotsGranted(msgspec.Struct, frozen=True, kw_only=True):
    """The step holds the slots of its pool that it asked for."""

    step_key: str


class SlotsRefused(msgspec.Struct, frozen=True, kw_only=True):
    """The step can never have the slots that it asked for; ``reason`` is a sentence."""

    step_key: str
    reason: str


#: With one of these a try of a step is over, and the slots that it held are free in the same transaction.
STEP_ENDS = frozenset(
    {EventType.STEP_SUCCESS, EventType.STEP_FAILURE, EventType.STEP_UP_FOR_RETRY, EventType.STEP_SKIPPED}
)


def without_retry(event: Event) -> Event:
    """The event of a run that is to stop: a try that failed is followed by no other."""
    if event.type is not EventType.STEP_UP_FOR_RETRY:
        return event
    error: dict[str, Any] = event.data.get("error") or {}
    said = ErrorInfo(error.get("class_name", "StepFailed"), error.get("message", "")).sentence
    return msgspec.structs.replace(
        event,
        type=EventType.STEP_FAILURE,
        level="ERROR",
        message=f"Step '{event.step_key}' failed: {said} It is not tried again: the run was told to stop.",
        data={"error": error},
    )


#: Key in the data of an ENGINE_EVENT: outputs by step that a run took over from the run that it retries.
REUSED = "reused_steps"


def steps_done(events: Iterable[Event]) -> dict[str, tuple[str, ...]]:
    """From a run's events in order: the steps that have succeeded, with the outputs of each that can be loaded again.

    A step with an output that could not be stored (``stored`` False in its STEP_OUTPUT) is left out.
    """
    done: dict[str, tuple[str, ...]] = {}
    given: dict[str, list[tuple[str, bool]]] = {}
    for event in events:
        key = event.step_key
        if REUSED in event.data:
            done.update({step: tuple(names) for step, names in event.data[REUSED].items()})
        elif key is None:
            continue
        elif event.type in (EventType.STEP_START, EventType.STEP_RESTARTED):
            given[key] = []
        elif event.type is EventType.STEP_OUTPUT:
            given.setdefault(key, []).append((event.data["output_name"], event.data.get("stored", True)))
        elif event.type is EventType.STEP_SUCCESS and all(stored for _, stored in given.get(key, ())):
            done[key] = tuple(name for name, _ in given.get(key, ()))
    return done
