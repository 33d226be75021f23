"""Every command with bad values of each kind for each of its arguments and options: never a fault of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click
import pytest

from runyard.cli import daemon, main
from runyard.core.run import Run

from .conftest import Cli

VALUES = [
    "",
    "\n\x1b[31m",
    "\udcff",
    "-1",
    "9" * 30,
    "é",
    "[/]",
    '{"a": 1e999, "\\ud800": "\\u0000"}',
    "/dev/null",
    "a" * 10_000,
    "99999999999d",
    "0001-01-01",
    "9999-12-31T23:59:59",
    "k=" + "b" * 10_000,
]
#: They go on until they are told to end; what they share with others is tried there.
_ENDLESS = {("runyard", "dev"), ("runyard", "webserver"), ("runyard-daemon", "run")}
#: Where code is has tests of its own; --verbose shows tracebacks, and the others wait for a run to end.
_LEFT_OUT = {
    *("workspace", "python_file", "module_name", "package_name", "autoload_defs_module_name"),
    *("working_directory", "attribute", "verbose", "follow", "wait"),
}


def _commands(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found, (*path, name))
    elif path not in _ENDLESS:
        yield path, command


COMMANDS = [*_commands(main.cli, ("runyard",)), *_commands(daemon.cli, ("runyard-daemon",))]


def _calls(command: click.Command, run_id: str) -> Iterator[list[str]]:
    """Arguments and options with one bad value among good ones."""
    tried = [parameter for parameter in command.params if parameter.name not in _LEFT_OUT]
    for bad in tried:
        values = VALUES if not (isinstance(bad, click.Option) and bad.is_flag) else [""]
        yield from ([*_words(tried, bad, value, run_id)] for value in values)


def _words(parameters: list[click.Parameter], bad: click.Parameter, value: str, run_id: str) -> Iterator[str]:
    for parameter in parameters:
        name = parameter.opts[-1]
        good = run_id if (parameter.name or "").startswith("run_id") else "5"
        if isinstance(parameter, click.Argument):
            yield value if parameter is bad else good
        elif isinstance(parameter, click.Option) and parameter.is_flag:
            if parameter is bad or parameter.name == "yes":
                yield name
        elif parameter is bad or parameter.required:
            chosen = value if parameter is bad else good
            yield f"{name}={chosen}" if name.startswith("--") else f"{name}{chosen}"
    if any(parameter.name == "empty_workspace" for parameter in parameters) and bad.name != "empty_workspace":
        yield "--empty-workspace"


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS])
def test_no_value_is_a_fault_of_ours(
    cli: Cli, enqueue: Callable[..., Run], path: tuple[str, ...], command: click.Command
) -> None:
    run_id = enqueue().run_id
    root = daemon.cli if path[0] == "runyard-daemon" else main.cli
    for words in _calls(command, run_id):
        result = cli._runner.invoke(root, [*path[1:], *words], prog_name=path[0], input="")
        what = ([word[:60] for word in words], result.output[-300:])
        assert result.exit_code in (0, 1, 2), what
        assert "fault of Runyard" not in result.output, what
        assert "Traceback" not in result.output, what
        assert isinstance(result.exception, SystemExit | None), what


@pytest.mark.parametrize(
    "home", ["relative", "~nobody-of-that-name/x", "/dev/null", "/dev/null/x", "\udcff", "/" + "a" * 5000]
)
def test_no_home_is_a_fault_of_ours(cli: Cli, home: str) -> None:
    for args in (["run", "list"], ["job", "list", "--empty-workspace"]):
        result = cli(*args, code=1, env={"RUNYARD_HOME": home})
        assert "fault of Runyard" not in result.output
        assert result.stderr.count("\n") == 1
