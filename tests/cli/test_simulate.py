"""``runyard queue simulate``: the table, the document, the errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runyard.core.run import Run

from .conftest import Cli

LOAD = """
- {job: nightly, every: 10, count: 4, duration: 20, tags: {team: docs}}
- {job: adhoc, at: 5, duration: 5, priority: 3}
"""
LIMITS = "concurrency: {runs: {max_concurrent_runs: 1, tag_concurrency_limits: [{key: team, limit: 1}]}}"


@pytest.fixture
def load(tmp_path: Path) -> str:
    (tmp_path / "load.yaml").write_text(LOAD)
    return str(tmp_path / "load.yaml")


@pytest.fixture
def limits(tmp_path: Path) -> str:
    (tmp_path / "limits.yaml").write_text(LIMITS)
    return str(tmp_path / "limits.yaml")


def _lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_a_load_under_the_limits_in_force_and_under_others(cli: Cli, load: str, limits: str) -> None:
    lines = _lines(cli("queue", "simulate", "--load", load, "--limits", limits).stdout)
    assert lines[0] == "5 runs of a load."
    # nightly runs 0 to 20, then adhoc, then the others 20 s each.
    for line in (
        "runs of before after change",
        "all 5 runs median 0.0 s 15 s +15 s",
        "max 0.0 s 35 s +35 s",
        "team docs 4 runs median 0.0 s 15 s +15 s",
        "job adhoc 1 run median 0.0 s 15 s +15 s",
        "max_concurrent_runs 17% of 10 100% of 1 +83 points",
        "team - 94% of 1",
        "launched 5 5 +0",
        "until all has ended 50 s 1 min 25 s +35 s",
        "nightly-4 nightly 0 35 s 2.3 times the median team=docs",
    ):
        assert line in lines, (line, lines)


def test_the_document_holds_the_same(cli: Cli, load: str, limits: str) -> None:
    shape = cli.json("queue", "simulate", "--load", load, "--limits", limits)
    assert (shape["source"]["kind"], shape["source"]["runs"]) == ("load", 5)
    assert (shape["before"]["makespan"], shape["after"]["makespan"]) == (50, 85)
    assert shape["after"]["limits"][0]["utilisation"] == 1


def test_recorded_runs_are_simulated(cli: Cli, enqueue: Callable[..., Run], limits: str) -> None:
    for _ in range(3):
        enqueue(team="docs")
    shape = cli.json("queue", "simulate", "--from", "1h ago", "--limits", limits)
    assert (shape["source"]["runs"], shape["source"]["assumed_durations"]) == (3, 3)
    assert (shape["before"]["makespan"] < 3700, shape["after"]["makespan"] > 3700) == (True, True)
    text = cli("queue", "simulate").stdout
    assert text.startswith("3 runs recorded from 20")
    assert "3 not over yet: they last as long as others of their job." in text


def test_what_is_wrong_is_said_in_one_line(cli: Cli, load: str, tmp_path: Path) -> None:
    assert cli("queue", "simulate", code=1).stderr == (
        "Error: No run was queued or active in the window: ask for another one, or describe a load.\n"
    )
    bad = tmp_path / "bad.yaml"
    bad.write_text("concurrency:\n  runs: {max_concurrent_run: 5}\n")
    told = cli("queue", "simulate", "--limits", str(bad), code=1).stderr
    assert "bad.yaml:2: concurrency.runs.max_concurrent_run: unknown key. Did you mean 'max_concurrent_runs'?" in told
    assert "'yesterday' is no time; write" in cli("queue", "simulate", "--from", "yesterday", code=1).stderr
    assert "--load and --from or --to exclude" in cli("queue", "simulate", "--load", load, "--to", "now", code=2).stderr
    assert "does not exist" in cli("queue", "simulate", "--load", str(tmp_path / "none.yaml"), code=2).stderr
