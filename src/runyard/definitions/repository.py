"""``@repository``: the older form of Definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, overload

from ..core.errors import InvalidDefinition
from .definitions import Definitions
from .graph import GraphDefinition
from .job import JobDefinition
from .names import check_name, describe_function
from .schedule import ScheduleDefinition
from .sensor import SensorDefinition


class RepositoryDefinition:
    """A named list of jobs, schedules and sensors."""

    def __init__(
        self, name: str, definitions: Definitions, description: str | None, metadata: Mapping[str, Any] | None = None
    ) -> None:
        self.name, self.definitions, self.description = name, definitions, description
        self.metadata = dict(metadata or {})

    @property
    def job_names(self) -> list[str]:
        return list(self.definitions.resolve().jobs)

    @property
    def schedule_defs(self) -> list[ScheduleDefinition]:
        return list(self.definitions.resolve().schedules.values())

    @property
    def sensor_defs(self) -> list[SensorDefinition]:
        return list(self.definitions.resolve().sensors.values())

    def get_all_jobs(self) -> list[JobDefinition]:
        return list(self.definitions.resolve().jobs.values())

    def get_job(self, name: str) -> JobDefinition:
        """Raises NotFound, naming the nearest there is."""
        return self.definitions.get_job_def(name)

    def get_schedule_def(self, name: str) -> ScheduleDefinition:
        """Raises NotFound, naming the nearest there is."""
        return self.definitions.get_schedule_def(name)

    def get_sensor_def(self, name: str) -> SensorDefinition:
        """Raises NotFound, naming the nearest there is."""
        return self.definitions.get_sensor_def(name)

    def has_job(self, name: str) -> bool:
        return name in self.definitions.resolve().jobs

    def has_schedule_def(self, name: str) -> bool:
        return name in self.definitions.resolve().schedules

    def has_sensor_def(self, name: str) -> bool:
        return name in self.definitions.resolve().sensors


def collect(owner: str, items: list[Any], name: str) -> Definitions:
    """Definitions of a flat list of jobs, graphs, schedules and sensors.

    Raises:
        InvalidDefinition: something else is in the list.
    """
    kinds: dict[str, tuple[type, ...]] = {
        "jobs": (JobDefinition, GraphDefinition),
        "schedules": (ScheduleDefinition,),
        "sensors": (SensorDefinition,),
    }
    for item in items:
        if not isinstance(item, tuple(kind for group in kinds.values() for kind in group)):
            raise InvalidDefinition(f"{owner} lists {item!r}, which is no job, graph, schedule or sensor.")
    parts: dict[str, Any] = {part: [item for item in items if isinstance(item, group)] for part, group in kinds.items()}
    return Definitions(**parts, name=name)


@overload
def repository(definitions_fn: Callable[[], Any]) -> RepositoryDefinition: ...


@overload
def repository(
    *, name: str | None = None, description: str | None = None, metadata: Mapping[str, Any] | None = None
) -> Callable[[Callable[[], Any]], RepositoryDefinition]: ...


def repository(
    definitions_fn: Callable[[], Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> RepositoryDefinition | Callable[[Callable[[], Any]], RepositoryDefinition]:
    """Make a repository of a function that returns a list of jobs, graphs, schedules and sensors."""

    def decorate(function: Callable[[], Any]) -> RepositoryDefinition:
        called = check_name("a repository", name or function.__name__)
        owner = f"Repository '{called}'"
        items = function()
        if not isinstance(items, list | tuple):
            raise InvalidDefinition(f"{owner}: its function returned {items!r}; return a list of definitions.")
        flat = [one for item in items for one in (item if isinstance(item, list | tuple) else [item])]
        return RepositoryDefinition(
            called, collect(owner, flat, called), describe_function(function, description), metadata
        )

    return decorate(definitions_fn) if definitions_fn is not None else decorate
