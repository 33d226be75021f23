"""Schedules: runs at the times of a cron expression."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..core.errors import InvalidDefinition
from ..core.tag_owners import TagSetter
from ..schedule.errors import tidy
from .config.run_config import RunConfig, as_run_config
from .engine import engine
from .evaluation_function import ContextFunction, EvaluationFunction
from .metadata import check_metadata
from .names import check_name, checked_tags, describe_function, own_name
from .problems import Problems
from .targets import Targets

if TYPE_CHECKING:
    from .job import JobDefinition


class DefaultScheduleStatus(Enum):
    """Whether a schedule runs before anybody has started or stopped it."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class ScheduleDefinition:
    """Asks for runs of a job at the times of ``cron_schedule`` in ``execution_timezone`` (UTC without one).

    Several cron expressions fire at each one's times. ``execution_fn`` decides by itself what to ask for and excludes
    ``run_config`` and ``run_config_fn``. A cron expression, time zone or function that cannot be meant is a problem of
    this schedule, which ``Definitions.validate_loadable`` raises; the definitions beside it load.

    Raises:
        InvalidDefinition: the parts contradict each other.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        cron_schedule: str | Sequence[str] | None = None,
        job_name: str | None = None,
        run_config: RunConfig | Mapping[str, Any] | None = None,
        run_config_fn: Callable[..., Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        tags_fn: Callable[..., Mapping[str, Any]] | None = None,
        metadata: Mapping[str, Any] | None = None,
        should_execute: Callable[..., bool] | None = None,
        environment_vars: Mapping[str, str] | None = None,
        execution_timezone: str | None = None,
        execution_fn: Callable[..., Any] | None = None,
        description: str | None = None,
        job: Any = None,
        default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
        required_resource_keys: Iterable[str] | None = None,
        target: Any = None,
        owners: Sequence[str] | None = None,
    ) -> None:
        first = name or job_name or getattr(job, "name", None)
        if first is None:
            raise InvalidDefinition("A schedule needs a name, or a job to be named after.")
        self.name = check_name("a schedule", name or f"{first}_schedule")
        self.owner = f"Schedule '{self.name}'"
        self.targets = Targets.of(self.owner, job=job, job_name=job_name, target=target)
        self.problems = Problems()
        crons = _listed(cron_schedule)
        shown = tuple(tidy(cron) if isinstance(cron, str) else repr(cron) for cron in crons)
        self.cron_schedule: str | tuple[str, ...] = shown[0] if isinstance(cron_schedule, str) else shown
        self.execution_timezone = None if execution_timezone is None else str(execution_timezone)
        self._check_times(crons)
        self.description, self.owners = description, tuple(owners or ())
        self.tags = checked_tags(self.owner, tags, TagSetter.SCHEDULE)
        self.metadata = check_metadata(metadata, self.owner)
        self.environment_vars = dict(environment_vars or {})
        self.default_status = default_status
        self.run_config = None if run_config is None else as_run_config(run_config)
        self.run_config_fn = self._context_function("run_config_fn", run_config_fn)
        self.tags_fn = self._context_function("tags_fn", tags_fn)
        self.should_execute = self._context_function("should_execute", should_execute)
        self._check_functions(execution_fn)
        self.execution = self._execution(execution_fn, required_resource_keys)
        self.required_resource_keys = (
            self.execution.resource_keys if self.execution else frozenset(required_resource_keys or ())
        )

    def _check_times(self, crons: tuple[Any, ...]) -> None:
        from ..schedule.cron import (  # noqa: PLC0415 - imports a cron library, needed by those with schedules
            validate_cron,
            validate_timezone,
        )

        if not crons:
            with self.problems.noted(self.owner):
                raise InvalidDefinition("cron_schedule is a cron expression or a list with at least one.")
        for cron in crons:
            with self.problems.noted(self.owner):
                validate_cron(cron)
        with self.problems.noted(self.owner):
            validate_timezone(self.execution_timezone or "UTC")

    def _context_function(self, name: str, function: Any) -> ContextFunction | None:
        if function is not None:
            with self.problems.noted():
                return ContextFunction(f"{self.owner}: {name}", function)
        return None

    def _execution(self, function: Any, required_resource_keys: Iterable[str] | None) -> EvaluationFunction | None:
        if function is not None:
            with self.problems.noted():
                return EvaluationFunction(self.owner, function, required_resource_keys)
        return None

    def _check_functions(self, execution_fn: Callable[..., Any] | None) -> None:
        if self.run_config is not None and self.run_config_fn is not None:
            raise InvalidDefinition(f"{self.owner}: give run_config or run_config_fn, not both.")
        if execution_fn is None:
            return
        for name in ("run_config", "run_config_fn"):
            if getattr(self, name) is not None:
                raise InvalidDefinition(f"{self.owner}: execution_fn decides about {name} itself; give one of the two.")

    @property
    def cron_schedules(self) -> tuple[str, ...]:
        return (self.cron_schedule,) if isinstance(self.cron_schedule, str) else self.cron_schedule

    @property
    def job(self) -> JobDefinition:
        """Raises InvalidDefinition when the schedule knows its job by name only."""
        if not self.targets.jobs:
            raise InvalidDefinition(f"{self.owner} knows its job by name only: {self.targets.job_name}.")
        return self.targets.jobs[0]

    @property
    def job_name(self) -> str:
        return self.targets.names[0] if self.targets.names else ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function directly, with a context of ``build_schedule_context`` if it takes one."""
        return engine().invoke_schedule(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<schedule {self.name}>"


def _listed(crons: Any) -> tuple[Any, ...]:
    if crons is None:
        return ()
    return (crons,) if isinstance(crons, str | bytes) or not isinstance(crons, Iterable) else tuple(crons)


def schedule(
    cron_schedule: str | Sequence[str],
    *,
    job_name: str | None = None,
    name: str | None = None,
    tags: Mapping[str, Any] | None = None,
    tags_fn: Callable[..., Mapping[str, Any]] | None = None,
    metadata: Mapping[str, Any] | None = None,
    should_execute: Callable[..., bool] | None = None,
    environment_vars: Mapping[str, str] | None = None,
    execution_timezone: str | None = None,
    description: str | None = None,
    job: Any = None,
    default_status: DefaultScheduleStatus = DefaultScheduleStatus.STOPPED,
    required_resource_keys: Iterable[str] | None = None,
    target: Any = None,
    owners: Sequence[str] | None = None,
) -> Callable[[Callable[..., Any]], ScheduleDefinition]:
    """Make a schedule of a function that answers with run requests, a skip reason or run config."""

    def decorate(function: Callable[..., Any]) -> ScheduleDefinition:
        called = own_name("A schedule", name, function)
        made = ScheduleDefinition(
            called,
            cron_schedule=cron_schedule,
            job_name=job_name,
            tags=tags,
            tags_fn=tags_fn,
            metadata=metadata,
            should_execute=should_execute,
            environment_vars=environment_vars,
            execution_timezone=execution_timezone,
            execution_fn=function,
            description=describe_function(function, description),
            job=job,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            target=target,
            owners=owners,
        )
        functools.update_wrapper(made, function, updated=())
        return made

    return decorate
