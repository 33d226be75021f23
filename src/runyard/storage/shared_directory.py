"""A private directory that exists as long as a process uses it.

Each user holds a shared lock on the directory itself, which also keeps systemd's cleaning of temporary files away from
it. The last user takes the lock exclusively and removes the directory. The parent stays: in a temporary directory that
all users share it keeps its name from being taken by another user.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from ..core.errors import UserError
from ..core.runtime_files import LONGEST_OWN_PLACE

#: How often a directory that other processes remove is made again.
TRIES = 1000
ELSEWHERE = f"Set XDG_RUNTIME_DIR to a directory of your own with a path of at most {LONGEST_OWN_PLACE} bytes."


class RuntimeDirUnusable(UserError):
    """The directory for sockets cannot be made, or others could replace what is in it."""

    def __init__(self, path: str | Path, reason: str, advice: str = ELSEWHERE) -> None:
        super().__init__(f"The runtime directory {path} cannot be used: {reason}. {advice}")


class SharedDirectory:
    """Made when it is missing, as is its parent. ``leave`` it when done.

    Raises:
        RuntimeDirUnusable: it cannot be made, another user owns it, or others may enter it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock: int | None = self._enter()

    def leave(self) -> None:
        """Remove the directory unless another process uses it."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # While the lock changed its kind, another process may have removed the directory and a third made it again.
            if self._is_current(lock):
                shutil.rmtree(self._path, ignore_errors=True)
        except BlockingIOError:
            return
        finally:
            os.close(lock)

    def _enter(self) -> int:
        """A descriptor that holds the shared lock."""
        for _ in range(TRIES):
            lock = self._try_to_enter()
            if lock is not None:
                return lock
        raise RuntimeDirUnusable(self._path, "its parent is missing, or other processes keep removing it")

    def _try_to_enter(self) -> int | None:
        """None when the last user of the directory removed it meanwhile."""
        try:
            _make(Path(self._path))
            lock = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RuntimeDirUnusable(self._path, error.strerror or str(error)) from None
        fcntl.flock(lock, fcntl.LOCK_SH)
        if self._is_current(lock):
            return lock
        os.close(lock)
        return None

    def _is_current(self, lock: int) -> bool:
        try:
            return os.path.samestat(os.lstat(self._path), os.fstat(lock))
        except FileNotFoundError:
            return False


def _make(path: Path) -> None:
    with suppress(FileExistsError):
        path.parent.mkdir(mode=0o700)
    _check_parent(path.parent)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    _check_own(path, path.lstat(), others=0o077)


def _check_parent(path: Path) -> None:
    """The user's own, or one of the system's where only the owner of a file can rename it."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode) and status.st_uid in (0, os.getuid()):
        status = path.stat()
    if status.st_uid != 0 or not status.st_mode & stat.S_ISVTX:
        _check_own(path, status, others=0o022)


def _check_own(path: Path, status: os.stat_result, *, others: int) -> None:
    if status.st_uid != os.getuid():
        raise RuntimeDirUnusable(path, f"user {status.st_uid} owns it")
    if not stat.S_ISDIR(status.st_mode):
        raise RuntimeDirUnusable(path, "it is not a directory", "Remove it.")
    if status.st_mode & others:
        mode = f"{stat.S_IMODE(status.st_mode):o}"
        raise RuntimeDirUnusable(path, f"its mode is {mode}, not 700", f"Run: chmod 700 {path}")
