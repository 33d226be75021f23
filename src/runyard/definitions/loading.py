"""Importing a code location and finding what it defines."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from ..core.text import did_you_mean, listing
from .definitions import Definitions, LazyDefinitions
from .errors import LocationLoadError
from .graph import GraphDefinition
from .job import JobDefinition
from .op import OpDefinition
from .relative_imports import relative_import_hint
from .repository import RepositoryDefinition, collect
from .schedule import ScheduleDefinition
from .sensor import SensorDefinition

_WHOLE = (Definitions, LazyDefinitions, RepositoryDefinition)
_PARTS = (JobDefinition, ScheduleDefinition, SensorDefinition)


def load_definitions(
    *, kind: str, target: str, attribute: str | None = None, working_directory: str | None = None
) -> Definitions:
    """Import the code and return what it defines, checked.

    Parameters:
        kind: ``python_file``, ``python_module``, ``python_package`` or ``autoload_defs_module``.
        target: a file's path, else a module's name.
        attribute: the name of a Definitions, repository, job or graph in it, or of a function that returns one.
        working_directory: put first on ``sys.path``.

    Raises:
        LocationLoadError: nothing to load was found, or several things.
        InvalidDefinition: what was found contradicts itself.
        Exception: whatever the code raises while it is imported.
    """
    if working_directory and working_directory not in sys.path:
        sys.path.insert(0, working_directory)
    try:
        module = _import_file(Path(target)) if kind == "python_file" else importlib.import_module(target)
    except ImportError as error:
        hint = relative_import_hint(error, loaded=target, working_directory=working_directory)
        if hint is None:
            raise
        raise LocationLoadError(hint) from error
    found = _attribute(module, attribute) if attribute else _find(module)
    found.resolve()
    return found


def _import_file(path: Path) -> ModuleType:
    """Import a file under its own name, so that what it defines can be pickled."""
    if not path.is_file():
        raise LocationLoadError(f"There is no file {path}.")
    name = path.stem
    known = sys.modules.get(name)
    if known is not None and getattr(known, "__file__", None) != str(path):
        name = f"runyard_location_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LocationLoadError(f"{path} is no Python file: its name has to end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _label(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    return Path(file).name if file and Path(file).name != "__init__.py" else f"module {module.__name__}"


def _find(module: ModuleType) -> Definitions:
    whole = _named(module, _WHOLE)
    if len(whole) > 1:
        raise LocationLoadError(
            f"{_label(module)} has {len(whole)} Definitions or repositories: {listing(whole)}. "
            "Keep one, merge them with Definitions.merge, or name one as the location's attribute."
        )
    if whole:
        return _definitions_of(next(iter(whole.values())))
    return _collected(module)


def _collected(module: ModuleType) -> Definitions:
    parts = _named(module, _PARTS)
    if parts:
        return collect(_label(module), list(parts.values()), "__repository__")
    graphs = _named(module, (GraphDefinition,))
    if len(graphs) == 1:
        return collect(_label(module), list(graphs.values()), "__repository__")
    _refuse_dagster(module)
    raise LocationLoadError(f"{_label(module)} defines nothing to load: {_what_it_has(module)}")


def _what_it_has(module: ModuleType) -> str:
    ops = _named(module, (OpDefinition, GraphDefinition))
    if ops:
        return f"it has {listing(ops)}, which need a job. Add a @job, or Definitions(jobs=[…])."
    return "no Definitions, @repository, job, schedule or sensor is at its top level. Add defs = Definitions(jobs=[…])."


def _named(module: ModuleType, kinds: tuple[type, ...]) -> dict[str, Any]:
    """Objects of these kinds at the top level, each once, under the first name that it has."""
    seen: dict[int, tuple[str, Any]] = {}
    for name, value in vars(module).items():
        if isinstance(value, kinds):
            seen.setdefault(id(value), (name, value))
    return dict(seen.values())


def _attribute(module: ModuleType, name: str) -> Definitions:
    if not hasattr(module, name):
        known = [known for known in vars(module) if not known.startswith("_")]
        raise LocationLoadError(f"{_label(module)} has no attribute '{name}'.{did_you_mean(name, known)}")
    value = getattr(module, name)
    told = f"Attribute '{name}' of {_label(module)}"
    if _is_function(value):
        value, told = value(), f"{told} is a function that returned an object which"
    if isinstance(value, _WHOLE):
        return _definitions_of(value)
    if isinstance(value, (*_PARTS, GraphDefinition)):
        return collect(told, [value], "__repository__")
    _refuse_real_dagster(told, value)
    raise LocationLoadError(
        f"{told} is {type(value).__name__}; a location is Definitions, a repository, a job or a graph, "
        "or a function that returns one."
    )


def _is_function(value: Any) -> bool:
    return isinstance(value, FunctionType)


def _definitions_of(value: Any) -> Definitions:
    if isinstance(value, LazyDefinitions):
        return value()
    found: Definitions = value.definitions if isinstance(value, RepositoryDefinition) else value
    return found


def _refuse_dagster(module: ModuleType) -> None:
    for name, value in vars(module).items():
        _refuse_real_dagster(f"'{name}' of {_label(module)}", value)


def _refuse_real_dagster(told: str, value: Any) -> None:
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
