"""Contexts for calling ops, schedules and sensors directly, in tests for example."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ...core.error_info import error_line
from ...core.errors import UserError
from ...definitions.engine import InstanceClient
from ...definitions.resources.definition import as_resources
from ..resources import ResourceScope
from .evaluation import ScheduleEvaluationContext, SensorEvaluationContext
from .resources import Resources

if TYPE_CHECKING:
    from ...definitions.definitions import Definitions

_LOG = logging.getLogger("runyard.direct")


def open_resources(
    resources: Mapping[str, Any] | None, config: Mapping[str, Any] | None, instance: InstanceClient | None
) -> ResourceScope:
    """Initialise resources for a directly built context."""
    scope = ResourceScope(as_resources(resources), config or {}, log=_LOG, instance=instance)
    scope.open()
    return scope


class BuiltContext:
    """Mixed into contexts that are built by hand: ``with build_…_context(…) as context`` takes its resources down."""

    scope: ResourceScope

    def __enter__(self) -> Any:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.scope.close(_warn)


def _warn(name: str, error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt):
        raise error
    warnings.warn(f"Taking down the resource '{name}' failed: {error_line(error)}", RuntimeWarning, stacklevel=3)


class BuiltScheduleContext(BuiltContext, ScheduleEvaluationContext):
    """Made by build_schedule_context."""


class BuiltSensorContext(BuiltContext, SensorEvaluationContext):
    """Made by build_sensor_context."""


def build_schedule_context(
    instance: InstanceClient | None = None,
    scheduled_execution_time: datetime | None = None,
    resources: Mapping[str, Any] | None = None,
    repository_def: Definitions | None = None,
) -> BuiltScheduleContext:
    """A context to call a schedule with.

    Raises:
        UserError: the time has no time zone.
    """
    if scheduled_execution_time is not None and scheduled_execution_time.tzinfo is None:
        raise UserError("scheduled_execution_time needs a time zone: datetime(…, tzinfo=timezone.utc).")
    scope = open_resources(resources, None, instance)
    context = BuiltScheduleContext(
        scheduled_execution_time=scheduled_execution_time,
        name=None,
        log=_LOG,
        resources=Resources(scope.values, "The context"),
        instance=instance,
        definitions=repository_def,
    )
    context.scope = scope
    return context


def build_sensor_context(
    instance: InstanceClient | None = None,
    cursor: str | None = None,
    sensor_name: str | None = None,
    resources: Mapping[str, Any] | None = None,
    definitions: Definitions | None = None,
    repository_def: Definitions | None = None,
    last_sensor_start_time: float | None = None,
) -> BuiltSensorContext:
    """A context to call a sensor with."""
    scope = open_resources(resources, None, instance)
    context = BuiltSensorContext(
        cursor=cursor,
        last_sensor_start_time=last_sensor_start_time,
        name=sensor_name,
        log=_LOG,
        resources=Resources(scope.values, "The context"),
        instance=instance,
        definitions=definitions or repository_def,
    )
    context.scope = scope
    return context
