"""What others wrote does nothing to a terminal, a log or a table; what we and runs colour keeps its colours."""

from __future__ import annotations

import json
import logging
import re
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from runyard.cli import main
from runyard.cli.logs import Coloured, JsonLines, TerminalHandler
from runyard.cli.output import Table, show_table
from runyard.cli.terminal import echo, keep_colours, rendered, style, unstyled
from runyard.core.events import Event, EventType
from runyard.core.harmless import harmless, harmless_json
from runyard.core.run import Run
from runyard.storage.compute_logs import LocalComputeLogs
from runyard.wiring import Instance

from .conftest import Cli

#: Writes to the clipboard, sets the title, moves up and turns the direction of writing; 7-bit and 8-bit forms.
EVIL = "\x1b]52;c;cm0gLXJm\x07 \x1b]0;x\x1b\\ \x1b[1A\x9b2J \x85 \u202egnp.exe \r[red]x[/] [/] \x1b[31mred \x7f"
_DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _obeyed(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(character) in (
        "LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI",
    )  # fmt: skip


def test_every_character_that_a_terminal_obeys_is_shown() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if _obeyed(character):
            assert harmless(character).isascii(), hex(code)
            assert harmless(character).isprintable()
            assert harmless(harmless(character)) == harmless(character)


@pytest.mark.parametrize("text", ["plain", "ä ö ü", "日本語", "👩‍👩‍👧", "[a]", "x\\x1b", "é"])
def test_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text
    assert harmless("a\n\tb", lines=True) == "a\n\tb"
    assert harmless("a\n\tb") == "a\\n\\tb"


@pytest.mark.parametrize("text", [EVIL, "\U0001f600 \U000e0041", "\x7f\u2028", "\ud800"])
def test_json_says_the_same_in_characters_that_do_nothing(text: str) -> None:
    written = harmless_json(json.dumps({text: [text]}, ensure_ascii=False))
    assert not _DANGEROUS.search(written)
    assert json.loads(written) == {text: [text]}


def test_only_our_styles_reach_the_terminal() -> None:
    shown = rendered(f"{style('ok', fg='green', bold=True)} {EVIL}")
    assert shown.startswith("\x1b[32m\x1b[1mok\x1b[0m ")
    assert not _DANGEROUS.search(shown.removeprefix("\x1b[32m\x1b[1mok\x1b[0m"))
    assert "\\x1b]52;c;cm0gLXJm\\x07" in shown
    forged = style("x", fg="red").partition("x")[0].replace(":31", ":8")
    assert "\x1b<" not in rendered(forged)
    assert unstyled(style("x", fg="red")) == "x"


def test_colours_of_a_runs_own_output_are_kept_and_end_with_the_line() -> None:
    shown = rendered(keep_colours("\x1b[1;31mred\x1b[0m \x1b[32mgreen \x1b[2J\x1b]0;t\x07"))
    assert shown == "\x1b[1;31mred\x1b[0m \x1b[32mgreen \\x1b[2J\\x1b]0;t\\x07\x1b[0m"
    assert keep_colours("plain") == "plain"


def test_further_lines_cannot_pass_for_lines_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    echo("Failure  it said\nStatus   SUCCESS")
    echo("a\nb", lines=True)
    assert capsys.readouterr().out == "Failure  it said\n    Status   SUCCESS\na\nb\n"


def test_a_table_keeps_its_columns(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(Table(("NAME", "N"), [["a\nb\tc", "1"], ["[red]", "22"]], title="T", right=1))
    assert capsys.readouterr().out == "\nT\nNAME      N\na\\nb\\tc   1\n[red]    22\n"


def _record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("runyard.x", logging.WARNING, "f.py", 1, message, args, None)


def test_no_message_forges_a_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    forged = f"x\n2026-01-31 14:03:05  INFO     runyard.daemon  all is well {EVIL}"
    handler = TerminalHandler()
    for formatter in (Coloured(), JsonLines()):
        handler.setFormatter(formatter)
        handler.emit(_record("run %s", forged))
    text = capsys.readouterr().err
    assert not _DANGEROUS.search(text)
    first, second, line = text.splitlines()
    assert re.match(r"\d{4}-.* WARNING  runyard\.x  run x$", first)
    assert second.startswith("    2026-01-31")
    assert json.loads(line)["message"] == f"run {forged}"


@pytest.fixture
def evil(instance: Instance, enqueue: Callable[..., Run]) -> Run:
    """A queued run of which everything that others name is evil, with an event and output."""
    run = enqueue(f"job\n{EVIL}", **{f"key {EVIL}": f"value\n{EVIL}"})
    event = Event(run_id=run.run_id, type=EventType.LOG, timestamp=1.0, message=f"said\n{EVIL}", level="WARNING")
    instance.stores.runs.note(event)
    logs = LocalComputeLogs(instance.settings.compute_logs_dir)
    logs.make_directory(run.run_id)
    for stream in ("out", "err"):
        logs.path(run.run_id, stream).write_text(f"printed {EVIL}\n")  # type: ignore[arg-type]
    return run


@pytest.mark.parametrize(
    "args",
    [
        ["run", "list"],
        ["run", "show", "RUN"],
        ["run", "logs", "RUN"],
        ["run", "logs", "RUN", "--stream", "out"],
        ["run", "logs", "RUN", "--stream", "both", "--json"],
        ["run", "logs", "RUN", "--json"],
        ["run", "show", "RUN", "--json"],
        ["queue", "list"],
        ["queue", "list", "--json"],
        ["queue", "explain", "RUN"],
        ["queue", "explain", "RUN", "--json"],
        ["queue", "hold", "RUN", "--reason", EVIL],
        ["queue", "pause", "--job", EVIL, "--reason", f"{EVIL}\n{EVIL}"],
        ["queue", "pauses"],
        ["queue", "history"],
        ["queue", "simulate"],
        ["queue", "simulate", "--load", "load.yaml"],
        ["instance", "concurrency", "set", EVIL, "3"],
        ["run", "cancel", "RUN"],
        ["run", EVIL],
        ["run", "list", f"--{EVIL}"],
        ["run", "list", "--limit", EVIL],
        ["run", "show", EVIL],
        ["job", "launch", "-f", EVIL, "-j", EVIL, "-c", EVIL],
        ["job", "launch", "-f", EVIL, "-j", EVIL, "--tags", EVIL],
        ["schedule", "start", EVIL, "--empty-workspace"],
    ],
)
def test_no_command_hands_on_what_a_terminal_obeys(cli: Cli, evil: Run, args: list[str]) -> None:
    entry = {"job": f"job {EVIL}", "every": 60, "count": 3, "duration": 90, "tags": {"a": EVIL}}
    Path("load.yaml").write_text(json.dumps([entry]))
    words = [evil.run_id if word == "RUN" else word for word in args]
    runner = CliRunner(env={"RUNYARD_HOME": str(cli.home), "USER": "tester"})
    result = runner.invoke(main.cli, words, prog_name="runyard", color=True)
    allowed = re.sub(r"\x1b\[[0-9;]*m", "", result.output)
    assert not _DANGEROUS.search(allowed), repr(_DANGEROUS.search(allowed))
    assert "fault of Runyard" not in result.output
    if "--json" in args:
        assert "\x1b" not in result.output
        json.loads(result.stdout)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["run", "show", "x\x1b[2Jy"], 1),
        (["job", "list", "-w", "x\x1b[2Jy"], 1),
        (["instance", "concurrency", "set", "pool", "x\x1b[2Jy"], 2),
        (["x\x1b[2Jy"], 2),
    ],
)
def test_an_error_repeats_all_that_was_typed(cli: Cli, args: list[str], code: int) -> None:
    assert r"x\x1b[2Jy" in cli(*args, code=code).stderr
