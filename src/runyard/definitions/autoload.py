"""``autoload_defs_module``: what all modules below a package define, put together."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from .definitions import Definitions, LazyDefinitions
from .module_contents import PARTS, definitions_of, named, only_whole, refuse_dagster
from .repository import collect

#: A file of this name stands for its whole directory.
KEYWORD = "definitions"
#: A repository counts for nothing here, as in the field: its parts do.
_WHOLE = (Definitions, LazyDefinitions)


def autoload(package: ModuleType) -> Definitions:
    """Import every module below ``package`` and merge what they define.

    Of a module that has Definitions these count, of any other its jobs, schedules and sensors.

    Raises:
        LocationLoadError: a module has several Definitions.
        InvalidDefinition: what two modules define contradicts itself.
    """
    modules = list(_modules(package.__name__, [Path(place) for place in package.__path__]))
    whole = [(module, only_whole(module, _WHOLE)) for module in modules]
    merged = _unique([definitions_of(one) for _, one in whole if one is not None])
    bare = [module for module, one in whole if one is None]
    loose = _unique([part for module in bare for part in named(module, PARTS).values()])
    if not merged and not loose:
        for module in modules:
            refuse_dagster(module)
    return Definitions.merge(*merged, collect(package.__name__, loose, "__repository__"))


def directories_below(package: ModuleType) -> list[Path]:
    """Where a new module would be loaded from."""
    return [found for place in package.__path__ for found in _directories(Path(place))]


def _directories(directory: Path) -> Iterator[Path]:
    yield directory
    for inner in _inner(directory):
        yield from _directories(inner)


def _modules(name: str, directories: list[Path]) -> Iterator[ModuleType]:
    """The package itself, then its modules and packages by name."""
    package = importlib.import_module(name)
    files = sorted(
        {file.stem for directory in directories for file in directory.glob("*.py") if _importable(file.stem)}
    )
    if KEYWORD in files:
        yield importlib.import_module(f"{name}.{KEYWORD}")
        return
    yield package
    for stem in files:
        yield importlib.import_module(f"{name}.{stem}")
    packages = (inner for directory in directories for inner in _inner(directory) if any(inner.rglob("*.py")))
    for inner in sorted({inner.name for inner in packages}):
        yield from _modules(f"{name}.{inner}", [directory / inner for directory in directories])


def _inner(directory: Path) -> list[Path]:
    """Directories in it that may hold modules, with or without an ``__init__.py``."""
    entries = directory.iterdir() if directory.is_dir() else ()
    return [entry for entry in entries if _importable(entry.name) and entry.is_dir()]


def _importable(name: str) -> bool:
    """Whether a file or directory of this name can be imported and is no part of its package itself."""
    return "." not in name and name not in ("__init__", "__pycache__")


def _unique(items: list[Any]) -> list[Any]:
    return list({id(item): item for item in items}.values())
