"""A run and its status."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from .pools import PoolNeeds


class RunStatus(str, Enum):
    """Where a run stands. Names are the field's."""

    NOT_STARTED = "NOT_STARTED"
    QUEUED = "QUEUED"
    STARTING = "STARTING"
    STARTED = "STARTED"
    CANCELING = "CANCELING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELED = "CANCELED"


#: Runs in these hold a slot: they count against every limit.
ACTIVE = frozenset({RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING})
#: Runs in these never change again.
FINISHED = frozenset({RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELED})


class RunFailure(msgspec.Struct, frozen=True):
    """Why a run failed: the class and message as raised, or the cause and the signal for a dead worker."""

    error_class: str
    message: str
    step_key: str | None = None
    #: The code of a step raised it, so a retry may well end the same way; a process that was killed is none of that.
    by_step: bool = False


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the run table. Times are seconds since the epoch; null where it has not happened."""

    run_id: str
    job_name: str
    location_name: str
    status: RunStatus
    priority: int = 0
    tags: dict[str, str] = {}
    run_config: dict[str, Any] = {}
    attempt: int = 0
    launch_token: str | None = None
    queue_seq: int | None = None
    launch_seq: int | None = None
    created_at: float
    queued_at: float | None = None
    launched_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    canceling_at: float | None = None
    failure: RunFailure | None = None
    lane: str | None = None
    held: bool = False
    held_by: str | None = None
    held_reason: str | None = None
    pools: PoolNeeds = PoolNeeds()
    host_id: str | None = None
    pid: int | None = None
    parent_run_id: str | None = None
    root_run_id: str | None = None
    #: How many of its attempts carried on after the worker before was lost.
    resumes: int = 0
    #: What a CANCELING run fails with once it has stopped (max runtime); None: it becomes CANCELED.
    stop_failure: RunFailure | None = None


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that somebody asks for; tags are merged and priority is parsed already."""

    run_id: str
    job_name: str
    location_name: str
    priority: int = 0
    tags: dict[str, str] = {}
    run_config: dict[str, Any] = {}
    pools: PoolNeeds = PoolNeeds()
    parent_run_id: str | None = None
    root_run_id: str | None = None
    #: Said as a WARNING engine event on the run, for example a priority that is no integer.
    warnings: tuple[str, ...] = ()
