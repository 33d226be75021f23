"""Rows of the queue as storage hands them to the pure code that decides, and what people ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from .bounds import REASON, check_filter, check_text
from .events import Cursor
from .pools import PoolNeeds
from .run import RunStatus


class QueueHead(msgspec.Struct, frozen=True):
    """A queued run at the front of its lane. Order is (-priority, seq).

    ``stale``: its lane was computed before a key that the rules now look at was tracked; compute it again before it is
    launched.
    """

    run_id: str
    lane: str
    priority: int
    seq: int
    stale: bool = False

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands in the order of the queue: lower comes first."""
        return (-self.priority, self.seq)


class ActiveRun(msgspec.Struct, frozen=True):
    """A run that holds slots. Times are seconds since the epoch; ``since`` is when it took them."""

    run_id: str
    lane: str
    status: RunStatus
    since: float
    started_at: float | None = None


class Launch(msgspec.Struct, frozen=True):
    """That a run was launched at ``at`` (seconds since the epoch), for limits that count launches.

    ``lane`` is computed from the run's row under the rules in force.
    """

    run_id: str
    lane: str
    at: float


class QueueChange(msgspec.Struct, frozen=True):
    """One thing that affects admission: heads of ``lane`` to re-read, ``run_id`` to account for again, or new rules."""

    cursor: Cursor
    lane: str | None
    run_id: str | None
    #: ``lane`` (enqueued, priority, held, left), ``started``, ``ended``, ``rules``, ``pool`` (``lane`` names the pool
    #: whose step slots moved).
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


class QueueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which queued runs; an empty field does not restrict. ``tags``: all of them, each with its value.

    Raises:
        TooLarge: see ``bounds.check_filter``.
    """

    run_ids: tuple[str, ...] = ()
    job_name: str | None = None
    location_name: str | None = None
    tags: Mapping[str, str] = {}
    priority: int | None = None
    held: bool | None = None

    def __post_init__(self) -> None:
        check_filter(self.job_name, self.location_name, tags=self.tags)


class Steering(msgspec.Struct, frozen=True, kw_only=True):
    """What a person does to queued runs. ``reason`` is for ``hold`` and ``cancel``."""

    action: Literal["priority", "hold", "release", "cancel"]
    by: str
    priority: int = 0
    reason: str = ""

    def __post_init__(self) -> None:
        check_text("A reason", self.reason, REASON)


class Steered(msgspec.Struct, frozen=True):
    """What one transaction of a steering in bulk did. ``after`` is where to go on; None: all are done."""

    changed: tuple[str, ...]
    after: int | None = None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """That a person changed what admission obeys. ``subject`` reads ``pool db``, ``team=docs``, ``queue``."""

    entry_id: int
    at: float
    by: str
    #: ``limit``, ``pause``, ``resume``, ``drain``, ``priority``, ``hold``, ``release``, ``cancel``.
    action: str
    subject: str
    message: str


class LimitChange(msgspec.Struct, frozen=True, kw_only=True):
    """Another limit in place of the file's: ``runs`` (run slots), ``pool`` with its name, ``tag`` with ``key`` for all
    values together, ``key=value``, or ``key=*`` for each. ``limit`` None: what the file says again, for a pool without
    one the default.
    """

    kind: Literal["runs", "pool", "tag"]
    name: str = ""
    limit: int | None


class Estimate(msgspec.Struct, frozen=True):
    """What a run's start was expected to be at ``made_at``; ``started_at`` once known. Seconds since the epoch."""

    run_id: str
    made_at: float
    estimated_start: float
    started_at: float | None = None


class PastRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it went through the queue. Times are seconds since the epoch; null where it has not happened.

    ``queued_at`` of a run that was launched without the queue is its launch. ``seq`` is its place among those that were
    enqueued at the same time.
    """

    run_id: str
    job_name: str
    location_name: str
    priority: int
    tags: dict[str, str]
    pools: PoolNeeds
    seq: int
    queued_at: float
    launched_at: float | None
    ended_at: float | None
