"""A fair lock between processes and threads.

SQLite's own waiting is by sleeping and trying again, so under load one writer may wait for seconds while others write.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from ..core.errors import StorageUnavailable


class FairLock:
    """Exclusive lock on ``path``, first come first served; not re-entrant.

    Two files: whoever waits for the lock proper holds the turnstile, so that a process that has just let go queues
    behind it instead of taking the lock again before the waiter has woken up.

    A process that dies lets go. One that is stopped while it writes keeps the others waiting, as it would with
    SQLite's lock: one thread of each process in the kernel, the others for as long as they are ready to.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._threads = _Turns()
        self._turnstile, self._lock = (_open(name) for name in (f"{path}.turn", path))

    @contextmanager
    def hold(self, seconds: float) -> Iterator[None]:
        """Wait for the lock, up to ``seconds`` for other threads of this process, and hold it.

        Raises:
            StorageUnavailable: other threads kept it, or waited in front, for that long.
        """
        if not self._threads.take(seconds):
            raise StorageUnavailable(f"Other writers have kept {self._path} locked for {seconds:g} s.")
        try:
            self._take_between_processes()
            try:
                yield
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
        finally:
            self._threads.give()

    def _take_between_processes(self) -> None:
        fcntl.flock(self._turnstile, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._turnstile)
        os.close(self._lock)


def _open(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


class _Turns:
    """A mutex among threads that hands over in the order of arrival."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def take(self, seconds: float) -> bool:
        with self._guard:
            if not self._held:
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=max(0.0, seconds)):
            return True
        with self._guard:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        # The lock was handed over between the time-out and the guard: it is ours after all.
        return True

    def give(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
