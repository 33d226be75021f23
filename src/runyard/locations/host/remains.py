"""What dead workers, zygotes and hosts leave behind: reaped when it is dead, ended when it is not."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection

from ..process_mark import is_part, mark_of
from ..processes import children, send_signal
from .process_tree import ProcessTrees


class Remains:
    """Lives in the loop's thread.

    Args:
        ours: pids of zygotes and workers, which are reaped elsewhere.
        living: marks of those, and of workers that are being started.
    """

    def __init__(
        self, trees: ProcessTrees, *, ours: Callable[[], Collection[int]], living: Callable[[], Collection[str]]
    ) -> None:
        self._trees, self._ours, self._living = trees, ours, living
        self._strays: set[int] = set()
        self._over: set[str] = set()

    def look(self, now: float) -> None:
        """End what was there at the look before too: it has had a moment to end by itself."""
        ours, living = self._ours(), self._living()
        for mark in self._over - set(living):
            self._over.discard(mark)
            self._trees.of_code(mark).forget()
        self._trees.tidy(now)
        self._reap(ours)
        known = {*living, *self._trees.in_grace()}
        strays = {pid for pid in children() if pid not in ours and self._is_left(pid, known)}
        for pid in strays & self._strays:
            # Only this process reaps it: the number is still its own.
            send_signal(pid, signal.SIGKILL)
        self._strays = strays

    def look_for_dead_hosts(self) -> None:
        """Called again after as long as their workers have to find this host."""
        self._trees.end_dead_homes(self._living())

    def end_code(self, mark: str) -> None:
        """A zygote is gone: what it has started ends, once its tick workers have."""
        self._over.add(mark)

    def close(self, living: Collection[str]) -> None:
        """The host ends, and with it all that it has, but for workers that go on to another host."""
        self._trees.close(living)

    def _is_left(self, pid: int, living: Collection[str]) -> bool:
        """Whether an inherited child belongs to nobody that lives."""
        mark = mark_of(pid)
        if mark is None:
            # It has thrown its environment away. With a group it is its worker's as long as that lives, and ends with
            # it; without one, workers keep their orphans as long as they live.
            return self._trees.groups is None
        return self._trees.is_ours(mark) and not is_part(mark, living)

    def _reap(self, ours: Collection[int]) -> None:
        try:
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if found.si_pid in ours:
                    return  # reaped on its own path, at once; the next look goes on
                os.waitid(os.P_PID, found.si_pid, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            return  # no children at all
