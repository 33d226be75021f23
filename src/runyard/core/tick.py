"""Ticks: one evaluation of a schedule or sensor, and what it asked for."""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

import msgspec

from .events import ErrorInfo
from .pools import PoolNeeds

InstigatorKind = Literal["schedule", "sensor"]


class TickStatus(str, Enum):
    STARTED = "STARTED"
    SKIPPED = "SKIPPED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class InstigatorStatus(str, Enum):
    """Stored status: what a person chose, or that the code's default holds."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    DECLARED_IN_CODE = "DECLARED_IN_CODE"


class InstigatorKey(msgspec.Struct, frozen=True, order=True):
    """Identity of a schedule or sensor across reloads."""

    kind: InstigatorKind
    location_name: str
    name: str


class InstigatorState(msgspec.Struct, frozen=True, kw_only=True):
    """What storage keeps of a schedule or sensor. ``started_at`` is since when it counts as running."""

    key: InstigatorKey
    status: InstigatorStatus
    started_at: float | None = None
    cursor: str | None = None
    last_tick_at: float | None = None
    last_run_key: str | None = None
    #: Schedules: every time up to this one has been decided about.
    decided_until: float | None = None
    consecutive_failures: int = 0
    #: Grows with every write: a tick that was evaluated from an older version does not commit over a newer one.
    version: int = 0


class RunAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A run that an evaluation asks for; config is validated and tags are merged by the tick worker."""

    job_name: str
    run_key: str | None = None
    run_config: dict[str, Any] = {}
    tags: dict[str, str] = {}
    pools: PoolNeeds = PoolNeeds()
    #: For the run's log.
    warnings: tuple[str, ...] = ()


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What a tick worker answers."""

    status: TickStatus
    runs: tuple[RunAsked, ...] = ()
    skip_reason: str | None = None
    #: None leaves the stored cursor as it is.
    cursor: str | None = None
    error: ErrorInfo | None = None
    log: tuple[str, ...] = ()
    seconds: float = 0.0


class EvaluationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a tick worker is asked to evaluate."""

    key: InstigatorKey
    tick_id: str
    #: Schedules: the time that the tick stands for.
    scheduled_for: float | None = None
    cursor: str | None = None
    last_tick_at: float | None = None
    last_run_key: str | None = None
    started_at: float | None = None


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the tick table. ``time`` is the scheduled time, for sensors when the evaluation began."""

    tick_id: str
    key: InstigatorKey
    time: float
    status: TickStatus
    run_ids: tuple[str, ...] = ()
    #: Run keys that had their run already.
    duplicate_run_keys: tuple[str, ...] = ()
    #: A sentence for each run that the overlap policy of its job kept out.
    refused: tuple[str, ...] = ()
    skip_reason: str | None = None
    error: ErrorInfo | None = None
    cursor: str | None = None
    #: Evaluations for this tick that failed.
    failure_count: int = 0
    #: Evaluations that failed in a row, this one the last; 0 unless it failed. The first was that of ``failing_since``.
    consecutive_failures: int = 0
    failing_since: float | None = None
    log: tuple[str, ...] = ()
    ended_at: float | None = None
