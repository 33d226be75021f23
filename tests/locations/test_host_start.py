"""A host that starts: user code and the host's own libraries load side by side."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from runyard.locations.host.config import HostConfig
from runyard.locations.host.ready import HostReady
from runyard.settings.instance import SqliteSettings
from runyard.storage.filelock import FairLock

from .yard import PATIENCE, Yard

#: Says that it is being imported, and never ends.
STUCK = """
    import pathlib, threading
    (pathlib.Path(__file__).parent / "began").write_text("yes")
    threading.Event().wait()
"""


def start_host(yard: Yard, database: Path) -> subprocess.Popen[bytes]:
    yard.write("jobs.py", STUCK)
    config = HostConfig(
        spec=yard.spec(),
        runtime_dir=yard.runtime_dir,
        compute_logs_dir=str(yard.home / "logs"),
        outputs_dir=str(yard.home / "outputs"),
        sqlite=SqliteSettings(str(database), synchronous="OFF"),
    )
    command = [sys.executable, "-m", "runyard.locations.host"]
    host = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    assert host.stdin is not None
    with host.stdin:
        host.stdin.write(msgspec.json.encode(config))
    return host


def answer(host: subprocess.Popen[bytes]) -> HostReady:
    assert host.stdout is not None
    return msgspec.json.decode(host.stdout.readline(), type=HostReady)


def test_code_begins_to_load_before_the_storage_is_open(yard: Yard) -> None:
    database = yard.home / "new.db"
    lock = FairLock(f"{database}.lock")
    with lock.hold(PATIENCE):
        host = start_host(yard, database)
        assert yard.file("began") == "yes"
    with host:
        assert answer(host).error is None
        host.terminate()
    lock.close()


def test_host_that_cannot_open_its_storage_takes_the_loading_code_with_it(yard: Yard) -> None:
    database = yard.home / "broken.db"
    database.write_bytes(b"no database " * 1000)
    with start_host(yard, database) as host:
        assert "broken.db" in str(answer(host).error)
    assert host.returncode == 1
    assert yard.alive() == []
