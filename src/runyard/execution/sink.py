"""Where a run's events go."""

from __future__ import annotations

from typing import Protocol

from ..core.events import Event


class EventSink(Protocol):
    """Takes the events of one attempt, in order, from any thread."""

    def emit(self, event: Event, *, wait: bool = False) -> None:
        """Hand over ``event``; with ``wait`` return only when it is committed."""
        ...


class MemorySink:
    """Keeps events in a list: execution in this process."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event, *, wait: bool = False) -> None:  # noqa: ARG002 - kept is committed
        self.events.append(event)
