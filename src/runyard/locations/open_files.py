"""What was written to files and has not left this process yet."""

from __future__ import annotations

import gc
import io
import logging
import os
import stat
import sys
from weakref import WeakSet

log = logging.getLogger(__name__)

_WRITERS = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
_Writer = io.TextIOWrapper | io.BufferedWriter | io.BufferedRandom
#: Files that the garbage collector does not list any more, because it was told to leave alone all that there is.
_frozen: WeakSet[_Writer] = WeakSet()


def flush_open_files() -> None:
    """Write out the buffers of Python's open files.

    What stays in a buffer when a process is forked is written by every copy; when one ends without the interpreter's
    own end, as workers do, by none. Pipes and sockets are left alone: their reader may make us wait.
    """
    for file in _files():
        _flush(file)


def freeze_objects() -> None:
    """Have the collector never write to what there is, so that forked processes go on sharing its pages."""
    _frozen.update(_files())
    gc.collect()
    gc.freeze()


def _files() -> list[_Writer]:
    if not _any_is_open():
        return []
    # By type(), because a proxy's __class__ is somebody's code.
    listed = [thing for thing in gc.get_objects() if issubclass(type(thing), _WRITERS)]
    return [thing for thing in (*_frozen, *listed) if _is_file(thing)]


def _flush(file: _Writer) -> None:
    try:
        file.flush()
    except (OSError, ValueError) as error:
        log.warning("what was written to %s last is lost: %s", file.name, error)


def _any_is_open() -> bool:
    """Looking through all objects takes milliseconds, and there is rarely a file among them."""
    place = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    return any(_is_regular(int(name)) for name in os.listdir(place) if int(name) > 2)  # noqa: PTH208 - names only


def _is_file(thing: _Writer) -> bool:
    try:
        return not thing.closed and _is_regular(thing.fileno())
    except (OSError, ValueError):
        return False  # in memory, or detached


def _is_regular(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False  # the listing's own, closed by now
