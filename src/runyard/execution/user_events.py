"""A run's events as user code sees them in results."""

from __future__ import annotations

from typing import Any

from ..core.events import Event, EventType


class DagsterEvent:
    """One event of a run."""

    def __init__(self, event: Event, job_name: str) -> None:
        self.event, self.job_name = event, job_name

    @property
    def event_type(self) -> EventType:
        return self.event.type

    @property
    def event_type_value(self) -> str:
        return self.event.type.value

    @property
    def step_key(self) -> str | None:
        return self.event.step_key

    @property
    def message(self) -> str:
        return self.event.message

    @property
    def level(self) -> str:
        return self.event.level

    @property
    def timestamp(self) -> float:
        return self.event.timestamp

    @property
    def event_specific_data(self) -> dict[str, Any]:
        return self.event.data

    @property
    def is_step_event(self) -> bool:
        return self.event.type.value.startswith("STEP_")

    @property
    def is_step_start(self) -> bool:
        return self.event.type is EventType.STEP_START

    @property
    def is_step_success(self) -> bool:
        return self.event.type is EventType.STEP_SUCCESS

    @property
    def is_step_failure(self) -> bool:
        return self.event.type is EventType.STEP_FAILURE

    @property
    def is_step_skipped(self) -> bool:
        return self.event.type is EventType.STEP_SKIPPED

    @property
    def is_step_up_for_retry(self) -> bool:
        return self.event.type is EventType.STEP_UP_FOR_RETRY

    @property
    def is_step_restarted(self) -> bool:
        return self.event.type is EventType.STEP_RESTARTED

    @property
    def is_step_materialization(self) -> bool:
        return self.event.type is EventType.ASSET_MATERIALIZATION

    @property
    def is_successful_output(self) -> bool:
        return self.event.type is EventType.STEP_OUTPUT

    @property
    def is_failure(self) -> bool:
        return self.event.type in (
            EventType.RUN_FAILURE,
            EventType.STEP_FAILURE,
            EventType.RESOURCE_INIT_FAILURE,
        )

    def __repr__(self) -> str:
        where = f" {self.step_key}" if self.step_key else ""
        return f"<{self.event_type_value}{where}: {self.message}>"
