"""The examples of docs/queue.md work as they stand there, and its commands exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import click
import pytest

import runyard as dg
from runyard.cli.main import cli
from runyard.queue.explanation.reasons import ReasonKind
from runyard.queue.rules import PoolRules, Rules
from runyard.settings.limits_file import rules_of_file
from runyard.settings.load_file import load_of_file
from runyard.settings.loading import load_settings

PAGE = (Path(__file__).parents[2] / "docs" / "queue.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


SECTIONS = [text for text in blocks("yaml") if text.startswith("concurrency:")]


@pytest.mark.parametrize("text", SECTIONS, ids=lambda text: text.split()[2].rstrip(":"))
def test_every_section_is_an_instance_file_and_says_something(tmp_path: Path, text: str) -> None:
    (tmp_path / "runyard.yaml").write_text(text, encoding="utf-8")
    settings = load_settings(str(tmp_path), env={})
    assert settings.notices == ()
    assert settings.queue.rules != Rules()


def test_every_feature_has_its_example(tmp_path: Path) -> None:
    found = set()
    for text in SECTIONS:
        (tmp_path / "runyard.yaml").write_text(text, encoding="utf-8")
        rules = load_settings(str(tmp_path), env={}).queue.rules
        defaults = Rules()
        found |= {name for name in ("rates", "fair_share", "overlaps") if getattr(rules, name)}
        found |= {"tags"} if rules.tag_rules else set()
        found |= {"pools"} if rules.pools != PoolRules() else set()
        found |= {"runs"} if rules.max_concurrent_runs != defaults.max_concurrent_runs else set()
    assert found == {"runs", "tags", "pools", "rates", "fair_share", "overlaps"}


def test_what_if_files_are_read(tmp_path: Path) -> None:
    (load,) = [text for text in blocks("yaml") if text.startswith("- {job")]
    (tmp_path / "load.yaml").write_text(load, encoding="utf-8")
    assert [entry.job for entry in load_of_file(tmp_path / "load.yaml", env={})] == ["report", "ingest"]
    (tmp_path / "other.yaml").write_text(SECTIONS[-1], encoding="utf-8")
    assert rules_of_file(tmp_path / "other.yaml", Rules(), env={}).max_concurrent_runs == 20


def test_the_example_code_is_right() -> None:
    (code,) = blocks("python")
    names: dict[str, object] = {"dg": dg}
    exec(code, names)  # noqa: S102 - the page's own code
    job = names["reindex"]
    assert isinstance(job, dg.JobDefinition)
    assert job.pools.all == {"db": 2}


def test_every_reason_is_explained() -> None:
    table = PAGE[PAGE.index("| `kind` |") : PAGE.index("## In hand")]
    told = {
        kind for row in table.splitlines() for kind in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")
    }
    assert told - {"kind"} == set(get_args(ReasonKind))


def test_every_command_parses() -> None:
    lines = [line.partition("  #")[0].strip() for line in PAGE.splitlines() if line.startswith("    runyard ")]
    assert len(lines) > 20
    for line in lines:
        _parse([word.strip("[]") for word in shlex.split(line)[1:]], line)


def _parse(words: list[str], line: str) -> None:
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, line
        command, words = found, words[1:]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert [word for word in words if word.startswith("--") and word not in known] == [], line
