"""Reading a configuration file: a file of text of a bounded size, or an error that says what is there instead."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from ..core.errors import ConfigError

#: Bytes of a configuration file.
LARGEST_FILE = 16_000_000
_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def expanded(path: str) -> Path:
    """The path with ``~`` and ``~name`` as directories.

    Raises:
        ConfigError: nobody has that home directory.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(f"{path}: nobody has the home directory that '{Path(path).parts[0]}' stands for.") from None


def is_there(path: Path) -> bool:
    """Whether the name exists, also as a link that leads nowhere: it is an error to read, not a missing file."""
    return os.path.lexists(path)


def read_text(path: Path) -> str:
    """The text of a configuration file.

    Raises:
        ConfigError: it cannot be read, is no file, is too large, or is not UTF-8.
    """
    try:
        data = _read_bounded(path)
    except _NoFile as error:
        raise ConfigError(f"the file cannot be read: {error}.", file=str(path)) from None
    except OSError as error:
        raise ConfigError(f"the file cannot be read: {_why_unreadable(path, error)}.", file=str(path)) from None
    except ValueError as error:
        raise ConfigError(f"the file cannot be read: {error}.", file=repr(str(path))) from None
    if len(data) > LARGEST_FILE:
        raise ConfigError(f"the file is larger than {LARGEST_FILE:,} bytes.", file=str(path))
    try:
        # Line ends as in text files.
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError(f"the file is not UTF-8 text ({error.reason}).", file=str(path)) from None


class _NoFile(Exception):
    """What is there is a directory, a device, or a pipe that no program of this command's line writes to."""


def _read_bounded(path: Path) -> bytes:
    # A pipe without a writer would be waited for without end.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) and _is_inherited(path):
            os.set_blocking(descriptor, True)
        elif not stat.S_ISREG(mode):
            kind = next((name for matches, name in _KINDS if matches(mode)), "no file")
            raise _NoFile(f"it is {kind}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(LARGEST_FILE + 1)
    finally:
        os.close(descriptor)


def _is_inherited(path: Path) -> bool:
    """Whether it is what a shell passes for ``<(command)`` or a pipe on standard input."""
    return str(path).startswith(("/dev/fd/", "/proc/self/fd/", "/dev/stdin"))


def _why_unreadable(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return f"it is a link to {path.readlink()}, which is not there"
    return error.strerror or str(error)
