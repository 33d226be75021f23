"""A home that nothing can be written to: one line that says so, and processes that survive it."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .programs import Place

COMMANDS = (
    ("run", "list"),
    ("queue", "list"),
    ("queue", "pause"),
    ("instance", "info"),
    ("instance", "migrate"),
    ("instance", "concurrency", "get"),
    ("instance", "concurrency", "set", "db", "1"),
    ("job", "list", "-f", "jobs.py"),
    ("job", "launch", "-f", "jobs.py", "-j", "talk"),
    ("job", "execute", "-f", "jobs.py", "-j", "talk"),
    ("schedule", "list", "-f", "jobs.py"),
    ("dev", "-f", "jobs.py", "-p", "0"),
    ("webserver", "-f", "jobs.py", "-p", "0"),
)


class Disk:
    """The home as a small disk of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def mount(self) -> None:
        if os.getuid() != 0:
            pytest.skip("a small disk can be mounted by root only")
        made = subprocess.run(
            ["/bin/mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(self.home)],
            check=False,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            pytest.skip(f"this system mounts no small disk: {made.stderr.strip()}")

    def make_read_only(self) -> None:
        if os.getuid() == 0:
            self.mount()
            subprocess.run(["/bin/mount", "-o", "remount,ro", str(self.home)], check=True)
        else:
            self.home.chmod(0o555)

    def fill(self) -> None:
        with suppress_full(), (self.home / "fill").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1024))

    def free(self) -> None:
        (self.home / "fill").unlink()

    def close(self) -> None:
        if os.path.ismount(self.home):
            subprocess.run(["/bin/umount", "-l", str(self.home)], check=True)
        else:
            self.home.chmod(0o755)


class suppress_full:  # noqa: N801 - used like contextlib.suppress
    """Ends a block at "No space left on device"."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> bool:
        return isinstance(error, OSError) and "No space left" in str(error)


@pytest.fixture
def here(place: Callable[..., Place]) -> Place:
    return place()


@pytest.fixture
def disk(here: Place) -> Iterator[Disk]:
    made = Disk(here.home)
    yield made
    here.take_down()
    made.close()


def test_every_command_says_in_one_line_that_the_home_is_read_only(here: Place, disk: Disk) -> None:
    disk.make_read_only()
    for command in COMMANDS:
        refused = here.run(*command, code=1)
        assert f"The database {here.home}/runyard.db cannot be used" in refused.stderr, command
        assert "Runyard has to be able to write there" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1, refused.stderr
    refused = here.run("run", module="daemon", code=1)
    assert len(refused.stderr.splitlines()) == 1


def test_commands_on_a_full_disk(here: Place, disk: Disk) -> None:
    disk.mount()
    here.run("run", "list")
    disk.fill()
    for command in (COMMANDS[2], COMMANDS[6], COMMANDS[8], COMMANDS[9]):
        refused = here.run(*command, code=1)
        assert "runyard.db cannot be used" in refused.stderr, command
        assert "Free some space" in refused.stderr or "See whether the disk is full" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_dev_survives_a_full_disk_and_says_so(here: Place, disk: Disk) -> None:
    disk.mount()
    dev = here.start("main", "dev", "-f", "jobs.py", "-p", "0")
    url = dev.read_all(r"http://\S+\d", "loaded: 3 jobs")[0][0]
    disk.fill()
    dev.read_until(r"runyard\.db cannot be used: database or disk is full.*Free some space")
    request = urllib.request.Request(  # noqa: S310 # our own page
        f"{url}/api/v1/runs", data=b'{"job_name": "talk"}', headers={"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)  # noqa: S310 # as above
    assert refused.value.code == 503
    assert b"database or disk is full" in refused.value.read()
    disk.free()
    with urllib.request.urlopen(request) as answer:  # noqa: S310 # as above
        assert answer.status == 201
    assert dev.stop() == 0
    said = "".join(dev.lines)
    assert "Traceback" not in said
    lines = [line.split("  ", 1)[1] for line in dev.lines if "disk is full" in line]
    assert len(lines) == len(set(lines))
