"""What stands at the top level of a user's module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from ..core.text import listing
from .definitions import Definitions, LazyDefinitions
from .errors import LocationLoadError
from .job import JobDefinition
from .repository import RepositoryDefinition
from .schedule import ScheduleDefinition
from .sensor import SensorDefinition

#: Kinds that stand for a whole location, and kinds that are collected where there is none of these.
WHOLE = (Definitions, LazyDefinitions, RepositoryDefinition)
PARTS = (JobDefinition, ScheduleDefinition, SensorDefinition)


def label(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return Path(file).name if file and Path(file).name != "__init__.py" else f"module {module.__name__}"


def named(module: ModuleType, kinds: tuple[type, ...]) -> dict[str, Any]:
    """Objects of these kinds at the top level, each once, under the first name that it has."""
    seen: dict[int, tuple[str, Any]] = {}
    for name, value in vars(module).items():
        if isinstance(value, kinds):
            seen.setdefault(id(value), (name, value))
    return dict(seen.values())


def only_whole(module: ModuleType, kinds: tuple[type, ...]) -> Any:
    """The one object of these kinds; None without any.

    Raises:
        LocationLoadError: there are several.
    """
    whole = named(module, kinds)
    if len(whole) > 1:
        raise LocationLoadError(
            f"{label(module)} has {len(whole)} Definitions or repositories: {listing(whole)}. "
            "Keep one, merge them with Definitions.merge, or name one as the location's attribute."
        )
    return next(iter(whole.values()), None)


def definitions_of(value: Any) -> Definitions:
    if isinstance(value, LazyDefinitions):
        return value()
    found: Definitions = value.definitions if isinstance(value, RepositoryDefinition) else value
    return found


def refuse_dagster(module: ModuleType) -> None:
    for name, value in vars(module).items():
        refuse_real_dagster(f"'{name}' of {label(module)}", value)


def refuse_real_dagster(told: str, value: Any) -> None:
    """Say it when the location was written for the real package, which is installed beside Runyard."""
    for kind in _kinds_of(value):
        if kind.__module__.partition(".")[0] == "dagster":
            raise LocationLoadError(
                f"{told} is an object of the real dagster package ({kind.__name__}), which Runyard cannot run. "
                "Change the import to runyard, or set `compat: true` on the workspace entry so that `import dagster` "
                "means runyard there."
            )


def _kinds_of(value: Any) -> Iterator[type]:
    if not isinstance(value, type | ModuleType):
        yield from type(value).__mro__
