"""Importing a code location and finding what it defines."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from ..core.text import did_you_mean, listing
from .autoload import autoload
from .definitions import Definitions
from .errors import LocationLoadError
from .graph import GraphDefinition
from .module_contents import PARTS, WHOLE, definitions_of, label, named, only_whole, refuse_dagster, refuse_real_dagster
from .op import OpDefinition
from .relative_imports import relative_import_hint
from .repository import collect


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
        found = _load(kind, target, attribute)
    except ImportError as error:
        hint = relative_import_hint(error, loaded=target, working_directory=working_directory)
        if hint is None:
            raise
        raise LocationLoadError(hint) from error
    found.resolve()
    return found


def _load(kind: str, target: str, attribute: str | None) -> Definitions:
    module = _import_file(Path(target)) if kind == "python_file" else importlib.import_module(target)
    if attribute:
        return _attribute(module, attribute)
    if kind == "autoload_defs_module" and hasattr(module, "__path__"):
        return autoload(module)
    return _find(module)


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


def _find(module: ModuleType) -> Definitions:
    whole = only_whole(module, WHOLE)
    return _collected(module) if whole is None else definitions_of(whole)


def _collected(module: ModuleType) -> Definitions:
    parts = named(module, PARTS)
    if parts:
        return collect(label(module), list(parts.values()), "__repository__")
    graphs = named(module, (GraphDefinition,))
    if len(graphs) == 1:
        return collect(label(module), list(graphs.values()), "__repository__")
    refuse_dagster(module)
    raise LocationLoadError(f"{label(module)} defines nothing to load: {_what_it_has(module)}")


def _what_it_has(module: ModuleType) -> str:
    ops = named(module, (OpDefinition, GraphDefinition))
    if ops:
        return f"it has {listing(ops)}, which need a job. Add a @job, or Definitions(jobs=[…])."
    return "no Definitions, @repository, job, schedule or sensor is at its top level. Add defs = Definitions(jobs=[…])."


def _attribute(module: ModuleType, name: str) -> Definitions:
    if not hasattr(module, name):
        known = [known for known in vars(module) if not known.startswith("_")]
        raise LocationLoadError(f"{label(module)} has no attribute '{name}'.{did_you_mean(name, known)}")
    value = getattr(module, name)
    told = f"Attribute '{name}' of {label(module)}"
    if _is_function(value):
        value, told = value(), f"{told} is a function that returned an object which"
    if isinstance(value, WHOLE):
        return definitions_of(value)
    if isinstance(value, (*PARTS, GraphDefinition)):
        return collect(told, [value], "__repository__")
    refuse_real_dagster(told, value)
    raise LocationLoadError(
        f"{told} is {type(value).__name__}; a location is Definitions, a repository, a job or a graph, "
        "or a function that returns one."
    )


def _is_function(value: Any) -> bool:
    return isinstance(value, FunctionType)
