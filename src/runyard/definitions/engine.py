"""The one door from definitions to what lies above: the engine that executes and the instance that it talks to.

Definitions import nothing above them. Calling an op, ``execute_in_process`` and ``context.instance`` go through here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from .errors import NoInstance

if TYPE_CHECKING:
    from ..execution.in_process import ExecuteInProcessResult as ExecuteInProcessResult  # noqa: PLC0414 - passed on
    from .job import JobDefinition
    from .op import OpDefinition
    from .records import DagsterRun, RunRecord, RunsFilter
    from .schedule import ScheduleDefinition
    from .sensor import SensorDefinition


class InstanceClient(Protocol):
    """What user code may ask of the instance: ``context.instance``."""

    def get_run_by_id(self, run_id: str) -> DagsterRun | None: ...

    def get_runs(
        self, filters: RunsFilter | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Sequence[DagsterRun]:
        """Newest first; ``cursor`` is the run id that the page before ended with."""
        ...

    def get_run_records(
        self, filters: RunsFilter | None = None, limit: int | None = None, *, cursor: str | None = None
    ) -> Sequence[RunRecord]:
        """Newest first."""
        ...

    def get_runs_count(self, filters: RunsFilter | None = None) -> int: ...


class Engine(Protocol):
    """What executes definitions in this process."""

    def invoke_op(self, op: OpDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...

    def invoke_schedule(self, schedule: ScheduleDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...

    def invoke_sensor(self, sensor: SensorDefinition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...

    def execute_in_process(
        self,
        job: JobDefinition,
        *,
        run_config: Any = None,
        instance: Any = None,
        raise_on_error: bool = True,
        run_id: str | None = None,
        input_values: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> ExecuteInProcessResult: ...


def engine() -> Engine:
    """The engine, imported when something is executed for the first time."""
    from ..execution import engine as bound  # noqa: PLC0415 - the single exception in the import contract

    return bound


_provider: Callable[[], InstanceClient] | None = None


def set_instance_provider(provider: Callable[[], InstanceClient] | None) -> None:
    """Say where ``context.instance`` comes from in this process; the run worker does so as it starts."""
    global _provider  # noqa: PLW0603 - one per process is what it is
    _provider = provider


def current_instance() -> InstanceClient:
    """The instance of this process.

    Raises:
        NoInstance: no provider was set.
    """
    if _provider is None:
        raise NoInstance
    return _provider()
