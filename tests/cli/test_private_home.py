"""Everything that real processes leave in a home is its owner's alone; what user code makes obeys the umask."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

JOBS = """
import pathlib, subprocess, sys
import runyard as dg

HERE = pathlib.Path(__file__).parent

@dg.op
def make():
    print("made")
    (HERE / "by_code").write_text("x")
    (HERE / "dir_by_code").mkdir()
    subprocess.run([sys.executable, "-c", "open('by_child', 'w')"], cwd=HERE, check=True)
    return [1]

@dg.op
def take(value):
    (HERE / "taken").write_text(str(value))

@dg.job
def j():
    take(make())
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def execute(directory: Path, umask: int, *args: str) -> subprocess.CompletedProcess[str]:
    hidden = ("RUNYARD_HOME", "DAGSTER_HOME")
    env = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run(
        [sys.executable, "-m", "runyard.cli.main", "job", "execute", "-f", "jobs.py", "-j", "j", *args],
        cwd=directory,
        env=env | {"RUNYARD_HOME": str(directory / "made/home")},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("umask", [0o000, 0o002, 0o022, 0o077], ids=oct)
def test_a_run_leaves_only_private_files_and_the_umask_of_its_code(tmp_path: Path, umask: int) -> None:
    (tmp_path / "jobs.py").write_text(JOBS)
    done = execute(tmp_path, umask)
    assert done.returncode == 0, done.stderr
    home = tmp_path / "made/home"
    inside = [home, *home.rglob("*")]
    wrong = {
        str(path.relative_to(tmp_path)): oct(mode(path))
        for path in inside
        if not path.is_symlink() and mode(path) != (0o700 if path.is_dir() else 0o600)
    }
    assert wrong == {}
    names = {path.name for path in inside}
    assert {"runyard.db", "runyard.db.lock", "_locations", "make.out", "result"} <= names
    assert (mode(tmp_path / "by_code"), mode(tmp_path / "by_child")) == (0o666 & ~umask,) * 2
    assert mode(tmp_path / "dir_by_code") == 0o777 & ~umask
    assert (tmp_path / "taken").read_text() == "[1]"


def test_a_home_of_an_earlier_version_is_closed_and_its_owner_told(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(JOBS.replace('(HERE / "dir_by_code").mkdir()', ""))
    assert execute(tmp_path, 0).returncode == 0
    home = tmp_path / "made/home"
    for path in [home, *home.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    assert execute(tmp_path, 0).returncode == 0
    closed = ("runyard.db", "runyard.db.lock", "runyard.db.lock.turn", "storage", "outputs", "storage/_locations")
    assert [path for path in closed if mode(home / path) & 0o077] == []
    assert mode(home) == 0o777, "a person's own directory stays as it is"
    told = subprocess.run(
        [sys.executable, "-m", "runyard.cli.main", "instance", "info"],
        env=os.environ | {"RUNYARD_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"other users can change what is in it (mode 777): close it with 'chmod 700 {home}'" in told.stdout
