"""Handing a run to a worker, and what the worker says back."""

from __future__ import annotations

from typing import Any

import msgspec

from .events import Event
from .pools import PoolNeeds
from .run import RunFailure, RunStatus


class LaunchSpec(msgspec.Struct, frozen=True, kw_only=True):
    """All that a worker needs to run one attempt. The token is checked when it reports STARTED."""

    run_id: str
    attempt: int
    token: str
    job_name: str
    location_name: str
    run_config: dict[str, Any] = {}
    tags: dict[str, str] = {}
    #: An attempt that carries on: steps that succeeded in the attempts before are not done again.
    resumed: bool = False


class LaunchResult(msgspec.Struct, frozen=True, kw_only=True):
    """``error`` is None when the worker was forked. ``retriable``: the location, not the run, is at fault."""

    run_id: str
    attempt: int
    pid: int | None = None
    error: str | None = None
    retriable: bool = False


class RunEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker says that its attempt is over."""

    status: RunStatus
    failure: RunFailure | None = None
    message: str = ""
    #: What the steps that did not succeed need of pools, for a retry that does only those; None: all of the job's.
    pools_left: PoolNeeds | None = None


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one worker has to commit: events in order, and perhaps its begin or its end. Idempotent by event seq."""

    run_id: str
    attempt: int
    events: tuple[Event, ...] = ()
    #: The launch token, when this report asks for STARTING → STARTED.
    begin: str | None = None
    pid: int | None = None
    host_id: str | None = None
    end: RunEnd | None = None
    timestamp: float = 0.0
