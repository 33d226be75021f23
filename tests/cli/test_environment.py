"""Which directories the code of a location is looked for in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .programs import Place

USER = """
import runyard as dg
import shared_helper

@dg.op
def say(context):
    context.log.info(shared_helper.TEXT)

@dg.job
def talk():
    say()
"""


@pytest.fixture
def here(place: Callable[..., Place], tmp_path: Path) -> Place:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "shared_helper.py").write_text("TEXT = 'from src'\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "user.py").write_text(USER)
    return place()


@pytest.mark.parametrize("value", ["src", "nowhere:src", "./src/"])
def test_relative_entries_of_pythonpath_count_from_the_callers_directory(here: Place, value: str) -> None:
    here.env["PYTHONPATH"] = value
    found = here.start("main", "job", "list", "-f", "app/user.py", "-d", "app")
    assert found.read_until("talk|No module")[0] == "talk"


def test_an_empty_entry_is_the_callers_directory(here: Place, tmp_path: Path) -> None:
    (tmp_path / "src" / "shared_helper.py").rename(tmp_path / "shared_helper.py")
    here.env["PYTHONPATH"] = ":nowhere"
    found = here.start("main", "job", "list", "-f", "app/user.py", "-d", "app")
    assert found.read_until("talk|No module")[0] == "talk"


def test_other_interpreters_and_reloads_have_it_too(here: Place, tmp_path: Path) -> None:
    """By a name that PATH finds from a relative entry, as after ``PATH=bin:$PATH``."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "other-python").symlink_to(sys.executable)
    here.env |= {"PYTHONPATH": os.pathsep.join(["src", *filter(None, sys.path)]), "PATH": f"bin:{os.environ['PATH']}"}
    (tmp_path / "workspace.yaml").write_text(
        "load_from:\n  - python_file: {relative_path: app/user.py, executable_path: other-python}\n"
    )
    dev = here.start("main", "dev", "-p", "0")
    dev.read_until(r"user\.py loaded: 1 job")
    (tmp_path / "app" / "user.py").write_text(USER + "\n@dg.job\ndef second():\n    say()\n")
    dev.read_until(r"user\.py loaded again: 2 jobs")
    assert dev.stop() == 0


def test_safe_path_keeps_every_entry(here: Place) -> None:
    here.env |= {"PYTHONPATH": "src", "PYTHONSAFEPATH": "1"}
    found = here.start("main", "job", "list", "-f", "app/user.py", "-d", "app")
    assert found.read_until("talk|No module")[0] == "talk"
