"""Sensors: runs when a function that is called again and again sees a reason for them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, overload

from ..core.errors import InvalidDefinition
from .engine import engine
from .evaluation_function import EvaluationFunction
from .metadata import check_metadata
from .names import check_name, checked_tags, describe_function, own_name
from .problems import Problems
from .targets import Targets

if TYPE_CHECKING:
    from .job import JobDefinition

DEFAULT_INTERVAL_SECONDS = 30


class DefaultSensorStatus(Enum):
    """Whether a sensor runs before anybody has started or stopped it."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


class SensorDefinition:
    """Calls ``evaluation_fn`` at least ``minimum_interval_seconds`` apart and asks for the runs that it answers with.

    An interval or a function that cannot be meant is a problem of this sensor, which ``Definitions.validate_loadable``
    raises; the definitions beside it load.

    Raises:
        InvalidDefinition: the parts contradict each other.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        evaluation_fn: Callable[..., Any] | None = None,
        job_name: str | None = None,
        minimum_interval_seconds: float | None = None,
        description: str | None = None,
        job: Any = None,
        jobs: Sequence[Any] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        required_resource_keys: Iterable[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        target: Any = None,
        owners: Sequence[str] | None = None,
    ) -> None:
        if evaluation_fn is None:
            raise InvalidDefinition(f"Sensor '{name}' needs an evaluation_fn.")
        self.name = check_name("a sensor", own_name("A sensor", name, evaluation_fn))
        self.owner = f"Sensor '{self.name}'"
        self.targets = Targets.of(self.owner, job=job, jobs=jobs, job_name=job_name, target=target)
        self.problems = Problems()
        self._execution: EvaluationFunction | None = None
        self.minimum_interval_seconds: float = DEFAULT_INTERVAL_SECONDS
        with self.problems.noted():
            self._execution = EvaluationFunction(self.owner, evaluation_fn, required_resource_keys)
        with self.problems.noted():
            self.minimum_interval_seconds = _checked_interval(self.owner, minimum_interval_seconds)
        self.required_resource_keys = self._execution.resource_keys if self._execution else frozenset[str]()
        self.description = describe_function(evaluation_fn, description)
        self.default_status = default_status
        self.tags = checked_tags(self.owner, tags)
        self.metadata = check_metadata(metadata, self.owner)
        self.owners = tuple(owners or ())

    @property
    def execution(self) -> EvaluationFunction:
        """Raises InvalidDefinition when the function cannot be called as a sensor."""
        if self._execution is None:
            raise InvalidDefinition(self.problems.text() or f"{self.owner} has no function.")
        return self._execution

    @property
    def jobs(self) -> list[JobDefinition]:
        return list(self.targets.jobs)

    @property
    def job(self) -> JobDefinition:
        """Raises InvalidDefinition unless the sensor has exactly one job given as an object."""
        if len(self.targets.jobs) != 1:
            raise InvalidDefinition(f"{self.owner} does not have one job: {', '.join(self.targets.names) or 'none'}.")
        return self.targets.jobs[0]

    @property
    def job_name(self) -> str | None:
        return self.targets.names[0] if len(self.targets.names) == 1 else None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function directly, with a context of ``build_sensor_context`` if it takes one."""
        return engine().invoke_sensor(self, args, kwargs)

    def __repr__(self) -> str:
        return f"<sensor {self.name}>"


def _checked_interval(owner: str, seconds: float | None) -> float:
    if seconds is None:
        return DEFAULT_INTERVAL_SECONDS
    # A comparison with nan is false.
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise InvalidDefinition(f"{owner}: minimum_interval_seconds is a number from 0 up, not {seconds!r}.")
    return seconds


@overload
def sensor(job_name: Callable[..., Any]) -> SensorDefinition: ...


@overload
def sensor(
    job_name: str | None = None,
    *,
    name: str | None = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    job: Any = None,
    jobs: Sequence[Any] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    target: Any = None,
    owners: Sequence[str] | None = None,
) -> Callable[[Callable[..., Any]], SensorDefinition]: ...


def sensor(
    job_name: Any = None,
    *,
    name: str | None = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    job: Any = None,
    jobs: Sequence[Any] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    target: Any = None,
    owners: Sequence[str] | None = None,
) -> SensorDefinition | Callable[[Callable[..., Any]], SensorDefinition]:
    """Make a sensor of a function: ``@sensor(job=…)``. Parameters are those of SensorDefinition."""
    bare = callable(job_name)

    def decorate(function: Callable[..., Any]) -> SensorDefinition:
        made = SensorDefinition(
            name,
            evaluation_fn=function,
            job_name=None if bare else job_name,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            target=target,
            owners=owners,
        )
        functools.update_wrapper(made, function, updated=())
        return made

    return decorate(job_name) if bare else decorate
