"""Whether a SIGKILL was the kernel's, which was out of memory: nobody but its counters tells."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

from ...core.clock import Clock
from .. import cgroups

_VMSTAT = Path("/proc/vmstat")
#: The counter rises before the process has ended, by as long as that takes: this much at the most, in seconds.
WINDOW = 10.0


def kill_counter() -> Path | None:
    """The counter nearest to this process's workers: their memory group's, or else the machine's; None without any."""
    own = cgroups.group_of(os.getpid())
    for file in (*([own / "memory.events"] if own is not None else []), _VMSTAT):
        if _count_in(file) is not None:
            return file
    return None


def _count_in(file: Path) -> int | None:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), None)


class MemoryKills:
    """Compares the counter with what it was a moment ago. Called from one thread."""

    def __init__(self, counter: Path | None, clock: Clock) -> None:
        self._counter, self._clock = counter, clock
        self._told = 0
        self._samples: deque[tuple[float, int]] = deque()
        self.sample()

    def sample(self) -> None:
        """Look now, so that later looks have something to compare with."""
        count = _count_in(self._counter) if self._counter is not None else None
        if count is None:
            return
        now = self._clock.monotonic()
        self._samples.append((now, count))
        # One sample older than the window is what the next look compares with.
        while len(self._samples) > 1 and self._samples[1][0] < now - WINDOW:
            self._told = max(0, self._told - (self._samples[1][1] - self._samples[0][1]))
            self._samples.popleft()

    def one(self) -> bool:
        """Whether the death of a process by SIGKILL just now was the kernel's doing; each of its kills counts once."""
        self.sample()
        if not self._samples or self._samples[-1][1] - self._samples[0][1] <= self._told:
            return False
        self._told += 1
        return True
