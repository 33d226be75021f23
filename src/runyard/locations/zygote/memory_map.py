"""This process's memory as the kernel lists it."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import NamedTuple


class Mapping(NamedTuple):
    """A line of ``/proc/self/maps``."""

    start: int
    end: int
    flags: str
    path: str


def mappings() -> list[Mapping]:
    """This process's memory, by rising address; none where the kernel does not tell."""
    found = []
    for line in _lines():
        fields = line.split(None, 5)
        start, end = fields[0].split("-")
        found.append(Mapping(int(start, 16), int(end, 16), fields[1], fields[5] if len(fields) > 5 else ""))
    return found


def shared_memory() -> list[str]:
    """What writable memory that a forked process would have in common with this one is a mapping of."""
    return [line.split(None, 5)[-1] for line in _lines() if " rw-s " in line or " rwxs " in line]


def mapping_at(memory: list[Mapping], address: int) -> Mapping | None:
    """The one that the address is in; ``memory`` is by rising address."""
    index = bisect_right(memory, address, key=lambda mapping: mapping.start) - 1
    return memory[index] if index >= 0 and address < memory[index].end else None


def _lines() -> list[str]:
    try:
        return Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return []
