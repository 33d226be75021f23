"""``.ci/run``: HEAD in an environment made for it, whatever this machine has; with a stub in the place of make."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "run"
#: Writes what it sees, and ends as the file in the clone says.
MAKE = """#!{python}
import json, os, pathlib, sys
target, here = sys.argv[1], pathlib.Path.cwd()
print("out of", target, flush=True)
print("err of", target, file=sys.stderr, flush=True)
home, tmp = pathlib.Path(os.environ["HOME"]), pathlib.Path(os.environ["TMPDIR"])
seen = dict(
    environment=dict(os.environ),
    cwd=str(here),
    files=sorted(path.name for path in here.iterdir()),
    home=[path.name for path in home.iterdir()],
    tmp=[path.name for path in tmp.iterdir()],
    text=(here / "text").read_text(),
)
pathlib.Path({seen!r}, target + ".json").write_text(json.dumps(seen))
(here / target).mkdir()
sys.exit(int((here / ("code of " + target)).read_text()))
"""


class Checkout:
    """A repository with ``.ci/run``, and a machine with things of its own."""

    def __init__(self, directory: Path) -> None:
        self.root, self.seen, self.home = directory / "repository", directory / "seen", directory / "home"
        self.tools, self.tmp = directory / "tools", directory / "tmp"
        for made in (self.root / ".ci", self.seen, self.home, self.tools, self.tmp):
            made.mkdir(parents=True)
        shutil.copy(SCRIPT, self.root / ".ci" / "run")
        make = self.tools / "make"
        make.write_text(MAKE.format(python=sys.executable, seen=str(self.seen)))
        make.chmod(0o755)
        self.env = {
            "PATH": f"{self.tools}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        self.git("init", "--quiet")
        self.commit(text="committed", check=0, test=0)

    def git(self, *args: str) -> None:
        who = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
        subprocess.run(["git", *who, *args], cwd=self.root, env=self.env, check=True, capture_output=True)

    def commit(self, *, text: str, check: int, test: int) -> None:
        (self.root / "text").write_text(text)
        (self.root / "code of check").write_text(str(check))
        (self.root / "code of test").write_text(str(test))
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", text)

    def run(self, **more: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.root / ".ci" / "run")]
        return subprocess.run(command, env=self.env | more, capture_output=True, text=True, check=False)

    def report(self, target: str) -> Any:
        return json.loads((self.seen / f"{target}.json").read_text())


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_both_targets_run_in_a_fresh_place_that_is_removed(checkout: Checkout) -> None:
    done = checkout.run()
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["out of check", "out of test"]
    assert done.stderr.splitlines() == ["err of check", "err of test"]
    seen = checkout.report("check")
    assert seen["home"] == seen["tmp"] == []
    assert seen["environment"]["HOME"] != str(checkout.home)
    assert seen["environment"]["TMPDIR"].startswith(str(checkout.tmp))
    assert Path(seen["cwd"]) != checkout.root
    assert list(checkout.tmp.iterdir()) == []
    # One clone serves both, as a checkout does.
    assert "check" in checkout.report("test")["files"]


@pytest.mark.parametrize(("check", "test", "ran"), [(3, 0, ["check"]), (0, 4, ["check", "test"])])
def test_the_exit_code_is_that_of_the_target_that_failed(
    check: int, test: int, ran: list[str], checkout: Checkout
) -> None:
    checkout.commit(text="fails", check=check, test=test)
    assert checkout.run().returncode == (check or test)
    assert sorted(path.stem for path in checkout.seen.iterdir()) == ran
    assert list(checkout.tmp.iterdir()) == []


def test_what_is_not_committed_is_left_out_and_said(checkout: Checkout) -> None:
    (checkout.root / "text").write_text("edited")
    (checkout.root / ".venv").mkdir()
    done = checkout.run()
    assert "changes that are not committed are left out" in done.stderr
    assert checkout.report("test")["text"] == "committed"
    assert ".venv" not in checkout.report("check")["files"]


def test_a_commit_that_no_branch_names(checkout: Checkout) -> None:
    checkout.git("checkout", "--quiet", "--detach")
    checkout.commit(text="detached", check=0, test=0)
    assert checkout.run().returncode == 0
    assert checkout.report("test")["text"] == "detached"


def test_a_work_tree_of_another_repository(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("worktree", "add", "--quiet", str(tmp_path / "beside"))
    checkout.root = tmp_path / "beside"
    checkout.commit(text="beside", check=0, test=0)
    assert checkout.run().returncode == 0
    assert checkout.report("test")["text"] == "beside"


def test_only_what_leads_to_tools_and_registries_is_kept(checkout: Checkout) -> None:
    kept = {
        "PIP_INDEX_URL": "https://example.org/simple",
        "npm_config_registry": "https://example.org/npm",
        "HTTPS_PROXY": "http://127.0.0.1:3128",
        "no_proxy": "127.0.0.1",
        "SSL_CERT_FILE": "/etc/x.pem",
        "NODE_EXTRA_CA_CERTS": "/etc/x.pem",
        "REQUESTS_CA_BUNDLE": "/etc/x.pem",
        "CI": "true",
    }
    dropped = {
        "RUNYARD_HOME": "/srv",
        "DAGSTER_HOME": "/srv",
        "XDG_RUNTIME_DIR": "/run/user/1",
        "XDG_CACHE_HOME": "/var/cache",
        "PYTHONPATH": "/somewhere",
        "VIRTUAL_ENV": "/somewhere",
        "PIP_CACHE_DIR": "/var/cache/pip",
        "PIP_TARGET": "/somewhere",
        "npm_config_cache": "/var/cache/npm",
        "PYTEST_ADDOPTS": "-x",
        "DB_PASSWORD": "secret",
    }
    checkout.run(**kept, **dropped)
    environment = checkout.report("test")["environment"]
    assert {name: environment.get(name) for name in kept} == kept
    assert not dropped.keys() & environment.keys()


def test_registries_that_a_persons_own_files_name_are_found(checkout: Checkout) -> None:
    files: dict[str, Callable[[], Path]] = {
        "PIP_CONFIG_FILE": lambda: checkout.home / ".config" / "pip" / "pip.conf",
        "NPM_CONFIG_USERCONFIG": lambda: checkout.home / ".npmrc",
        "NETRC": lambda: checkout.home / ".netrc",
    }
    for path in files.values():
        path().parent.mkdir(parents=True, exist_ok=True)
        path().write_text("")
    checkout.run()
    environment = checkout.report("check")["environment"]
    assert {name: environment.get(name) for name in files} == {name: str(path()) for name, path in files.items()}


def test_the_interpreter_is_named_by_its_own_path(checkout: Checkout) -> None:
    shim = checkout.tools / "python3"
    shim.write_text(f'#!/bin/sh\n[ "$HOME" = "{checkout.home}" ] || exit 1\nexec {sys.executable} "$@"\n')
    shim.chmod(0o755)
    assert checkout.run().returncode == 0
    python = checkout.report("check")["environment"]["PYTHON"]
    assert subprocess.run([python, "-c", ""], env={"HOME": "/nowhere"}, check=False).returncode == 0
