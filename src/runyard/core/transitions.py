"""The run state machine, written down once: storage enforces it, the docs draw it."""

from __future__ import annotations

from typing import NamedTuple

from .errors import ForbiddenTransition
from .events import EventType
from .run import RunStatus as S


class Transition(NamedTuple):
    """One allowed change of a run's status, the event that is recorded with it, and when it happens."""

    source: S
    target: S
    event: EventType
    when: str


TRANSITIONS: tuple[Transition, ...] = (
    Transition(S.NOT_STARTED, S.QUEUED, EventType.RUN_ENQUEUED, "submitted to the queue"),
    Transition(S.NOT_STARTED, S.STARTING, EventType.RUN_STARTING, "direct coordinator"),
    Transition(S.NOT_STARTED, S.FAILURE, EventType.RUN_FAILURE, "start timeout"),
    Transition(S.NOT_STARTED, S.CANCELED, EventType.RUN_CANCELED, "canceled by a person"),
    Transition(S.QUEUED, S.STARTING, EventType.RUN_STARTING, "admitted"),
    Transition(S.QUEUED, S.CANCELED, EventType.RUN_CANCELED, "canceled by a person"),
    Transition(S.QUEUED, S.FAILURE, EventType.RUN_FAILURE, "job gone"),
    Transition(S.STARTING, S.STARTED, EventType.RUN_START, "worker presented its launch token"),
    Transition(S.STARTING, S.QUEUED, EventType.RUN_ENQUEUED, "location unreachable"),
    Transition(S.STARTING, S.FAILURE, EventType.RUN_FAILURE, "launch failed, start timeout"),
    Transition(S.STARTING, S.CANCELING, EventType.RUN_CANCELING, "canceled by a person"),
    Transition(S.STARTED, S.SUCCESS, EventType.RUN_SUCCESS, "every step succeeded"),
    Transition(S.STARTED, S.FAILURE, EventType.RUN_FAILURE, "a step failed, worker died"),
    Transition(S.STARTED, S.CANCELING, EventType.RUN_CANCELING, "canceled by a person, max runtime"),
    Transition(S.STARTED, S.STARTING, EventType.RUN_STARTING, "resumed as the next attempt"),
    Transition(S.CANCELING, S.CANCELED, EventType.RUN_CANCELED, "worker stopped"),
    Transition(S.CANCELING, S.FAILURE, EventType.RUN_FAILURE, "max runtime, failed first"),
    Transition(S.CANCELING, S.SUCCESS, EventType.RUN_SUCCESS, "finished first"),
)

_BY_PAIR = {(t.source, t.target): t for t in TRANSITIONS}


def transition(source: S, target: S) -> Transition:
    """The transition from ``source`` to ``target``.

    Raises:
        ForbiddenTransition: the table has none.
    """
    try:
        return _BY_PAIR[source, target]
    except KeyError:
        raise ForbiddenTransition(f"A run never goes from {source.value} to {target.value}.") from None


def sources_of(target: S) -> frozenset[S]:
    """Every status from which a run may reach ``target`` in one step."""
    return frozenset(t.source for t in TRANSITIONS if t.target is target)
