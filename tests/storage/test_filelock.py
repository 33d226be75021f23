"""The fair lock, and SQLite under several processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from runyard.core.clock import ManualClock
from runyard.core.errors import ConfigError, StorageUnavailable
from runyard.settings.instance import SqliteSettings
from runyard.storage.filelock import FairLock
from runyard.storage.mounts import file_system_of, refuse_network_file_system
from runyard.storage.open import SqlStores, open_stores

from .make import enqueue

ROUNDS = 30
Start = Callable[..., "subprocess.Popen[str]"]

_HOLD = """
import sys
from runyard.storage.filelock import FairLock
lock = FairLock(sys.argv[1])
with lock.hold(30):
    print("held", flush=True)
    sys.stdin.readline()
"""
_KEEP = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("kept", flush=True)
sys.stdin.readline()
"""
_TURNS = """
import sys
from runyard.storage.filelock import FairLock
lock = FairLock(sys.argv[1])
for _ in range(int(sys.argv[3])):
    sys.stdin.readline()
    with lock.hold(30), open(sys.argv[2], "a") as log:
        log.write("x")
"""


@pytest.fixture
def python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a process that runs some code; it is gone after the test."""
    with ExitStack() as stack:

        def start(code: str, *arguments: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-c", code, *arguments]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def _read(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_threads_take_turns_in_order(tmp_path: Path) -> None:
    lock = FairLock(str(tmp_path / "lock"))
    order: list[int] = []

    def take(number: int) -> None:
        with lock.hold(30):
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    with lock.hold(1):
        for count, thread in enumerate(threads, start=1):
            thread.start()
            while len(lock._threads._waiting) < count:
                thread.join(0.001)
    for thread in threads:
        thread.join(20)
    assert order == list(range(6))
    lock.close()


def test_waiting_for_other_threads_has_an_end(tmp_path: Path) -> None:
    lock = FairLock(str(tmp_path / "lock"))
    with lock.hold(1):
        thread = threading.Thread(target=_expect_kept, args=(lock,))
        thread.start()
        thread.join(20)
    with lock.hold(1):
        pass
    lock.close()


def _expect_kept(lock: FairLock) -> None:
    with pytest.raises(StorageUnavailable, match="locked"), lock.hold(0.02):
        raise AssertionError("taken twice")


def test_another_process_is_waited_for(tmp_path: Path, python: Start) -> None:
    path = str(tmp_path / "lock")
    holder = python(_HOLD, path)
    assert _read(holder) == "held"
    lock, order = FairLock(path), []

    def take() -> None:
        with lock.hold(1):
            order.append(holder.wait(20))

    thread = threading.Thread(target=take)
    thread.start()
    while _waiting(path) < 1:
        os.sched_yield()
    assert order == []
    _tell(holder)
    thread.join(20)
    assert order == [0]
    lock.close()


def test_a_killed_holder_lets_go(tmp_path: Path, python: Start) -> None:
    path = str(tmp_path / "lock")
    holder = python(_HOLD, path)
    assert _read(holder) == "held"
    holder.send_signal(signal.SIGKILL)
    holder.wait(20)
    lock = FairLock(path)
    with lock.hold(20):
        pass
    lock.close()


@pytest.mark.parametrize("kept", ["", ".turn"])
def test_a_stopped_process_keeps_no_thread_waiting_beyond_its_time(tmp_path: Path, python: Start, kept: str) -> None:
    path = str(tmp_path / "lock")
    lock = FairLock(path)
    holder = python(_KEEP, path + kept)
    assert _read(holder) == "kept"
    holder.send_signal(signal.SIGSTOP)
    told: list[str] = []

    def take() -> None:
        with pytest.raises(StorageUnavailable) as caught, lock.hold(0.2):
            raise AssertionError("taken twice")
        told.append(str(caught.value))

    for _ in range(2):
        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(told) == 8
    if not kept:
        assert f"Process {holder.pid} has kept {path} locked for 0.2 s." in told
    holder.send_signal(signal.SIGCONT)
    _tell(holder)
    with lock.hold(20):
        pass
    lock.close()


def test_a_wait_that_was_given_up_takes_the_lock_from_nobody(tmp_path: Path, python: Start) -> None:
    path = str(tmp_path / "lock")
    lock = FairLock(path)
    holder = python(_HOLD, path)
    assert _read(holder) == "held"
    _expect_kept(lock)
    _tell(holder)
    assert holder.wait(20) == 0
    other = python(_HOLD, path)
    assert _read(other) == "held"
    _expect_kept(lock)
    _tell(other)
    assert other.wait(20) == 0
    with lock.hold(20):
        pass
    lock.close()


def test_a_lock_that_is_closed_while_a_thread_waits_touches_no_other_files(tmp_path: Path, python: Start) -> None:
    path = str(tmp_path / "lock")
    lock = FairLock(path)
    holder = python(_HOLD, path)
    assert _read(holder) == "held"
    _expect_kept(lock)
    lock.close()
    again = FairLock(path)
    _tell(holder)
    assert holder.wait(20) == 0
    thread = lock._kernel._thread
    assert thread is not None
    thread.join(20)
    assert not thread.is_alive()
    with again.hold(20):
        pass
    again.close()


def test_pages_are_read_while_a_stopped_process_keeps_the_lock(
    sqlite_stores: SqlStores, python: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runyard.storage.sqlite.LOCK_SECONDS", 0.1)
    run = enqueue(sqlite_stores)
    holder = python(_KEEP, f"{sqlite_stores.describe()['path']}.lock")
    assert _read(holder) == "kept"
    holder.send_signal(signal.SIGSTOP)
    with pytest.raises(StorageUnavailable, match="has kept"):
        enqueue(sqlite_stores)
    assert sqlite_stores.queue.depth() == 1
    assert sqlite_stores.runs.get(run.run_id) is not None
    holder.kill()
    holder.wait(20)
    enqueue(sqlite_stores)


def test_nobody_in_line_is_passed_over_by_a_busy_process(tmp_path: Path, python: Start) -> None:
    path, log = str(tmp_path / "lock"), tmp_path / "log"
    log.touch()
    waiting = python(_TURNS, path, str(log), str(ROUNDS))
    lock = FairLock(path)
    for done in range(ROUNDS):
        with lock.hold(20):
            _tell(waiting)
            while not _waiting(path):
                os.sched_yield()
        # Wanted again at once: the one in line has its turn first. SQLite's own lock would let us in again and again.
        with lock.hold(20):
            assert len(log.read_text()) == done + 1
    lock.close()
    assert waiting.wait(60) == 0


def _waiting(path: str) -> int:
    """Waiters in the kernel's list for both files of the lock."""
    inodes = {str(Path(name).stat().st_ino) for name in (path, f"{path}.turn")}
    lines = Path("/proc/locks").read_text().splitlines()
    return sum("->" in line and line.split()[6].rsplit(":", 1)[-1] in inodes for line in lines)


