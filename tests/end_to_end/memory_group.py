"""A memory control group in which the kernel kills a process that takes too much, for a test."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

from runyard.locations.cgroups import group_of

#: A directory of a memory hierarchy in which tests may make a group: for machines on which this process's own group
#: belongs to somebody else, or which have the memory controller of version 1.
PLACE = "RUNYARD_TEST_MEMORY_CGROUP"
_LIMITS = ("memory.max", "memory.limit_in_bytes")


class NoMemoryGroup(Exception):
    """``should_be_possible``: one was named, or this process's own can be written to."""

    def __init__(self, why: str, *, should_be_possible: bool) -> None:
        super().__init__(why)
        self.should_be_possible = should_be_possible


class MemoryGroup:
    """Made below ``RUNYARD_TEST_MEMORY_CGROUP``, or below this process's own group of version 2.

    Raises:
        NoMemoryGroup: neither takes one.
    """

    def __init__(self, *, limit: int) -> None:
        self._place = _place() / f"runyard-test-{os.getpid()}"
        try:
            self._place.mkdir()
            self._limit(limit)
        except OSError as error:
            self.__exit__(None, None, None)
            raise NoMemoryGroup(f"no memory group can be made: {error}", should_be_possible=True) from error

    def _limit(self, limit: int) -> None:
        file = next(place for name in _LIMITS if (place := self._place / name).exists())
        file.write_text(str(limit))
        # Without this it would be swapped out, as slowly as the disk is.
        swap = self._place / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")

    def add(self, pid: int) -> None:
        (self._place / "cgroup.procs").write_text(str(pid))

    def __enter__(self) -> MemoryGroup:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._place.exists():
            self._place.rmdir()


def _place() -> Path:
    named = os.environ.get(PLACE)
    if named:
        return Path(named)
    own = group_of(os.getpid())
    if own is None or "memory" not in _controllers(own):
        why = f"no memory controller of version 2 in this process's group; name a directory in {PLACE}"
        raise NoMemoryGroup(why, should_be_possible=False)
    if not os.access(own, os.W_OK):
        raise NoMemoryGroup(f"{own} cannot be written to", should_be_possible=False)
    return own


def _controllers(own: Path) -> list[str]:
    """What groups inside of ``own`` can have limits for."""
    try:
        return (own / "cgroup.subtree_control").read_text().split()
    except OSError:
        return []
