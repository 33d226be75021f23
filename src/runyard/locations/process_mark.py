"""A mark in the environment of processes: by it is found, also after its parents are gone, what a worker has started.

The kernel shows the environment that a program was executed with, and forked children inherit that: so a worker writes
its mark over the one that its zygote was executed with.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Collection, Iterator
from pathlib import Path

from .processes import send_signal

MARK = "RUNYARD_WORKER"
_WIDTH = 160
_PROC = Path("/proc")
#: How often a new look is taken for what was forked while others were killed, or takes its time to die.
_LOOKS = 50

_LIBC = ctypes.CDLL(None)
_LIBC.getenv.restype = ctypes.c_void_p


def roomy(mark: str) -> str:
    """The mark for a new program's environment, with room for that of a worker to be written over it."""
    return mark.ljust(_WIDTH)


def own_mark() -> str:
    """This process's mark; empty when it has none."""
    return os.environ.get(MARK, "").rstrip()


def put_on(mark: str) -> None:
    """Mark this process, and whatever it forks or executes from now on."""
    new = mark.encode()
    place = _LIBC.getenv(MARK.encode())
    if place is not None:
        room = len(ctypes.string_at(place))
        if len(new) <= room:
            ctypes.memmove(place, new.ljust(room, b"\0"), room)
    os.environ[MARK] = mark


def mark_of(pid: int) -> str | None:
    """None when the process has no mark, is gone, or may not be looked at."""
    try:
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return None
    start = (b"\0" + environment).find(f"\0{MARK}=".encode())
    if start < 0:
        return None
    value = environment[start + len(MARK) + 1 :].partition(b"\0")[0]
    return value.decode(errors="replace").rstrip()


def marked() -> Iterator[tuple[int, str]]:
    """Every live process with a mark, as (pid, mark); none where the system has no /proc."""
    if not _PROC.is_dir():
        return
    for name in os.listdir(_PROC):  # noqa: PTH208 - names are all that is wanted
        mark = mark_of(int(name)) if name.isdigit() else None
        if mark is not None:
            yield int(name), mark


def is_part(mark: str, of: Collection[str]) -> bool:
    """Whether the mark is one of these, or that of a part of one."""
    return any(mark == whole or mark.startswith(f"{whole}/") for whole in of)


def kill_marked(marks: Collection[str]) -> None:
    """SIGKILL to every process with one of these marks, or that of a part of one, this process excepted."""
    for _ in range(_LOOKS if marks else 0):
        found = [pid for pid, mark in marked() if is_part(mark, marks) and pid != os.getpid()]
        if not found:
            return
        for pid in found:
            send_signal(pid, signal.SIGKILL)
