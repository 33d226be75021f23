"""The directory for sockets: a path that every one of them fits in, private, and gone with its last user."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.core.clock import SystemClock
from runyard.core.errors import StorageUnavailable
from runyard.core.ids import new_id
from runyard.core.location import LocationState
from runyard.core.runtime_files import (
    LONGEST_OWN_PLACE,
    host_socket,
    new_worker_socket,
    start_lock,
    wake_socket,
    worker_socket,
)
from runyard.locations.runtime_dir import runtime_dir
from runyard.settings.instance import SqliteSettings
from runyard.storage.open import open_stores
from runyard.storage.shared_directory import RuntimeDirUnusable, SharedDirectory

from .yard import Yard

NAME = "a location with a long name" * 10


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The root of a directory for temporary files; a test makes one below it the process's own."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp") as directory:
        yield Path(directory)


def as_tmpdir(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return path


def bind_everything(directory: str) -> None:
    paths = [
        host_socket(directory, NAME, new_id()),
        worker_socket(directory, NAME),
        new_worker_socket(directory, NAME, new_id()),
        wake_socket(directory, new_id()),
        start_lock(directory, NAME),
    ]
    for path in paths:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(path)


@pytest.mark.parametrize("length", range(20, 121))
def test_every_socket_fits_whatever_the_length_of_tmpdir(
    length: int, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_tmpdir(temporary / ("x" * (length - len(str(temporary)) - 1)), monkeypatch)
    found = runtime_dir(str(temporary))
    entered = SharedDirectory(found)
    bind_everything(found)
    entered.leave()
    assert not Path(found).exists()


@pytest.mark.parametrize("length", range(20, 121))
def test_every_socket_fits_whatever_the_length_of_the_users_own_place(
    length: int, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = temporary / ("x" * (length - len(str(temporary)) - 1))
    place.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place))
    found = runtime_dir(str(temporary))
    assert found.startswith(str(place)) == (length <= LONGEST_OWN_PLACE)
    entered = SharedDirectory(found)
    bind_everything(found)
    entered.leave()


def test_characters_count_as_bytes(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    as_tmpdir(temporary / ("ü" * 30), monkeypatch)
    entered = SharedDirectory(runtime_dir(str(temporary)))
    bind_everything(runtime_dir(str(temporary)))
    entered.leave()


@pytest.mark.parametrize("name", ["x" * 46, "x" * 40, "a b%41#?&é", "100%"])
def test_a_location_comes_up_below_an_awkward_tmpdir(
    name: str, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_tmpdir(temporary / name, monkeypatch)
    yard = Yard(temporary / "home")
    monkeypatch.setenv("YARD", yard.runtime_dir)
    try:
        location = yard.location("import runyard as dg\n@dg.op\ndef o(): pass\n@dg.job\ndef job(): o()\n")
        assert location.record().state is LocationState.LOADED, location.record().error
        assert yard.finished(yard.launch(location)).status == "SUCCESS"
    finally:
        yard.close()


def test_the_same_for_a_home_and_private(tmp_path: Path) -> None:
    found = runtime_dir(str(tmp_path))
    assert found == runtime_dir(str(tmp_path / "x" / ".."))
    assert found != runtime_dir(str(tmp_path / "x"))
    entered = SharedDirectory(found)
    assert Path(found).stat().st_mode & 0o777 == 0o700
    entered.leave()


def test_one_that_others_may_enter_is_refused_with_the_command_that_mends_it(tmp_path: Path) -> None:
    shared = tmp_path / "base" / "home"
    shared.mkdir(parents=True)
    shared.parent.chmod(0o700)
    shared.chmod(0o777)
    with pytest.raises(RuntimeDirUnusable, match=rf"777, not 700\. Run: chmod 700 {shared}"):
        SharedDirectory(str(shared))
    shared.chmod(0o700)
    SharedDirectory(str(shared)).leave()


def test_one_whose_parent_others_may_change_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base").chmod(0o777)
    with pytest.raises(RuntimeDirUnusable, match="base cannot be used: its mode is 777"):
        SharedDirectory(str(tmp_path / "base" / "home"))


@pytest.mark.parametrize("part", ["base", "base/home"])
def test_one_that_another_user_owns_is_met_with_advice_that_can_be_followed(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "base" / "home"
    path.mkdir(parents=True)
    for each in (path, path.parent):
        each.chmod(0o700)
    owner = os.getuid()
    foreign = tmp_path / part
    known = Path.lstat

    def lstat(self: Path) -> os.stat_result:
        status = known(self)
        if self == foreign:
            return os.stat_result((*status[:4], owner + 1, *status[5:]))
        return status

    monkeypatch.setattr(Path, "lstat", lstat)
    with pytest.raises(RuntimeDirUnusable) as refused:
        SharedDirectory(str(path))
    assert f"{foreign} cannot be used: user {owner + 1} owns it. Set XDG_RUNTIME_DIR to" in str(refused.value)
    assert f"at most {LONGEST_OWN_PLACE} bytes" in str(refused.value)


def test_one_that_is_a_file_or_a_link_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir(mode=0o700)
    (base / "file").write_text("")
    (base / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with pytest.raises(RuntimeDirUnusable, match=r"it is not a directory\. Remove it\."):
            SharedDirectory(str(base / name))


def test_one_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeDirUnusable, match=r"file cannot be used: it is not a directory\. Remove it"):
        SharedDirectory(str(tmp_path / "file" / "home"))
    with pytest.raises(RuntimeDirUnusable, match="its parent is missing"):
        SharedDirectory(str(tmp_path / "no" / "such" / "place"))


def test_it_goes_with_its_last_user_and_with_what_dead_ones_left(tmp_path: Path) -> None:
    path = tmp_path / "base" / "home"
    first, second = SharedDirectory(str(path)), SharedDirectory(str(path))
    (path / "left by a killed process").write_text("")
    first.leave()
    first.leave()
    assert path.is_dir()
    second.leave()
    assert not path.exists()
    assert path.parent.is_dir()


def test_who_opens_storage_uses_it(temporary: Path, tmp_path: Path) -> None:
    path = temporary / "base" / "home"
    settings = SqliteSettings(str(tmp_path / "a.db"))
    (tmp_path / "broken.db").write_bytes(b"no database " * 1000)
    with pytest.raises(StorageUnavailable):
        open_stores(SqliteSettings(str(tmp_path / "broken.db")), SystemClock(), runtime_dir=str(path))
    assert not path.exists()
    stores = open_stores(settings, SystemClock(), runtime_dir=str(path))
    assert path.is_dir()
    stores.close()
    assert not path.exists()


CHURN = """
import os, sys
from runyard.storage.shared_directory import SharedDirectory
path = sys.argv[1]
for number in range(300):
    entered = SharedDirectory(path)
    mine = os.path.join(path, str(os.getpid()))
    open(mine, "w").close()
    assert os.path.exists(mine), "removed under a user"
    os.unlink(mine)
    entered.leave()
"""


def test_processes_that_come_and_go_never_lose_it_while_they_use_it(tmp_path: Path) -> None:
    path = tmp_path / "base" / "home"
    command = [sys.executable, "-c", CHURN, str(path)]
    users = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ends = [(user.communicate()[1], user.returncode) for user in users]
    assert ends == [("", 0)] * 4
    assert not path.exists()
