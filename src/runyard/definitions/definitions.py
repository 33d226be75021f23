"""Everything that a code location defines, in one object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..core.errors import InvalidDefinition, NotFound
from ..core.text import did_you_mean
from .executors import ExecutorDefinition, checked_executor
from .graph import GraphDefinition
from .job import JobDefinition, as_job, missing_resource
from .metadata import check_metadata
from .schedule import ScheduleDefinition
from .sensor import SensorDefinition

REPOSITORY_NAME = "__repository__"


class Definitions:
    """Jobs, schedules and sensors with the resources that they share.

    Parts are put together when they are first asked for, so that ``Definitions.merge`` can complete them.

    Raises:
        InvalidDefinition: a part is of the wrong kind.
    """

    def __init__(
        self,
        *,
        schedules: Iterable[ScheduleDefinition] | None = None,
        sensors: Iterable[SensorDefinition] | None = None,
        jobs: Iterable[JobDefinition | GraphDefinition] | None = None,
        resources: Mapping[str, Any] | None = None,
        executor: ExecutorDefinition | None = None,
        metadata: Mapping[str, Any] | None = None,
        name: str = REPOSITORY_NAME,
    ) -> None:
        self.name = name
        self.jobs = _checked("jobs", jobs, (JobDefinition, GraphDefinition))
        self.schedules = _checked("schedules", schedules, (ScheduleDefinition,))
        self.sensors = _checked("sensors", sensors, (SensorDefinition,))
        self.resources = dict(resources or {})
        self.executor = checked_executor("Definitions", executor)
        self.metadata = check_metadata(metadata, "Definitions")
        self._resolved: Resolved | None = None

    @staticmethod
    def merge(*def_sets: Definitions) -> Definitions:
        """One object of several.

        Raises:
            InvalidDefinition: two give the same resource differently, or two executors.
        """
        resources: dict[str, Any] = {}
        for defs in def_sets:
            for key, value in defs.resources.items():
                if key in resources and resources[key] is not value:
                    raise InvalidDefinition(f"Definitions.merge: the resource '{key}' is given twice, differently.")
                resources[key] = value
        executors = [defs.executor for defs in def_sets if defs.executor is not None]
        if any(executor is not executors[0] for executor in executors):
            raise InvalidDefinition("Definitions.merge: two different executors are given.")
        return Definitions(
            jobs=_unique(one for defs in def_sets for one in defs.jobs),
            schedules=_unique(one for defs in def_sets for one in defs.schedules),
            sensors=_unique(one for defs in def_sets for one in defs.sensors),
            resources=resources,
            executor=executors[0] if executors else None,
            metadata={key: value for defs in def_sets for key, value in defs.metadata.items()},
        )

    @staticmethod
    def validate_loadable(defs: Definitions) -> None:
        """Raises InvalidDefinition when the parts do not fit together, or a schedule or sensor has a problem."""
        resolved = defs.resolve()
        problems = [resolved.problem(one) for one in (*defs.schedules, *defs.sensors)]
        if any(problems):
            raise InvalidDefinition(" ".join(filter(None, problems)))

    def resolve(self) -> Resolved:
        """The parts put together, kept.

        Raises:
            InvalidDefinition: a name is taken twice, or a job's resource is missing.
        """
        if self._resolved is None:
            self._resolved = Resolved(self)
        return self._resolved

    def get_job_def(self, name: str) -> JobDefinition:
        """Raises NotFound, naming the nearest there is."""
        found: JobDefinition = _get("job", name, self.resolve().jobs)
        return found

    def get_schedule_def(self, name: str) -> ScheduleDefinition:
        """Raises NotFound, naming the nearest there is."""
        found: ScheduleDefinition = _get("schedule", name, self.resolve().schedules)
        return found

    def get_sensor_def(self, name: str) -> SensorDefinition:
        """Raises NotFound, naming the nearest there is."""
        found: SensorDefinition = _get("sensor", name, self.resolve().sensors)
        return found

    def __repr__(self) -> str:
        return f"<Definitions: {len(self.jobs)} jobs, {len(self.schedules)} schedules, {len(self.sensors)} sensors>"


class Resolved:
    """Jobs bound to the shared resources, and every name checked."""

    def __init__(self, defs: Definitions) -> None:
        self.resources = defs.resources
        self.schedules: dict[str, ScheduleDefinition] = _by_name("schedules", defs.schedules)
        self.sensors: dict[str, SensorDefinition] = _by_name("sensors", defs.sensors)
        for name in self.schedules.keys() & self.sensors.keys():
            raise InvalidDefinition(f"A schedule and a sensor are both called '{name}'.")
        targets = [job for one in (*defs.schedules, *defs.sensors) for job in one.targets.jobs]
        listed = [as_job(one, "Definitions") for one in defs.jobs]
        bound = _by_name("jobs", [*listed, *_missing(targets, listed)])
        self.jobs = {name: job.with_defaults(defs.resources, defs.executor) for name, job in bound.items()}
        for job in self.jobs.values():
            job.needed_resources()

    def problem(self, one: ScheduleDefinition | SensorDefinition) -> str | None:
        """Why a schedule or sensor cannot be evaluated: what is wrong with it, or what it names and is not there."""
        return one.problems.text(*self._missing(one))

    def _missing(self, one: ScheduleDefinition | SensorDefinition) -> Iterator[str]:
        for name in one.targets.names:
            if name not in self.jobs:
                yield f"{one.owner} names the job '{name}', which is not defined.{did_you_mean(name, self.jobs)}"
        for key in sorted(one.required_resource_keys):
            if key not in self.resources:
                yield missing_resource(one.owner, key, "it", self.resources)


def _missing(targets: Sequence[JobDefinition], listed: Sequence[JobDefinition]) -> list[JobDefinition]:
    """Jobs that only schedules and sensors mention; a graph target makes an equal job each time."""
    graphs = {id(job.graph) for job in listed}
    found: dict[int, JobDefinition] = {}
    for job in targets:
        if not any(job is one for one in listed) and not (id(job.graph) in graphs and _same_name(job, listed)):
            found.setdefault(id(job.graph) ^ hash(job.name), job)
    return list(found.values())


def _same_name(job: JobDefinition, listed: Sequence[JobDefinition]) -> bool:
    return any(one.graph is job.graph and one.name == job.name for one in listed)


def _checked(what: str, given: Iterable[Any] | None, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    if given is not None and not isinstance(given, Iterable):
        raise InvalidDefinition(f"Definitions: {what} is a list, not {given!r}.")
    items = tuple(given or ())
    for item in items:
        if not isinstance(item, kinds):
            raise InvalidDefinition(f"Definitions: {item!r} is in {what}, but is a {type(item).__name__}.")
    return items


def _unique(items: Iterable[Any]) -> list[Any]:
    return list({id(item): item for item in items}.values())


def _by_name(what: str, items: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in items:
        first = found.setdefault(item.name, item)
        if first is not item:
            places = " and ".join(dict.fromkeys(_owner(one) for one in (first, item)))
            raise InvalidDefinition(f"Two {what} are called '{item.name}': {places}.")
    return found


def _owner(item: Any) -> str:
    """Where it is defined, in words; a job is where its graph is."""
    return str(item.graph.owner if isinstance(item, JobDefinition) else item.owner)


def _get(kind: str, name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise NotFound(kind, name, known)
    return known[name]


class LazyDefinitions:
    """A function that makes Definitions when the code location is loaded."""

    def __init__(self, function: Callable[[], Definitions]) -> None:
        self._function = function
        self._made: Definitions | None = None

    def __call__(self) -> Definitions:
        """The Definitions, made once.

        Raises:
            InvalidDefinition: the function returns something else.
        """
        if self._made is None:
            made = self._function()
            if not isinstance(made, Definitions):
                raise InvalidDefinition(f"@definitions: {self._function.__name__}() returned {made!r}, no Definitions.")
            self._made = made
        return self._made


def definitions(fn: Callable[[], Definitions]) -> LazyDefinitions:
    """Mark the function that makes this module's Definitions."""
    return LazyDefinitions(fn)
