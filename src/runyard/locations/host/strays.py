"""Children of a host that are none of its own processes: as subreaper it inherits what its dead workers started."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection

from ..process_mark import mark_of
from ..processes import children, send_signal
from .process_tree import ProcessTrees, is_part


class Strays:
    """Lives in the loop's thread.

    Args:
        ours: pids of zygotes and workers, which are reaped elsewhere.
        living: marks of those, and of workers that are being started.
    """

    def __init__(
        self, trees: ProcessTrees, *, ours: Callable[[], Collection[int]], living: Callable[[], Collection[str]]
    ) -> None:
        self._trees, self._ours, self._living = trees, ours, living
        self._seen: set[int] = set()

    def look(self) -> None:
        """Reap the dead ones, and kill those that should be: seen at the look before, they have had a moment to end."""
        ours = self._ours()
        self._reap(ours)
        left = {pid for pid in children() if pid not in ours and self._is_left(pid)}
        for pid in left & self._seen:
            # Only this process reaps it: the number is still its own.
            send_signal(pid, signal.SIGKILL)
        self._seen = left

    def _is_left(self, pid: int) -> bool:
        mark = mark_of(pid)
        if mark is None:
            # It has thrown its environment away. With a group it is its worker's as long as that lives, and ends with
            # it; without one, workers keep their orphans as long as they live.
            return self._trees.groups is None
        return self._trees.is_ours(mark) and not is_part(mark, self._living())

    def _reap(self, ours: Collection[int]) -> None:
        try:
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if found.si_pid in ours:
                    return  # reaped on its own path, at once; the next look goes on
                os.waitid(os.P_PID, found.si_pid, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            return  # no children at all
