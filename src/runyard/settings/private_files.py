"""Files and directories of an instance: for their owner alone, whatever the umask.

Everything of an instance is made here. The umask stays as it is, because user code in the same process obeys it.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import IO

FILE_MODE, DIRECTORY_MODE = 0o600, 0o700
#: What a group or anybody else may do.
_OTHERS = 0o077
_OTHERS_WRITE = 0o022


def make_directory(path: Path) -> None:
    """Make a directory of ours and its missing parents; one that is there and open to others is closed if it is ours.

    Parents that are there stay as they are: a person made them.
    """
    _make_missing(path.parent)
    if not _made(path):
        tighten(path)


def make_named_directory(path: Path) -> None:
    """The same for a directory that a person names: one that is there stays as it is."""
    _make_missing(path)


def open_private(path: Path | str, flags: int) -> int:
    """``os.open`` with O_CREAT; a file of ours that others may open is closed to them."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    try:
        found = os.fstat(descriptor)
        # A new file lacks the bits that the umask takes; one of an earlier version has too many.
        if stat.S_ISREG(found.st_mode) and _is_ours(found) and stat.S_IMODE(found.st_mode) != FILE_MODE:
            os.fchmod(descriptor, FILE_MODE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def create(path: Path) -> IO[bytes]:
    """A new file to write, in the place of one that may be there."""
    return os.fdopen(open_private(path, os.O_WRONLY | os.O_TRUNC), "wb")


def tighten(path: Path) -> None:
    """Close a file or directory of ours to others; one that is not there, or is somebody else's, is left alone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    if found.st_mode & _OTHERS and _is_ours(found):
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)


def opened_to_others(path: Path) -> str | None:
    """What others may do with a directory, as a clause: ``others can read it (mode 755)``; None: nothing."""
    found = path.stat()
    mode = stat.S_IMODE(found.st_mode)
    if not mode & _OTHERS:
        return None
    return f"other users can {'change' if mode & _OTHERS_WRITE else 'read'} what is in it (mode {mode:o})"


def distrusted(descriptor: int) -> str | None:
    """Why an open file or directory may not be what this user stored, as a clause; None: nobody else could write it."""
    found = os.fstat(descriptor)
    if not (_is_ours(found) or found.st_uid == 0):
        return f"user {found.st_uid} owns it"
    if found.st_mode & _OTHERS_WRITE:
        return f"other users can write to it (mode {stat.S_IMODE(found.st_mode):o})"
    return None


def _make_missing(path: Path) -> None:
    if not path.is_dir():
        _make_missing(path.parent)
        _made(path)


def _made(path: Path) -> bool:
    try:
        path.mkdir(mode=DIRECTORY_MODE)
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path)) from None
        return False
    # The umask may take bits of the owner's, too.
    path.chmod(DIRECTORY_MODE)
    return True


def _is_ours(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid()
