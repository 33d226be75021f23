"""Daemons and their heartbeats."""

from __future__ import annotations

from enum import Enum

import msgspec

HEARTBEAT_INTERVAL = 5.0
#: A daemon is live while its leader's heartbeat is younger than this, in seconds.
LIVE_WITHIN = 15.0
ERRORS_KEPT = 5
ERRORS_KEPT_SECONDS = 300.0


class DaemonType(str, Enum):
    """Type strings are the field's; values sort in the order of the page."""

    SCHEDULER = "SCHEDULER"
    QUEUED_RUN_COORDINATOR = "QUEUED_RUN_COORDINATOR"
    SENSOR = "SENSOR"
    MONITORING = "MONITORING"


class DaemonError(msgspec.Struct, frozen=True):
    at: float
    error_class: str
    message: str


class PassRecord(msgspec.Struct, frozen=True):
    """The last completed pass. ``outcome`` is a short sentence: ``launched 3 runs``, ``nothing to do``."""

    at: float
    seconds: float
    outcome: str
    idle: bool = False


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """One row per (daemon, process)."""

    daemon_type: DaemonType
    process_id: str
    machine: str
    pid: int
    at: float
    started_at: float
    leader: bool
    term: int = 0
    last_pass: PassRecord | None = None
    #: Since when the pass that is under way runs, and what it is doing; None between passes.
    pass_since: float | None = None
    doing: str | None = None
    #: Seconds that the pass may take before it counts as hung.
    deadline: float = 60.0
    next_pass_at: float | None = None
    errors: tuple[DaemonError, ...] = ()
