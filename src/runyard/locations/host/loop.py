"""One thread that watches descriptors and timers. All state about workers belongs to it, so none of it needs a lock."""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from ...core.clock import Clock
from ...core.errors import RunyardError

log = logging.getLogger(__name__)
T = TypeVar("T")

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Timer:
    """A call that is still to come; ``cancel`` may be called at any time."""

    __slots__ = ("_action",)

    def __init__(self, action: Callable[[], object]) -> None:
        self._action: Callable[[], object] | None = action

    def cancel(self) -> None:
        self._action = None

    def fire(self) -> None:
        if self._action is not None:
            self._action()


class LoopEnded(RunyardError):
    """The loop has ended: nobody is left to do what was asked for."""

    def __init__(self) -> None:
        super().__init__("The host has ended.")


class Loop:
    """``run`` until ``stop``. Only ``soon``, ``call`` and ``stop`` may be used from other threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._soon: deque[Callable[[], object]] = deque()
        self._stopping = False
        self._calls: set[Future[Any]] = set()
        self._calls_lock = threading.Lock()
        self._ended = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self.watch(self._wake_read, READ, self._woken)

    def watch(self, fd: int, events: int, callback: Callable[[], None]) -> None:
        """Call ``callback`` whenever ``fd`` is ready; replaces an earlier watch of it."""
        if fd in self._selector.get_map():
            self._selector.modify(fd, events, callback)
        else:
            self._selector.register(fd, events, callback)

    def unwatch(self, fd: int) -> None:
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def later(self, seconds: float, action: Callable[[], object]) -> Timer:
        """Call ``action`` once, after ``seconds``."""
        timer = Timer(action)
        heapq.heappush(self._timers, (self._clock.monotonic() + seconds, next(self._order), timer))
        return timer

    def soon(self, action: Callable[[], object]) -> None:
        """Call ``action`` from the loop's thread; from any thread or signal handler."""
        self._soon.append(action)
        # Also from the loop's own thread: a signal handler may interrupt its wait there.
        self._wake()

    def call(self, function: Callable[[], T], *, timeout: float = 30.0) -> T:
        """Run ``function`` in the loop's thread and return what it returns; never from that thread itself.

        Raises:
            LoopEnded: the loop ended before it came to it.
        """
        done: Future[T] = Future()
        with self._calls_lock:
            if self._ended:
                raise LoopEnded
            self._calls.add(done)
        done.add_done_callback(self._forget_call)

        def run() -> None:
            try:
                done.set_result(function())
            except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
                done.set_exception(error)

        self.soon(run)
        return done.result(timeout)

    def _forget_call(self, done: Future[Any]) -> None:
        with self._calls_lock:
            self._calls.discard(done)

    def _end(self) -> None:
        """Whoever still waits for a call is told; whoever calls from now on is refused."""
        with self._calls_lock:
            self._ended = True
            waiting = list(self._calls)
        for call in waiting:
            call.set_exception(LoopEnded())

    def stop(self) -> None:
        def end() -> None:
            self._stopping = True

        self.soon(end)

    def run(self) -> None:
        """Serve until ``stop``; an error of one callback is logged and costs no other."""
        while not self._stopping:
            for key, _ in self._selector.select(self._patience()):
                # A callback before this one may have ended this watch, and the number may be another's by now.
                now = self._selector.get_map().get(key.fd)
                if now is not None and now.data == key.data:
                    self.guarded(key.data)
            self._fire_timers()
            for _ in range(len(self._soon)):
                self.guarded(self._soon.popleft())
        self._end()

    def _patience(self) -> float | None:
        if self._soon:
            return 0.0
        if not self._timers:
            return None
        return max(0.0, self._timers[0][0] - self._clock.monotonic())

    def _fire_timers(self) -> None:
        while self._timers and self._timers[0][0] <= self._clock.monotonic():
            self.guarded(heapq.heappop(self._timers)[2].fire)

    def guarded(self, action: Callable[[], object]) -> None:
        """Call ``action``; an error of it is logged."""
        try:
            action()
        except Exception:
            log.exception("a callback of the host's loop failed")

    def _wake(self) -> None:
        try:
            os.write(self._wake_write, b"x")
        except BlockingIOError:
            return  # the pipe is full of wake-ups already

    def _woken(self) -> None:
        os.read(self._wake_read, 4096)
