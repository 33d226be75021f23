"""The threads that Python did not start, and the library whose code each of them runs."""

from __future__ import annotations

import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .memory_map import Mapping, mapping_at, mappings

_TASKS = Path("/proc/self/task")
#: Linux marks a thread so once it has begun to end, which is before anybody who joins it goes on.
_ENDING = 0x4
#: Of a stack, from where the thread waits upwards, this many bytes are searched.
_DEEPEST = 65536
#: Below every thread's own code: what starts threads and what they wait in.
_RUNTIME = ("libc.so", "libc-", "libpthread", "libstdc++", "libgcc_s", "ld-linux", "ld-musl", "libc.musl", "[")


class NativeThread(NamedTuple):
    #: As the thread calls itself; one that does not has the process's name.
    name: str
    #: File name of the library that runs in it; empty when that cannot be told.
    library: str


def own_name() -> str:
    """What a thread is called that has no name of its own."""
    return (_TASKS / str(os.getpid()) / "comm").read_text().strip()


def native_threads() -> list[NativeThread]:
    """Every thread but the main one that is not about to end; none where the kernel does not tell."""
    if not _TASKS.exists():
        return []
    tasks = [task for task in _TASKS.iterdir() if int(task.name) != os.getpid() and not _is_ending(task)]
    if not tasks:
        return []
    memory = mappings()
    found = []
    for task in tasks:
        with suppress(OSError):  # ended since
            found.append(NativeThread((task / "comm").read_text().strip(), _library(task, memory)))
    return found


def _is_ending(task: Path) -> bool:
    try:
        fields = (task / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return True
    return fields[0] in "ZX" or bool(int(fields[6]) & _ENDING)


def _library(task: Path, memory: list[Mapping]) -> str:
    """The outermost code on the thread's stack that is nobody's runtime: its return addresses are there to be read."""
    waits_at = _stack_pointer(task)
    place = None if waits_at is None else mapping_at(memory, waits_at)
    if waits_at is None or place is None:
        return ""
    for address in reversed(_words(waits_at, min(place.end - waits_at, _DEEPEST))):
        code = mapping_at(memory, address)
        if code is not None and "x" in code.flags and code.path:
            name = code.path.rpartition("/")[2]
            if not name.startswith(_RUNTIME):
                return name
    return ""


def _stack_pointer(task: Path) -> int | None:
    try:
        fields = (task / "syscall").read_text().split()
    except OSError:
        return None  # a kernel without it
    return int(fields[-2], 16) if len(fields) > 2 else None  # "running" has one field


def _words(address: int, size: int) -> list[int]:
    try:
        with open("/proc/self/mem", "rb", buffering=0) as memory:  # noqa: PTH123 - unbuffered
            data = os.pread(memory.fileno(), size, address)
    except OSError:
        return []
    width = struct.calcsize("P")
    order = "<" if sys.byteorder == "little" else ">"
    return [
        word
        for (word,) in struct.iter_unpack(
            f"{order}Q" if width == 8 else f"{order}I", data[: len(data) // width * width]
        )
    ]
