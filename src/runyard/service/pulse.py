"""The process's pulse: renews leases and writes heartbeats on a timer of its own.

It reports what the loops say of themselves, so a hang shows as a hang and a busy database does not.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence

from ..core.clock import Clock
from ..core.daemon import HEARTBEAT_INTERVAL
from ..core.errors import RunyardError
from ..storage.protocols import Heartbeats, Leases
from .loop import DaemonLoop
from .worker_thread import RepeatingThread

logger = logging.getLogger(__name__)

#: A standby asks as often as a leader renews: it takes over at most LEASE_SECONDS + RENEW_EVERY, 10 s, after a death.
LEASE_SECONDS = 8.0
RENEW_EVERY = LEASE_SECONDS / 4
#: A process that has not beaten for so long is forgotten.
KEPT_SECONDS = 3600.0


class Pulse:
    """Leadership and heartbeats of every daemon of this process."""

    def __init__(
        self, loops: Sequence[DaemonLoop], *, leases: Leases, heartbeats: Heartbeats, clock: Clock, process_id: str
    ) -> None:
        self._loops = loops
        self._leases = leases
        self._heartbeats = heartbeats
        self._clock = clock
        self._process_id = process_id
        self._started_at = clock.now()
        self._last_beat = float("-inf")
        self._thread = RepeatingThread("pulse", self.step, clock=clock)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the daemons: first nobody may believe any more that they will do something, then they really do not.

        Their leases are given back, so that a standby need not wait for their end.
        """
        for loop in self._loops:
            loop.end_soon()
        self._thread.stop()
        self._forget(self._process_id)
        for loop in self._loops:
            if not loop.stop():
                logger.warning("%s did not end its pass in time.", loop.daemon.type.value)
            self._guarded(loop, self._release)

    def step(self) -> float:
        """One round: leases first, then heartbeats where they are due; returns the seconds until the next."""
        for loop in self._loops:
            self._guarded(loop, self._renew)
        if self._clock.monotonic() - self._last_beat >= HEARTBEAT_INTERVAL - 0.5:
            self._last_beat = self._clock.monotonic()
            self._forget_the_dead()
            for loop in self._loops:
                self._guarded(loop, self._beat)
        return min(RENEW_EVERY, self._last_beat + HEARTBEAT_INTERVAL - self._clock.monotonic())

    def _forget_the_dead(self) -> None:
        """Rows of processes that were killed: nobody else would ever take them away."""
        try:
            oldest = self._clock.now() - KEPT_SECONDS
            dead = {row.process_id for row in self._heartbeats.all() if row.at < oldest}
        except RunyardError as error:
            logger.warning("heartbeats: %s", error)
            return
        for process_id in dead:
            self._forget(process_id)

    def _forget(self, process_id: str) -> None:
        try:
            self._heartbeats.forget_process(process_id)
        except RunyardError as error:
            # What ends after us must end all the same: rows that are not renewed run out by themselves.
            logger.warning("heartbeats: %s", error)

    def _guarded(self, loop: DaemonLoop, act: Callable[[DaemonLoop], None]) -> None:
        try:
            act(loop)
        except RunyardError as error:
            logger.warning("%s: %s", loop.daemon.type.value, error)
            loop.progress.error(error)

    def _renew(self, loop: DaemonLoop) -> None:
        if loop.progress.hung():
            # A hung leader keeps others from the work: let the lease lapse, the fence keeps its late writes out.
            return
        lease = self._leases.acquire(loop.lease_name, holder=self._process_id, seconds=LEASE_SECONDS)
        term = lease.term if lease else None
        if term != loop.progress.term:
            loop.progress.lead(term)
            loop.wake()

    def _release(self, loop: DaemonLoop) -> None:
        term = loop.progress.term
        if term is not None:
            self._leases.release(loop.lease_name, holder=self._process_id, term=term)

    def _beat(self, loop: DaemonLoop) -> None:
        self._heartbeats.beat(
            loop.progress.heartbeat(
                process_id=self._process_id,
                machine=socket.gethostname(),
                pid=os.getpid(),
                started_at=self._started_at,
            )
        )
