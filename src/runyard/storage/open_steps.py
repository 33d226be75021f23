"""Steps that had begun when their run's worker was lost: nobody else says that they are over."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from ..core.events import ErrorInfo, Event, EventType
from ..core.run import RunFailure
from ..core.step import STEP_ENDS
from .schema import events

_BEGINS = (EventType.STEP_START, EventType.STEP_RESTARTED)


def open_steps(connection: sa.Connection, run_id: str, attempt: int) -> list[str]:
    """The steps of an attempt that have begun and not ended, in the order in which they did."""
    kinds = [kind.value for kind in (*_BEGINS, *STEP_ENDS)]
    statement = (
        sa.select(events.c.type, events.c.step_key)
        .where(events.c.run_id == run_id, events.c.attempt == attempt, events.c.type.in_(kinds))
        .order_by(events.c.id)
    )
    found: dict[str, None] = {}
    for kind, step_key in connection.execute(statement):
        if EventType(kind) in _BEGINS:
            found[step_key] = None
        else:
            found.pop(step_key, None)
    return list(found)


def step_ends(run_id: str, attempt: int, steps: list[str], failure: RunFailure, now: float) -> list[Event]:
    """A STEP_FAILURE for each step, which says what became of its run's worker."""
    error = msgspec.to_builtins(ErrorInfo(failure.error_class, failure.message))
    return [
        Event(
            run_id=run_id,
            type=EventType.STEP_FAILURE,
            timestamp=now,
            attempt=attempt,
            step_key=step_key,
            level="ERROR",
            message=failure.message,
            data={"error": error},
        )
        for step_key in steps
    ]
