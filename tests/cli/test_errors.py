"""What goes wrong is one line on stderr and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from runyard.cli import daemon, main
from runyard.cli.commands import Group, RootGroup
from runyard.core.errors import UserError

from .conftest import Cli


@pytest.mark.parametrize(
    "args",
    [
        ["run", "list"],
        ["queue", "list"],
        ["job", "launch", "-f", "x.py", "-j", "x"],
        ["schedule", "list"],
        ["instance", "info"],
        ["webserver", "-f", "x.py"],
    ],
)
def test_commands_that_need_a_home_say_so(cli: Cli, args: list[str]) -> None:
    result = cli(*args, code=1, env={"RUNYARD_HOME": None})
    assert result.stdout == ""
    assert result.stderr.startswith("Error: RUNYARD_HOME is not set")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (["queue", "hold", "\udcff"], "is not valid Unicode text."),
        (["queue", "hold", "--tag", "team=\udcff", "-y"], "is not valid Unicode text."),
        (["queue", "pause", "--reason", "\udcff"], "is not valid Unicode text."),
        (["instance", "concurrency", "set", "\udcff", "3"], "it has a character that cannot be stored."),
    ],
)
def test_bytes_that_are_no_text_are_told(cli: Cli, args: list[str], why: str) -> None:
    result = cli(*args, code=1)
    assert "\\udcff" in result.stderr
    assert result.stderr.endswith(f"{why}\n")


@pytest.mark.parametrize(
    "args",
    [
        ["queue", "list", "--limit", str(2**70)],
        ["queue", "hold", "--with-priority", str(2**70), "-y"],
        ["queue", "hold", "--with-priority", str(-(2**63)), "-y"],
    ],
)
def test_numbers_beyond_any_storage_are_told(cli: Cli, args: list[str]) -> None:
    assert "is not in the range" in cli(*args, code=2).stderr


def test_the_daemons_refuse_without_a_home(cli: Cli) -> None:
    result = cli.daemon("run", "--empty-workspace", code=1, env={"RUNYARD_HOME": None})
    assert result.stderr.startswith("Error: RUNYARD_HOME is not set")


@pytest.mark.parametrize(
    "command", [["dev"], ["definitions", "validate"], ["job", "list"], ["job", "execute", "-j", "x"]]
)
def test_nothing_to_load_is_told(cli: Cli, command: list[str]) -> None:
    result = cli(*command, code=1)
    assert "give -f FILE, -m MODULE or -w WORKSPACE" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_bad_instance_file_stops_every_command_with_its_place(cli: Cli) -> None:
    (cli.home / "runyard.yaml").write_text("run_queue:\n  max_concurent_runs: 3\n")
    for run in (cli("run", "list", code=1), cli.daemon("run", "--empty-workspace", code=1)):
        assert run.stderr.startswith(f"Error: {cli.home}/runyard.yaml:2: run_queue.max_concurent_runs: unknown key.")
        assert "Did you mean 'max_concurrent_runs'?" in run.stderr
        assert run.stderr.count("\n") == 1


def test_a_bad_workspace_file_stops_the_start(cli: Cli) -> None:
    (cli.directory / "workspace.yaml").write_text("load_from: [")
    for result in (cli("dev", code=1), cli.daemon("run", code=1)):
        assert "workspace.yaml:2:1: malformed YAML" in result.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--tags", "{"], "--tags is not JSON"),
        (["--tags", "[1]"], "--tags must be a JSON object"),
        (["--config-json", "x"], "--config-json is not JSON"),
        (["-c", "missing.yaml"], "missing.yaml: the file cannot be read"),
        (["-c", "list.yaml"], "list.yaml: run config must be a mapping"),
        (["-c", "bad.yaml"], "bad.yaml:2:1: malformed YAML"),
        (["-c", "bad.json"], "bad.json:1:7: malformed JSON"),
        (["-c", "keys.yaml"], "keys.yaml: a key is read as True; put it in quotes."),
        (["-c", "bomb.yaml"], "bomb.yaml:6:"),
        (["-c", "deep.json"], "deep.json: malformed JSON: nested too deeply"),
        (["-c", "deep.yaml"], "nest"),
        (["-c", "link.yaml"], "it is a link to gone.yaml, which is not there"),
        (["-c", "."], "it is a directory"),
        (["-c", "pipe"], "it is a pipe"),
        (["-c", "\0"], "embedded null"),
        (["--tags", '{"a":' * 5000], "--tags is not JSON: nested too deeply"),
        (["--tags", '{"a":' * 200 + "1" + "}" * 200], "--tags is not JSON: nested too deeply"),
        (["--config-json", "[" * 5000], "--config-json is not JSON: nested too deeply"),
        (["--config-json", '{"a": ' + "9" * 5000 + "}"], "--config-json is not JSON: Exceeds the limit"),
    ],
)
def test_bad_input_of_a_run(cli: Cli, options: list[str], told: str) -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    (cli.directory / "bomb.yaml").write_text("\n".join(["a0: &a0 [x]", *levels]))
    (cli.directory / "keys.yaml").write_text("ops: {a: {config: {on: 1}}}")
    (cli.directory / "deep.json").write_text("[" * 5000)
    (cli.directory / "deep.yaml").write_text("[" * 5000)
    (cli.directory / "link.yaml").symlink_to("gone.yaml")
    os.mkfifo(cli.directory / "pipe")
    (cli.directory / "list.yaml").write_text("[1]")
    (cli.directory / "bad.yaml").write_text("a: [")
    (cli.directory / "bad.json").write_text('{"a": }')
    result = cli("job", "launch", "-f", "x.py", "-j", "x", *options, code=1)
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [
        ["run", "lst"],
        ["nothing"],
        ["run", "list", "--nope"],
        ["job", "launch"],
        ["job", "launch", "-f", "x.py", "-j", "x", "--run-id", "../up"],
        ["queue", "priority", "x"],
        ["dev", "-p", "70000"],
        ["job", "launch", "-j", "x", "-c", "a.yaml", "--config-json", "{}"],
    ],
)
def test_wrong_usage_is_2(cli: Cli, args: list[str]) -> None:
    assert "Error: " in cli(*args, code=2).stderr


def _failing(error: Exception) -> RootGroup:
    root = RootGroup("root", lazy={})
    sub = Group("sub")
    root.add_command(sub)

    @sub.command("fail")
    def fail() -> None:
        raise error

    return root


def test_a_traceback_is_shown_only_when_asked_for() -> None:
    root = _failing(UserError("this\nand that"))
    plain = CliRunner().invoke(root, ["sub", "fail"])
    assert (plain.exit_code, plain.stderr) == (1, "Error: this and that\n")
    for args in (["--verbose", "sub", "fail"], ["sub", "fail", "--verbose"]):
        verbose = CliRunner().invoke(root, args)
        assert "Traceback (most recent call last)" in verbose.stderr
        assert verbose.stderr.endswith("Error: this and that\n")


def test_a_fault_of_ours_is_one_line_too() -> None:
    result = CliRunner().invoke(_failing(ZeroDivisionError("division by zero")), ["sub", "fail"])
    assert result.exit_code == 1
    assert result.stderr == "Error: ZeroDivisionError: division by zero (a fault of Runyard; --verbose shows where)\n"


def test_versions() -> None:
    assert CliRunner().invoke(main.cli, ["--version"], prog_name="runyard").stdout.startswith("runyard ")
    assert (
        CliRunner().invoke(daemon.cli, ["--version"], prog_name="runyard-daemon").stdout.startswith("runyard-daemon ")
    )


def test_every_command_has_help() -> None:
    def visit(command: object, path: list[str]) -> None:
        root = daemon.cli if path[:1] == ["daemon"] else main.cli
        result = CliRunner().invoke(root, [*path[1:], "--help"])
        assert result.exit_code == 0, path
        if isinstance(command, Group):
            for name in command.list_commands(None):  # type: ignore[arg-type] # the context is not looked at
                visit(command.get_command(None, name), [*path, name])  # type: ignore[arg-type] # same

    visit(main.cli, ["runyard"])
    visit(daemon.cli, ["daemon"])


def test_starting_the_program_imports_nothing_heavy() -> None:
    heavy = "{'sqlalchemy', 'fastapi', 'grpc', 'alembic', 'pydantic', 'yaml', 'rich', 'uvicorn', 'psycopg', 'asyncio'}"
    for module in ("main", "daemon"):
        program = f"import sys, runyard.cli.{module}; print(sorted({heavy} & set(sys.modules)))"
        found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert found.stdout == "[]\n"


@pytest.mark.parametrize("command", ["dev", "webserver"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])  # noqa: S104  refused
def test_pages_that_others_would_reach_are_refused_with_what_to_write(cli: Cli, command: str, host: str) -> None:
    # A process of its own: the command handles signals.
    args = [sys.executable, "-m", "runyard.cli.main", command, "--empty-workspace", "-h", host, "-p", "0"]
    env = {**os.environ, "RUNYARD_HOME": str(cli.home)}
    result = subprocess.run(args, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith(f"Error: '{host}' ")
    assert "--insecure-no-auth" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [
        ["run", "list", *[part for number in range(60) for part in ("--tag", f"k{number}=v")]],
        ["queue", "pause", "--pool", "x" * 5000],
        ["queue", "pause", "--reason", "x" * 5000],
        ["queue", "hold", "--tag", f"team={'x' * 20_000}", "-y"],
        ["instance", "concurrency", "set", "x" * 5000, "3"],
        ["run", "show", "x" * 5000],
    ],
)
def test_what_is_larger_than_bounds_is_refused_in_a_short_line(cli: Cli, args: list[str]) -> None:
    result = cli(*args, code=1)
    assert result.stderr.startswith("Error: ")
    assert len(result.stderr) < 400
    assert result.stderr.count("\n") == 1
