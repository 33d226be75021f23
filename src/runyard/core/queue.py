"""Rows of the queue as storage hands them to the pure code that decides."""

from __future__ import annotations

from typing import Any

import msgspec

from .events import Cursor
from .run import RunStatus


class QueueHead(msgspec.Struct, frozen=True):
    """A queued run at the front of its lane. Order is (-priority, seq)."""

    run_id: str
    lane: str
    priority: int
    seq: int


class ActiveRun(msgspec.Struct, frozen=True):
    """A run that holds slots."""

    run_id: str
    lane: str
    status: RunStatus
    since: float


class QueueChange(msgspec.Struct, frozen=True):
    """One thing that affects admission: heads of ``lane`` to re-read, ``run_id`` to account for again, or new rules."""

    cursor: Cursor
    lane: str | None
    run_id: str | None
    #: ``lane`` (enqueued, priority, held, left), ``started``, ``ended``, ``rules``.
    kind: str
    #: The status that ``run_id`` has by this change. ``started`` comes with STARTED when the worker has acknowledged
    #: its launch, and with STARTING when the run took its slots without a claim (direct coordinator).
    status: RunStatus | None = None


class Claim(msgspec.Struct, frozen=True):
    """A run that the claim transaction won: it is STARTING. Carries all that its worker needs, the token too."""

    run_id: str
    attempt: int
    token: str
    launch_seq: int
    job_name: str
    location_name: str
    run_config: dict[str, Any] = {}
    tags: dict[str, str] = {}
