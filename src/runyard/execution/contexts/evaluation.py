"""The contexts of schedules and sensors."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidDefinition
from ...definitions.engine import InstanceClient, current_instance
from ...definitions.requests import checked_cursor
from .resources import Resources

if TYPE_CHECKING:
    from ...definitions.definitions import Definitions


class _EvaluationContext:
    def __init__(
        self,
        *,
        name: str | None,
        log: logging.Logger,
        resources: Resources,
        instance: InstanceClient | None = None,
        definitions: Definitions | None = None,
    ) -> None:
        self._name, self.log, self.resources = name, log, resources
        self._instance, self._definitions = instance, definitions

    @property
    def instance(self) -> InstanceClient:
        """Raises NoInstance where there is none."""
        return self._instance or current_instance()

    @property
    def repository_def(self) -> Definitions | None:
        """What the code location defines."""
        return self._definitions

    @property
    def repository_name(self) -> str | None:
        return self._definitions.name if self._definitions is not None else None


class ScheduleEvaluationContext(_EvaluationContext):
    """What a schedule is handed as ``context``."""

    def __init__(self, *, scheduled_execution_time: datetime | None, **common: Any) -> None:
        super().__init__(**common)
        self._time = scheduled_execution_time

    @property
    def schedule_name(self) -> str | None:
        return self._name

    @property
    def scheduled_execution_time(self) -> datetime:
        """The time that this tick stands for, in the schedule's time zone.

        Raises:
            InvalidDefinition: the context was built without one.
        """
        if self._time is None:
            raise InvalidDefinition("Give build_schedule_context a scheduled_execution_time to use it.")
        return self._time


class SensorEvaluationContext(_EvaluationContext):
    """What a sensor is handed as ``context``. Times are seconds since the epoch."""

    def __init__(
        self,
        *,
        cursor: str | None = None,
        last_tick_completion_time: float | None = None,
        last_run_key: str | None = None,
        last_sensor_start_time: float | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self._cursor = cursor
        self.cursor_updated = False
        self.last_tick_completion_time = last_tick_completion_time
        self.last_run_key = last_run_key
        self.last_sensor_start_time = last_sensor_start_time

    @property
    def sensor_name(self) -> str | None:
        return self._name

    @property
    def cursor(self) -> str | None:
        """What the sensor last stored with ``update_cursor``, in this tick or an earlier one."""
        return self._cursor

    @property
    def last_completion_time(self) -> float | None:
        return self.last_tick_completion_time

    @property
    def is_first_tick_since_sensor_start(self) -> bool:
        started, last = self.last_sensor_start_time, self.last_tick_completion_time
        return last is None or (started is not None and last < started)

    def update_cursor(self, cursor: str | None) -> None:
        """Store a string for the next tick; kept unless this tick fails.

        Raises:
            InvalidDefinition: it is no string, or cannot be kept as it is.
        """
        self._cursor, self.cursor_updated = checked_cursor("cursor", cursor), True