def test_the_files_of_a_database_are_its_owners_alone(tmp_path: Path, runtime_dir: str) -> None:
    database = tmp_path / "runyard.db"
    before = os.umask(0)
    try:
        for round_ in range(2):
            stores = open_stores(SqliteSettings(str(database)), ManualClock(), runtime_dir=runtime_dir)
            enqueue(stores)
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
            assert set(modes) == {database.name + suffix for suffix in ("", "-wal", "-shm", ".lock", ".lock.turn")}
            assert set(modes.values()) == {0o600}, round_
            stores.close()
            for file in tmp_path.iterdir():
                file.chmod(0o666)
    finally:
        os.umask(before)


def test_a_place_that_takes_no_files_is_told(tmp_path: Path, runtime_dir: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageUnavailable, match=r"file/runyard\.db cannot be used: .*Not a directory"):
        open_stores(SqliteSettings(str(tmp_path / "file/runyard.db")), ManualClock(), runtime_dir=runtime_dir)


def test_network_file_systems_are_refused(tmp_path: Path) -> None:
    mounts = "/dev/vda / ext4 rw 0 0\nserver:/x /net/my\\040share nfs4 rw 0 0\nshort\n"
    assert file_system_of("/net/my share/home/runyard.db", mounts) == "nfs4"
    assert file_system_of("/net/my shared.db", mounts) == "ext4"
    assert file_system_of("/net/my share/a", mounts + "tmpfs /net/my\\040share tmpfs rw 0 0\n") == "tmpfs"
    table = tmp_path / "mounts"
    table.write_text(f"server:/x {tmp_path} cifs rw 0 0\n")
    with pytest.raises(ConfigError, match=r"network file system \(cifs\).*storage: postgres"):
        refuse_network_file_system(str(tmp_path / "runyard.db"), mounts_file=str(table))
    refuse_network_file_system("/x", mounts_file=str(tmp_path / "none"))


def test_the_pragmas_are_in_force(sqlite_settings: SqliteSettings, runtime_dir: str) -> None:
    stores = open_stores(SqliteSettings(sqlite_settings.path), ManualClock(), runtime_dir=runtime_dir)
    with stores.database.write() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint")
        ]
    assert found == ["wal", 2, 1, 0]
    with pytest.raises(StorageUnavailable, match="readonly"), stores.database.read() as connection:
        connection.exec_driver_sql("DELETE FROM runs")
    stores.close()


def test_the_log_is_copied_back_beside_the_writers(sqlite_stores: SqlStores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runyard.storage.sqlite.CHECKPOINT_BYTES", 100_000)
    monkeypatch.setattr("runyard.storage.sqlite.HOLD_UP_BYTES", 400_000)
    path = sqlite_stores.describe()["path"]
    largest = 0
    for _ in range(300):
        enqueue(sqlite_stores, run_config={"x": "y" * 20_000})
        largest = max(largest, Path(f"{path}-wal").stat().st_size)
    # It would be 24 MB; how soon the other thread gets to it is up to the machine.
    assert largest < 12_000_000
    assert sqlite_stores.queue.depth() == 300


def test_a_database_that_is_locked_by_others_is_unavailable(
    sqlite_stores: SqlStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = sqlite3.connect(sqlite_stores.describe()["path"], isolation_level=None)
    with sqlite_stores.database.write() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    stranger.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable, match="database is locked"):
        enqueue(sqlite_stores)
    stranger.execute("ROLLBACK")
    stranger.close()
    enqueue(sqlite_stores)
