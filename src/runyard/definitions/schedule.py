"""Schedules: runs at the times of a cron expression."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..core.errors import InvalidDefinition
from .config.run_config import RunConfig, as_run_config
from .engine import engine
from .evaluation_function import EvaluationFunction
from .metadata import check_metadata
from .names import check_name, checked_tags, describe_function
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
    ``run_config`` and ``run_config_fn``.

    Raises:
        InvalidDefinition: the parts contradict each other, or no time ever fits the cron expression.
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
        self.cron_schedule = _checked_cron(self.owner, cron_schedule)
        self.execution_timezone = _checked_timezone(self.owner, execution_timezone)
        self.description, self.owners = description, tuple(owners or ())
        self.tags = checked_tags(self.owner, tags)
        self.metadata = check_metadata(metadata, self.owner)
        self.environment_vars = dict(environment_vars or {})
        self.default_status = default_status
        self.run_config = None if run_config is None else as_run_config(run_config)
        self.run_config_fn, self.tags_fn, self.should_execute = run_config_fn, tags_fn, should_execute
        self._check_functions(execution_fn)
        self.execution = EvaluationFunction(self.owner, execution_fn, required_resource_keys) if execution_fn else None
        self.required_resource_keys = (
            self.execution.resource_keys if self.execution else frozenset(required_resource_keys or ())
        )

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


def _checked_cron(owner: str, given: str | Sequence[str] | None) -> str | tuple[str, ...]:
    from ..schedule.cron import validate_cron  # noqa: PLC0415 - imports a cron library, needed by those with schedules

    crons = [given] if isinstance(given, str) else list(given or ())
    if not crons:
        raise InvalidDefinition(f"{owner}: cron_schedule is a cron expression or a list with at least one.")
    for cron in crons:
        if not isinstance(cron, str):
            raise InvalidDefinition(f"{owner}: cron_schedule is a string, not {cron!r}.")
        try:
            validate_cron(cron)
        except InvalidDefinition as error:
            raise InvalidDefinition(f"{owner}: {error}") from error
    return given if isinstance(given, str) else tuple(crons)


def _checked_timezone(owner: str, name: str | None) -> str | None:
    if name is None:
        return None
    from ..schedule.cron import validate_timezone  # noqa: PLC0415 - same

    try:
        validate_timezone(name)
    except InvalidDefinition as error:
        raise InvalidDefinition(f"{owner}: {error}") from error
    return name


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
        called = name or function.__name__
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
