"""A fair lock between processes and threads.

SQLite's own waiting is by sleeping and trying again, so under load one writer may wait a second while others write.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from ..core.clock import Clock
from ..core.errors import StorageUnavailable


class FairLock:
    """Exclusive lock on ``path``, first come first served; not re-entrant.

    Two files: whoever waits for the lock proper holds the turnstile, so that a process that has just let go queues
    behind it instead of taking the lock again before the waiter has woken up.
    """

    def __init__(self, path: str, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._threads = _Turns()
        self._gate = _Flock(f"{path}.turn", clock)
        self._lock = _Flock(path, clock)

    @contextmanager
    def hold(self, seconds: float) -> Iterator[None]:
        """Wait up to ``seconds`` for the lock and hold it.

        Raises:
            StorageUnavailable: another thread or process kept it for that long.
        """
        deadline = self._clock.monotonic() + seconds
        if not self._threads.take(seconds):
            raise self._kept(seconds)
        try:
            if not self._take_between_processes(deadline):
                raise self._kept(seconds)
            try:
                yield
            finally:
                self._lock.release()
        finally:
            self._threads.give()

    def _take_between_processes(self, deadline: float) -> bool:
        if not self._gate.take(deadline):
            return False
        try:
            return self._lock.take(deadline)
        finally:
            self._gate.release()

    def _kept(self, seconds: float) -> StorageUnavailable:
        return StorageUnavailable(f"Another writer has kept {self._path} locked for {seconds:g} s.")

    def close(self) -> None:
        self._gate.close()
        self._lock.close()


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


class _Flock:
    """``flock`` with a time limit; used by one thread of this process at a time.

    The kernel's wait has no limit, so a contended wait is done by a thread that outlives the caller's patience.
    """

    def __init__(self, path: str, clock: Clock) -> None:
        self._clock = clock
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._wait: threading.Thread | None = None
        self._taken = threading.Event()

    def take(self, deadline: float) -> bool:
        if self._wait is None:
            if self._take_at_once():
                return True
            self._taken.clear()
            self._wait = threading.Thread(target=self._take_in_kernel, name="runyard-flock", daemon=True)
            self._wait.start()
        # A wait that an earlier caller gave up on is still in the kernel's queue: take over its place.
        if not self._taken.wait(max(0.0, deadline - self._clock.monotonic())):
            return False
        self._wait = None
        return True

    def _take_at_once(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EINTR):
                return False
            raise
        return True

    def _take_in_kernel(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        self._taken.set()

    def release(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._fd)
