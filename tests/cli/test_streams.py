"""Outputs that take nothing, encodings that lack characters, directories that are gone: one line, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runyard.core.run import Run

from .conftest import Cli


def _run(cli: Cli, shell: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """``runyard args`` in a shell, with what ``shell`` adds to the command."""
    command = [sys.executable, "-m", "runyard.cli.main", *args]
    return subprocess.run(
        ["bash", "-c", f'eval "$BEFORE"; "$@" {shell}', "bash", *command],
        cwd=cli.directory,
        env=os.environ | {"RUNYARD_HOME": str(cli.home)} | env,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


COMMANDS = [["run", "list"], ["run", "list", "--json"], ["--help"], ["--version"], ["queue", "pauses"]]


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_a_full_disk_for_the_output_is_told_in_one_line(cli: Cli, args: list[str]) -> None:
    done = _run(cli, ">/dev/full", *args)
    assert (done.returncode, done.stderr) == (1, "Error: The output cannot be written: No space left on device.\n")


@pytest.mark.parametrize("args", [["run", "list"], ["--help"], ["run", "show", "nope"], ["nope"]], ids=" ".join)
def test_no_output_of_errors_ends_with_a_traceback_of_the_interpreter(cli: Cli, args: list[str]) -> None:
    for shell in (">/dev/full 2>&1", "2>/dev/full", ">&-", "<&- >&- 2>&-"):
        done = _run(cli, shell, *args)
        assert done.returncode in (0, 1, 2), shell
        assert "Traceback" not in done.stderr + done.stdout, shell
        assert "Exception ignored" not in done.stderr, shell


def test_a_reader_that_has_seen_enough_is_no_error(cli: Cli, enqueue: Callable[..., Run]) -> None:
    # More than a pipe holds.
    for _ in range(300):
        enqueue("x" * 250)
    done = _run(cli, "| head -c 10", "run", "list", "--limit", "1000")
    assert (len(done.stdout), done.stderr) == (10, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_characters_that_the_terminal_lacks_are_escapes(cli: Cli, enqueue: Callable[..., Run], encoding: str) -> None:
    enqueue("zürich 日本")
    table = _run(cli, "| iconv -f latin1 -t utf-8", "run", "list", PYTHONIOENCODING=encoding)
    assert table.stderr == ""
    assert "Traceback" not in table.stdout
    document = _run(cli, "", "run", "list", "--json", PYTHONIOENCODING=encoding)
    assert json.loads(document.stdout)[0]["job_name"] == "zürich 日本"
    refused = _run(cli, "", "run", "show", "日本", PYTHONIOENCODING=encoding)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1


def test_the_plain_locale_is_no_error(cli: Cli, enqueue: Callable[..., Run]) -> None:
    enqueue("zürich 日本")
    for env in ({"LANG": "C"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        done = _run(cli, "", "run", "list", **env)
        assert (done.returncode, done.stderr) == (0, "")


def _in_a_directory_that_is_gone(cli: Cli, *args: str) -> subprocess.CompletedProcess[str]:
    (cli.directory / "gone").mkdir()
    return _run(cli, "", *args, BEFORE='cd gone && rmdir "$PWD"')


@pytest.mark.parametrize(
    "args",
    [
        ["job", "list"],
        ["job", "execute", "-f", "x.py", "-j", "x"],
        ["dev", "-f", "x.py"],
        ["schedule", "list", "-m", "x"],
    ],
    ids=" ".join,
)
def test_a_directory_that_is_gone_is_told(cli: Cli, args: list[str]) -> None:
    done = _in_a_directory_that_is_gone(cli, *args)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Error: The current directory is gone: change to one that is there."
    assert "Traceback" not in done.stderr


def test_commands_that_need_no_directory_do_without(cli: Cli) -> None:
    done = _in_a_directory_that_is_gone(cli, "run", "list")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_person_without_a_home_directory_can_use_a_home(cli: Cli) -> None:
    command = ["env", "-i", f"RUNYARD_HOME={cli.home}", f"PATH={os.environ['PATH']}"]
    done = subprocess.run(
        [*command, sys.executable, "-m", "runyard.cli.main", "queue", "pause"],
        cwd=cli.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_bytes_that_are_no_text_are_told_by_a_real_command_line(cli: Cli) -> None:
    for args in (["run", "show", "\udcff"], ["run", "list", "--job", "\udcff"], ["job", "list", "-f", "\udcff.py"]):
        done = _run(cli, "", *args)
        assert done.returncode in (0, 1, 2), done
        assert "Traceback" not in done.stderr
        assert "fault of Runyard" not in done.stderr
        assert Path(cli.home).is_dir()
