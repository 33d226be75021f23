"""What was written to files and has not left this process yet."""

from __future__ import annotations

import ctypes
import gc
import io
import logging
import os
import stat
import sys
from typing import TextIO

log = logging.getLogger(__name__)

_WRITERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)


def flush_open_files() -> None:
    """Write out the buffers of standard output and error, of Python's open files, and of the C library's.

    What stays in a buffer when a process is forked is written by every copy; when one ends without the interpreter's
    own end, as workers do, by none. Pipes and sockets are left alone: their reader may make us wait.
    """
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)
    if _files_are_open():
        for thing in gc.get_objects():
            if isinstance(thing, _WRITERS) and not thing.closed and _is_file(thing):
                _flush(thing)
    ctypes.CDLL(None).fflush(None)


def _flush(file: TextIO | io.IOBase) -> None:
    try:
        file.flush()
    except (OSError, ValueError) as error:
        log.warning("what was written to %r last is lost: %s", getattr(file, "name", file), error)


def _files_are_open() -> bool:
    """Looking through all objects takes milliseconds, and there is rarely a file among them."""
    place = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    return any(_is_regular(int(name)) for name in os.listdir(place) if int(name) > 2)  # noqa: PTH208 - names only


def _is_file(thing: io.IOBase) -> bool:
    try:
        return _is_regular(thing.fileno())
    except (OSError, ValueError):
        return False  # in memory, or detached


def _is_regular(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False  # the listing's own, closed by now
