"""What happened to a run, as the event log keeps it."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

import msgspec

from .text import sentence


class EventType(str, Enum):
    """Event type names are the field's."""

    STEP_OUTPUT = "STEP_OUTPUT"
    STEP_INPUT = "STEP_INPUT"
    STEP_FAILURE = "STEP_FAILURE"
    STEP_START = "STEP_START"
    STEP_SUCCESS = "STEP_SUCCESS"
    STEP_SKIPPED = "STEP_SKIPPED"
    STEP_UP_FOR_RETRY = "STEP_UP_FOR_RETRY"
    STEP_RESTARTED = "STEP_RESTARTED"
    STEP_WORKER_STARTING = "STEP_WORKER_STARTING"
    STEP_WORKER_STARTED = "STEP_WORKER_STARTED"
    STEP_EXPECTATION_RESULT = "STEP_EXPECTATION_RESULT"
    RESOURCE_INIT_STARTED = "RESOURCE_INIT_STARTED"
    RESOURCE_INIT_SUCCESS = "RESOURCE_INIT_SUCCESS"
    RESOURCE_INIT_FAILURE = "RESOURCE_INIT_FAILURE"
    ASSET_MATERIALIZATION = "ASSET_MATERIALIZATION"
    ASSET_OBSERVATION = "ASSET_OBSERVATION"
    RUN_ENQUEUED = "RUN_ENQUEUED"
    RUN_DEQUEUED = "RUN_DEQUEUED"
    RUN_STARTING = "RUN_STARTING"
    RUN_START = "RUN_START"
    RUN_SUCCESS = "RUN_SUCCESS"
    RUN_FAILURE = "RUN_FAILURE"
    RUN_CANCELING = "RUN_CANCELING"
    RUN_CANCELED = "RUN_CANCELED"
    HANDLED_OUTPUT = "HANDLED_OUTPUT"
    LOADED_INPUT = "LOADED_INPUT"
    ENGINE_EVENT = "ENGINE_EVENT"
    LOGS_CAPTURED = "LOGS_CAPTURED"
    #: A line of ``context.log``; the field keeps these without a type.
    LOG = "LOG"


class FoldedFrames(msgspec.Struct, frozen=True):
    """Frames of libraries, formatted. They stand before the frame of the user's that has number ``before``."""

    before: int
    frames: tuple[str, ...]


class ErrorInfo(msgspec.Struct, frozen=True):
    """An exception in a form that crosses processes."""

    class_name: str
    message: str
    #: Formatted frames, outermost first; the user's own only, when ``library_frames`` counts the rest.
    stack: tuple[str, ...] = ()
    library_frames: int = 0
    cause: ErrorInfo | None = None
    #: The frames that ``library_frames`` counts, as far as they are kept.
    folded: tuple[FoldedFrames, ...] = ()
    #: What ``add_note`` was called with, and what was left out here.
    notes: tuple[str, ...] = ()
    #: Of an exception group.
    members: tuple[ErrorInfo, ...] = ()

    @property
    def sentence(self) -> str:
        """Class and message as one sentence; the class alone when there is no message."""
        said = sentence(self.message)
        return f"{self.class_name}: {said}" if said else f"{self.class_name}."


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a run's log. ``seq`` numbers a worker's events of one attempt; None from the daemons."""

    run_id: str
    type: EventType
    timestamp: float
    attempt: int = 0
    seq: int | None = None
    step_key: str | None = None
    #: DEBUG, INFO, WARNING, ERROR or CRITICAL.
    level: str = "INFO"
    message: str = ""
    data: dict[str, Any] = {}


class Cursor(NamedTuple):
    """A place in commit order. ``txn`` is PostgreSQL's transaction id and 0 on SQLite, where ids are in that order."""

    txn: int = 0
    id: int = 0

    def encode(self) -> str:
        return f"{self.txn}.{self.id}"

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Raises ValueError for text that ``encode`` did not make."""
        txn, _, row = text.partition(".")
        place = cls(int(txn), int(row))
        if not (0 <= place.txn < 2**63 and 0 <= place.id < 2**63):
            raise ValueError(f"{text} is outside of every log")
        return place


#: Before the first event.
BEGINNING = Cursor()


class StoredEvent(msgspec.Struct, frozen=True):
    """An event with its place in commit order."""

    cursor: Cursor
    event: Event
