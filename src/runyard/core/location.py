"""What the outside knows of a code location without importing its code."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from .events import ErrorInfo
from .pools import PoolNeeds


class LocationState(str, Enum):
    LOADING = "LOADING"
    LOADED = "LOADED"
    #: The newest code does not load; the last good definitions, where there are any, still serve.
    ERROR = "ERROR"


class OpInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a job's plan; ``needs`` are the step keys that it takes inputs from."""

    key: str
    op_name: str
    description: str | None = None
    needs: tuple[str, ...] = ()
    pool: str | None = None
    pool_slots: int = 1
    tags: dict[str, str] = {}


class JobInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A job as pages, the command line and submission see it. ``config_schema`` is a JSON Schema of run config."""

    name: str
    description: str | None = None
    #: Tags that every run of the job gets: the job's own, or ``run_tags`` where it has them.
    tags: dict[str, str] = {}
    ops: tuple[OpInfo, ...] = ()
    pools: PoolNeeds = PoolNeeds()
    config_schema: dict[str, Any] = {}
    default_config: dict[str, Any] = {}


class ScheduleInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    cron_schedule: tuple[str, ...]
    execution_timezone: str = "UTC"
    job_names: tuple[str, ...] = ()
    running_by_default: bool = False
    description: str | None = None
    tags: dict[str, str] = {}
    #: Why it cannot be started, though its location loads.
    problem: str | None = None


class SensorInfo(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    job_names: tuple[str, ...] = ()
    minimum_interval_seconds: float = 30.0
    running_by_default: bool = False
    description: str | None = None
    tags: dict[str, str] = {}
    #: Why it cannot be started, though its location loads.
    problem: str | None = None


class LocationDefinitions(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a location's code defines."""

    jobs: tuple[JobInfo, ...] = ()
    schedules: tuple[ScheduleInfo, ...] = ()
    sensors: tuple[SensorInfo, ...] = ()

    def problems(self) -> tuple[str, ...]:
        """What is wrong with single schedules and sensors, each a sentence that names it."""
        problems = [*(schedule.problem for schedule in self.schedules), *(sensor.problem for sensor in self.sensors)]
        return tuple(problem for problem in problems if problem is not None)

    def job(self, name: str) -> JobInfo | None:
        return next((job for job in self.jobs if job.name == name), None)


class LeftAlone(msgspec.Struct, frozen=True):
    """That the run queue launches nothing at a location before ``until`` (seconds since the epoch), and why."""

    until: float
    reason: str


class LocationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What storage publishes of a location, for every process that has no host of its own."""

    name: str
    state: LocationState
    #: Changes with every load; a page that shows an older one reloads.
    version: str = ""
    #: Where the code comes from, in words: ``file jobs.py``.
    source: str = ""
    definitions: LocationDefinitions | None = None
    error: ErrorInfo | None = None
    #: ``fork`` or ``spawn``, with the reason when fork was not safe.
    start_method: str = "fork"
    start_method_reason: str | None = None
    host_id: str | None = None
    updated_at: float = 0.0
    #: Kept by the run queue's leader beside what the location publishes; over once its time has passed.
    left_alone: LeftAlone | None = None

    def problems(self) -> tuple[str, ...]:
        """As ``LocationDefinitions.problems``; none where there are no definitions."""
        return self.definitions.problems() if self.definitions else ()
