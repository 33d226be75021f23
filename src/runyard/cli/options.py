"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ..locations.target import TargetOptions

insecure_option = click.option(
    "--insecure-no-auth",
    is_flag=True,
    help="Listen also where other machines reach it. There is no log-in: everyone who does can run code here.",
)

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
location_option = click.option("-l", "--location", help="The code location, where a name is not unique.")

_TARGET = (
    click.option("-w", "--workspace", multiple=True, metavar="FILE", help="Workspace file [./workspace.yaml]."),
    click.option("--empty-workspace", is_flag=True, help="No code at all."),
    click.option("-f", "--python-file", multiple=True, metavar="FILE", help="Python file with the definitions."),
    click.option("-m", "--module-name", multiple=True, metavar="MODULE", help="Python module with the definitions."),
    click.option("--package-name", multiple=True, metavar="PACKAGE", help="Python package with the definitions."),
    click.option(
        "--autoload-defs-module-name",
        multiple=True,
        metavar="MODULE",
        help="Module under which every definition is collected.",
    ),
    click.option("-d", "--working-directory", metavar="DIR", help="Where the code's imports start [.]."),
    click.option(
        "-a",
        "--attribute",
        multiple=True,
        metavar="NAME",
        help="The attribute that holds the definitions; one for each.",
    ),
)
_TARGET_NAMES = (
    "workspace",
    "empty_workspace",
    "python_file",
    "module_name",
    "package_name",
    "autoload_defs_module_name",
    "working_directory",
    "attribute",
)


def target_options(command: F) -> F:
    """Give a command the usual target options; it gets them as ``target``, a TargetOptions."""

    @functools.wraps(command)
    def with_target(**values: Any) -> Any:
        return command(target=_collected({name: values.pop(name) for name in _TARGET_NAMES}), **values)

    for option in reversed(_TARGET):
        with_target = option(with_target)
    return with_target  # type: ignore[return-value] # a decorator that changes parameters cannot keep F


def _collected(values: dict[str, Any]) -> TargetOptions:
    # Imported when a command runs: the option table is also needed for --help.
    from ..locations.target import TargetOptions

    return TargetOptions(**values)


def key_values(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """The callback of a repeatable option KEY=VALUE."""
    pairs = [text.partition("=") for text in given]
    for key, equals, _value in pairs:
        if not key or not equals:
            raise click.BadParameter("expected KEY=VALUE.")
    return {key: value for key, _equals, value in pairs}


def current_directory() -> str:
    return str(Path.cwd())
