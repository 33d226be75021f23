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
from pathlib import Path

from ..core.clock import SystemClock
from ..core.errors import StorageUnavailable
from ..settings.private_files import open_private

#: The kernel's waits are real, whatever clock records have.
_CLOCK = SystemClock()


class FairLock:
    """Exclusive lock on ``path``, first come first served; not re-entrant.

    Two files: whoever waits for the lock proper holds the turnstile, so that a process that has just let go queues
    behind it instead of taking the lock again before the waiter has woken up.

    A process that dies lets go. One that is stopped while it writes keeps the others waiting, as it would with
    SQLite's lock, but none of their threads for longer than it is ready to: see ``_KernelWait``.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._threads = _Turns()
        self._files = _Files(path)
        self._kernel = _KernelWait(self._files)

    @contextmanager
    def hold(self, seconds: float) -> Iterator[None]:
        """Wait for the lock, up to ``seconds``, and hold it.

        Raises:
            StorageUnavailable: other threads or processes kept it, or waited in front, for that long.
        """
        deadline = _CLOCK.monotonic() + seconds
        if not self._threads.take(seconds):
            raise self._kept(seconds)
        try:
            if not self._kernel.take(deadline - _CLOCK.monotonic()):
                raise self._kept(seconds)
            try:
                yield
            finally:
                self._files.give()
        finally:
            self._threads.give()

    def _kept(self, seconds: float) -> StorageUnavailable:
        who = self._files.holder()
        writer = f"Process {who} has" if who is not None and who != os.getpid() else "Other writers have"
        return StorageUnavailable(f"{writer} kept {self._path} locked for {seconds:g} s.")

    def close(self) -> None:
        self._kernel.close()


class _Files:
    """The turnstile and the lock proper, open."""

    def __init__(self, path: str) -> None:
        self.turnstile, self.lock = (open_private(name, os.O_RDWR) for name in (f"{path}.turn", path))

    def try_take(self) -> bool:
        """Take the lock if it is free. Otherwise the turnstile may be held, as ``wait_and_take`` goes on from there."""
        try:
            fcntl.flock(self.turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self.turnstile, fcntl.LOCK_UN)
        return True

    def wait_and_take(self) -> None:
        fcntl.flock(self.turnstile, fcntl.LOCK_EX)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self.turnstile, fcntl.LOCK_UN)

    def give(self) -> None:
        fcntl.flock(self.lock, fcntl.LOCK_UN)

    def holder(self) -> int | None:
        """The process that holds the lock, as far as the system says."""
        try:
            inode = os.fstat(self.lock).st_ino
            held = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" not in line]
        except OSError:
            return None
        # A process of another container has no number here.
        return next((int(words[4]) for words in held if words[5].endswith(f":{inode}") and int(words[4]) > 0), None)

    def close(self) -> None:
        os.close(self.turnstile)
        os.close(self.lock)


class _KernelWait:
    """A thread that waits in the kernel in place of the one that needs the lock, which can so stop waiting.

    A wait for ``flock`` has no time-out. The thread goes on waiting when the other has given up: it keeps the process's
    place in the line for the next one, and gives the lock back at once if nobody wants it by then. One thread at a
    time calls ``take``: ``_Turns`` sees to that.
    """

    def __init__(self, files: _Files) -> None:
        self._files = files
        self._guard = threading.Lock()
        # Locks as signals: released to wake the other thread.
        self._begin, self._answer = _taken(), _taken()
        self._thread: threading.Thread | None = None
        self._waiting = self._wanted = self._closed = False
        self._error: OSError | None = None

    def take(self, seconds: float) -> bool:
        """Raises OSError when the system refuses the lock."""
        with self._guard:
            if not self._waiting:
                if self._files.try_take():
                    return True
                self._start_waiting()
            self._wanted = True
        if not self._answer.acquire(timeout=max(0.0, seconds)):
            with self._guard:
                if self._wanted:
                    self._wanted = False
                    return False
            # Granted between the time-out and the guard: the lock is ours after all.
            self._answer.acquire()
        if self._error is not None:
            raise self._error
        return True

    def _start_waiting(self) -> None:
        self._waiting, self._error = True, None
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="runyard-file-lock", daemon=True)
            self._thread.start()
        self._begin.release()

    def _serve(self) -> None:
        while True:
            self._begin.acquire()
            if self._closed:
                return
            error = self._waited()
            with self._guard:
                self._waiting, self._error = False, error
                if self._closed:
                    self._files.close()
                    return
                if self._wanted:
                    self._wanted = False
                    self._answer.release()
                elif error is None:
                    self._files.give()

    def _waited(self) -> OSError | None:
        try:
            self._files.wait_and_take()
        except OSError as error:
            return error
        return None

    def close(self) -> None:
        """Close the files; a thread that still waits for them does so itself, lest it waits for other ones."""
        with self._guard:
            self._closed = True
            if self._waiting:
                return
            self._files.close()
        self._begin.release()


def _taken() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


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
