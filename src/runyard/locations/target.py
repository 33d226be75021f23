"""What a command works on: the code locations that its options, a workspace file or pyproject.toml name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ..core.errors import ConfigError, UserError
from ..settings.text_file import is_there
from .paths import path_from
from .pyproject import project_locations
from .spec import LocationKind, LocationSpec
from .workspace_file import Entry, check_names, default_name, read_entries

WORKSPACE_FILE = "workspace.yaml"
PROJECT_FILE = "pyproject.toml"


#: (kind, file path or module name, attribute).
Named = tuple[LocationKind, str, str | None]


class NoTarget(UserError):
    """Nothing says where the code is."""

    def __init__(self, directory: str) -> None:
        super().__init__(
            f"No code to load: {directory} has no {WORKSPACE_FILE} and no pyproject.toml with [tool.runyard]; "
            "give -f FILE, -m MODULE or -w WORKSPACE."
        )


class TargetOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The target options of a command as they were given."""

    workspace: tuple[str, ...] = ()
    python_file: tuple[str, ...] = ()
    module_name: tuple[str, ...] = ()
    package_name: tuple[str, ...] = ()
    autoload_defs_module_name: tuple[str, ...] = ()
    working_directory: str | None = None
    #: None, or as many as there are files, modules and packages, in the order file, module, package.
    attribute: tuple[str, ...] = ()
    empty_workspace: bool = False

    @property
    def given(self) -> bool:
        """Whether any option says where the code is."""
        return self != TargetOptions()


class WorkspaceTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where the code locations come from; paths are absolute. Files are read again at each call."""

    workspace_files: tuple[str, ...] = ()
    #: What the command line names.
    named: tuple[Named, ...] = ()
    #: For what is named; empty: where the process runs.
    working_directory: str = ""
    project_file: str | None = None

    def specs(self, *, env: Mapping[str, str] | None = None) -> list[LocationSpec]:
        """Every location; ``env`` holds the variables behind ``{env: NAME}``, None: the process's own.

        Raises:
            ConfigError: a file cannot be read, says something that cannot be meant, or names repeat.
        """
        names = distinct_names(self.named)
        entries = [
            Entry(self._named_spec(name, *each), "the command line", 0)
            for name, each in zip(names, self.named, strict=True)
        ]
        for file in self.workspace_files:
            entries += read_entries(Path(file), env=os.environ if env is None else env)
        if self.project_file is not None:
            specs = project_locations(Path(self.project_file))
            entries += [Entry(spec, self.project_file, 0) for spec in specs or ()]
        check_names(entries)
        return [entry.spec for entry in entries]

    def watched_files(self) -> list[str]:
        """The files whose change changes ``specs``."""
        return [*self.workspace_files, *([self.project_file] if self.project_file else [])]

    def _named_spec(self, name: str, kind: LocationKind, target: str, attribute: str | None) -> LocationSpec:
        return LocationSpec(
            name=name,
            kind=kind,
            target=target,
            attribute=attribute,
            working_directory=self.working_directory or str(Path.cwd()),
        )


def distinct_names(named: Sequence[Named]) -> list[str]:
    """A name for each. Files of one name are named by their paths below the directory that they have in common, with
    dots: a command line has no place for a name.
    """
    names = [default_name(*each) for each in named]
    return [
        _distinct(each, [named[i] for i, other in enumerate(names) if other == name])
        for each, name in zip(named, names, strict=True)
    ]


def _distinct(one: Named, alike: Sequence[Named]) -> str:
    kind, target, attribute = one
    if len(alike) == 1 or any(other != "python_file" for other, _, _ in alike):
        return default_name(kind, target, attribute)
    shared = os.path.commonpath([str(Path(file).parent) for _, file, _ in alike])
    return default_name(kind, ".".join(Path(target).relative_to(shared).parts), attribute)


def resolve_target(options: TargetOptions, cwd: str) -> WorkspaceTarget:
    """What the options name, else ``workspace.yaml``, else ``pyproject.toml``, both in ``cwd``.

    Raises:
        NoTarget: there is none of these.
        ConfigError: options that do not go together, a workspace file that is not there, or a bad pyproject.toml.
    """
    named = _named(options, cwd)
    directory = path_from(cwd, options.working_directory or "")
    if options.workspace:
        if named:
            raise ConfigError("-w names a workspace file: it excludes -f, -m and the like.")
        files = tuple(_existing(file, cwd) for file in options.workspace)
        return WorkspaceTarget(workspace_files=files, working_directory=directory)
    if named or options.empty_workspace:
        return WorkspaceTarget(named=named, working_directory=directory)
    return _from_directory(directory)


def _from_directory(directory: str) -> WorkspaceTarget:
    workspace, project = Path(directory) / WORKSPACE_FILE, Path(directory) / PROJECT_FILE
    if is_there(workspace):
        return WorkspaceTarget(workspace_files=(str(workspace),), working_directory=directory)
    if is_there(project) and project_locations(project) is not None:
        return WorkspaceTarget(project_file=str(project), working_directory=directory)
    raise NoTarget(directory)


def _existing(file: str, cwd: str) -> str:
    path = path_from(cwd, file)
    if not is_there(Path(path)):
        raise ConfigError(f"there is no workspace file '{file}'.")
    return path


def _named(options: TargetOptions, cwd: str) -> tuple[Named, ...]:
    targets: list[tuple[LocationKind, str]] = [
        *(("python_file", path_from(cwd, file)) for file in options.python_file),
        *(("python_module", name) for name in options.module_name),
        *(("python_package", name) for name in options.package_name),
        *(("autoload_defs_module", name) for name in options.autoload_defs_module_name),
    ]
    attributes = _attributes(options.attribute, len(targets))
    return tuple((kind, name, attribute) for (kind, name), attribute in zip(targets, attributes, strict=True))


def _attributes(given: Sequence[str], targets: int) -> Sequence[str | None]:
    if not given:
        return [None] * targets
    if len(given) != targets:
        raise ConfigError(f"-a is given {len(given)} times for {targets} files and modules; give one for each.")
    return given
