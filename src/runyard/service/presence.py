"""Says that this process serves the instance, so that others can say with whom they share it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from ..core.clock import Clock
from ..core.daemon import HEARTBEAT_INTERVAL, LIVE_WITHIN
from ..core.errors import RunyardError
from ..core.process import ProcessRecord
from ..locations.processes import is_alive, machine_name
from ..storage.protocols import Processes
from .worker_thread import RepeatingThread

logger = logging.getLogger(__name__)


def is_live(process: ProcessRecord, now: float) -> bool:
    """On this machine by the kernel's word, elsewhere by its last sign of life."""
    if process.machine == machine_name():
        return is_alive(process.pid, process.pid_started)
    return now - process.at <= LIVE_WITHIN


class Presence:
    """Puts ``describe()`` into storage at every heartbeat and when woken; takes it away at the end.

    ``on_seen`` is called each time with the processes that live.
    """

    def __init__(
        self,
        processes: Processes,
        describe: Callable[[], ProcessRecord],
        *,
        clock: Clock,
        on_seen: Callable[[Sequence[ProcessRecord]], None] = lambda _: None,
    ) -> None:
        self._processes, self._describe, self._clock, self._on_seen = processes, describe, clock, on_seen
        self._turn = threading.Lock()
        self._ended = False
        self._thread = RepeatingThread("presence", self.step, clock=clock)

    def start(self) -> None:
        """Appear before this returns: of two processes that start together at least one sees the other."""
        self.step()
        self._thread.start()

    def wake(self) -> None:
        """Ask for the record to be put anew now."""
        self._thread.wake()

    def end(self) -> None:
        """Disappear before this returns: of two processes that end together at least one sees itself alone."""
        self._thread.stop()
        with self._turn:
            self._ended = True
        self._guarded(lambda: self._processes.remove(self._describe().process_id))

    def say(self) -> None:
        """Put the record as it is now, before this returns."""
        # One at a time, so that none puts what another has replaced.
        with self._turn:
            if self._ended:
                return
            self._guarded(lambda: self._processes.put(self._describe()))

    def step(self) -> float:
        self.say()
        self._guarded(self._look)
        return HEARTBEAT_INTERVAL

    def _look(self) -> None:
        now = self._clock.now()
        live = []
        for process in self._processes.all():
            if is_live(process, now):
                live.append(process)
            else:
                self._processes.remove(process.process_id)
        self._on_seen(live)

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except RunyardError as error:
            logger.warning("presence: %s", error)
