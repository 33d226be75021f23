"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..core.errors import UserError
from ..core.tag_text import InvalidTagText, parse_tags

if TYPE_CHECKING:
    from ..locations.target import TargetOptions

insecure_option = click.option(
    "--insecure-no-auth",
    is_flag=True,
    help="Listen also where other machines reach it. There is no log-in: everyone who does can run code here.",
)

F = TypeVar("F", bound=Callable[..., Any])

#: For the help of options that take a tag.
TAG_SPELLING = r"A = of the key itself is written \=."

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


def _key_values(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """The callback of a repeatable option KEY=VALUE."""
    try:
        return parse_tags(given)
    except InvalidTagText as error:
        raise click.BadParameter(str(error)) from None


def tags_option(text: str) -> Callable[[F], F]:
    """``--tag KEY=VALUE``, repeatable: all of them must fit. The command gets them as ``tags``."""
    return click.option(
        "--tag", "tags", multiple=True, metavar="KEY=VALUE", callback=_key_values, help=f"{text} {TAG_SPELLING}"
    )


class DirectoryGone(UserError):
    def __init__(self) -> None:
        super().__init__("The current directory is gone: change to one that is there.")


def current_directory() -> str:
    """Raises DirectoryGone when somebody has deleted it."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        raise DirectoryGone from None
