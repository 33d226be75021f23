"""The workspace file: a list of code locations."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import yaml

from ..core.errors import ConfigError
from ..core.harmless import harmless
from ..core.text import storable
from ..settings.document import Source, compose, empty_node, line_of
from ..settings.kinds import Choice, Either, Flag, Keys, Kind, Listing, NotYet, Section, Shown, Text
from ..settings.text_file import read_text
from .paths import executable_from, path_from
from .spec import LocationKind, LocationSpec

#: Characters of a location's name.
LONGEST_NAME = 200

_PLACE: dict[str, Kind] = {
    "location_name": Text(),
    "working_directory": Text(),
    "executable_path": Text(),
    "start_method": Choice("fork", "spawn"),
    "compat": Flag(),
}
_WITH_ATTRIBUTE: dict[str, Kind] = {"attribute": Text(), **_PLACE}
#: Which key of an entry's mapping form says where the code is.
_TARGET_KEYS: dict[LocationKind, str] = {
    "python_file": "relative_path",
    "python_module": "module_name",
    "python_package": "package_name",
    "autoload_defs_module": "module_name",
}


def _form(kind: LocationKind) -> Kind:
    key = _TARGET_KEYS[kind]
    others = _PLACE if kind == "autoload_defs_module" else _WITH_ATTRIBUTE
    return Either(Text(), Keys({key: Text(), **others}, required=(key,)))


_GRPC = NotYet("Remote code servers are not there yet; load the code from a python_file, module or package.")
_ENTRY = Keys(
    {**{kind: _form(kind) for kind in _TARGET_KEYS}, "grpc_server": _GRPC}, one_of=(*_TARGET_KEYS, "grpc_server")
)


class _Located:
    """An entry with its line, for messages about two entries at once."""

    def read(self, node: yaml.Node, at: str, source: Source) -> tuple[Section, int]:
        return _ENTRY.read(node, at, source), line_of(node)

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        yield from _ENTRY.shown(node)


_WORKSPACE = Keys({"load_from": Listing(_Located())}, required=("load_from",))


class Entry(NamedTuple):
    """A location and the line that describes it."""

    spec: LocationSpec
    file: str
    line: int


def read_workspace(path: str | Path, *, env: Mapping[str, str] | None = None) -> list[LocationSpec]:
    """The code locations of a workspace file, in its order.

    Parameters:
        path: the file; relative paths in it start from its directory.
        env: variables behind ``{env: NAME}``; None: the process's own.

    Raises:
        ConfigError: the file cannot be read or says something that cannot be meant.
    """
    entries = read_entries(Path(path), env=os.environ if env is None else env)
    check_names(entries)
    return [entry.spec for entry in entries]


def read_entries(path: Path, *, env: Mapping[str, str]) -> list[Entry]:
    """The same with lines, names not yet compared."""
    source = Source(str(path), env)
    node = compose(read_text(path), source.file) or empty_node()
    root = _WORKSPACE.read(node, "", source)
    directory = path.absolute().parent
    return [Entry(_spec(section, directory), source.file, line) for section, line in root.get("load_from")]


def check_names(entries: list[Entry]) -> None:
    """Raises ConfigError when a name is none, or two entries would be the same code location."""
    seen: dict[str, Entry] = {}
    for entry in entries:
        _check_paths(entry)
        fault = _fault_of_name(entry.spec.name)
        if fault is not None:
            shown = entry.spec.name if len(entry.spec.name) <= LONGEST_NAME else f"{entry.spec.name[:20]}…"
            told = (
                f"'{harmless(shown)}' cannot be the name of a location: {fault}. "
                f"Give it a location_name of 1 to {LONGEST_NAME} characters, such as letters, digits, '.', '_' and '-'."
            )
            raise ConfigError(told, file=entry.file, line=entry.line)
        first = seen.setdefault(entry.spec.name, entry)
        if first is not entry:
            told = (
                f"two locations are named '{entry.spec.name}', the first at {first.file}:{first.line}; "
                "give one of them another location_name."
            )
            raise ConfigError(told, file=entry.file, line=entry.line)


def _check_paths(entry: Entry) -> None:
    """File names are bytes on this system; those that are no text cannot be handed to a location's host."""
    spec = entry.spec
    for text in (spec.target, spec.working_directory, spec.executable_path, spec.attribute):
        if text is not None and storable(text) != text:
            raise ConfigError(f"'{harmless(text)}' is not valid Unicode text.", file=entry.file, line=entry.line)


def _fault_of_name(name: str) -> str | None:
    """Names are in URLs, tables and messages, so they have no part that means something there."""
    if not name:
        return "it is empty"
    if len(name) > LONGEST_NAME:
        return f"it has {len(name)} characters"
    if name in (".", "..") or "/" in name or "\\" in name:
        return "it would be a path"
    if harmless(name) != name:
        return "it holds a character that is not shown"
    return "it begins or ends with a blank" if name != name.strip() else None


def default_name(kind: LocationKind, target: str, attribute: str | None) -> str:
    """A location's name where none is given: the file's or module's, with the attribute where there is one."""
    name = Path(target).name if kind == "python_file" else target
    return f"{name}:{attribute}" if attribute else name


def _spec(entry: Section, directory: Path) -> LocationSpec:
    ((key, value),) = entry.values.items()
    kind = cast("LocationKind", key)
    given: dict[str, Any] = dict(value.values) if isinstance(value, Section) else {_TARGET_KEYS[kind]: value}
    target, executable = given.pop(_TARGET_KEYS[kind]), given.pop("executable_path", None)
    name = given.pop("location_name", None) or default_name(kind, target, given.get("attribute"))
    return LocationSpec(
        name=name,
        kind=kind,
        target=path_from(directory, target) if kind == "python_file" else target,
        working_directory=path_from(directory, given.pop("working_directory", "")),
        executable_path=None if executable is None else executable_from(directory, executable),
        **given,
    )
