"""A code location in the form that other processes see."""

from __future__ import annotations

from typing import Any

from ..core.errors import InvalidDefinition, UserError
from ..core.location import JobInfo, LocationDefinitions, OpInfo, ScheduleInfo, SensorInfo
from .config.job_config import filled_config
from .config.plain import plain_config
from .definitions import Definitions, Resolved
from .job import JobDefinition
from .schedule import DefaultScheduleStatus, ScheduleDefinition
from .sensor import DefaultSensorStatus, SensorDefinition
from .steps import Step


def describe(defs: Definitions) -> LocationDefinitions:
    """Jobs, schedules and sensors as records, each kind sorted by name.

    Raises:
        InvalidDefinition: the parts do not fit together.
    """
    resolved = defs.resolve()
    return LocationDefinitions(
        jobs=tuple(_job(resolved.jobs[name]) for name in sorted(resolved.jobs)),
        schedules=tuple(_schedule(resolved, resolved.schedules[name]) for name in sorted(resolved.schedules)),
        sensors=tuple(_sensor(resolved, resolved.sensors[name]) for name in sorted(resolved.sensors)),
    )


def _job(job: JobDefinition) -> JobInfo:
    return JobInfo(
        name=job.name,
        description=job.description,
        tags=job.run_tags,
        ops=tuple(_op(step) for step in job.steps),
        pools=job.pools,
        config_schema=job.config_tree.json_schema(),
        default_config=_default_config(job),
    )


def _default_config(job: JobDefinition) -> dict[str, Any]:
    try:
        return dict(plain_config(filled_config(job), for_show=True))
    except UserError as error:
        raise InvalidDefinition(f"{job.owner}, config: {error}") from None


def _op(step: Step) -> OpInfo:
    return OpInfo(
        key=step.key,
        op_name=step.op.name,
        description=step.op.description,
        needs=step.needs(),
        pool=step.op.pool,
        pool_slots=step.op.pool_slots,
        tags=dict(step.tags),
    )


def _schedule(resolved: Resolved, schedule: ScheduleDefinition) -> ScheduleInfo:
    return ScheduleInfo(
        name=schedule.name,
        cron_schedule=schedule.cron_schedules,
        execution_timezone=schedule.execution_timezone or "UTC",
        job_names=schedule.targets.names,
        running_by_default=schedule.default_status is DefaultScheduleStatus.RUNNING,
        description=schedule.description,
        tags=schedule.tags,
        problem=resolved.problem(schedule),
    )


def _sensor(resolved: Resolved, sensor: SensorDefinition) -> SensorInfo:
    return SensorInfo(
        name=sensor.name,
        job_names=sensor.targets.names,
        minimum_interval_seconds=float(sensor.minimum_interval_seconds),
        running_by_default=sensor.default_status is DefaultSensorStatus.RUNNING,
        description=sensor.description,
        tags=sensor.tags,
        problem=resolved.problem(sensor),
    )
