"""The loop that all daemons share: wait for leadership, run a pass, report it, sleep until woken or due."""

from __future__ import annotations

import logging

from ..core.clock import Clock
from ..core.errors import LeaseLost, RunyardError
from ..core.lease import Fence, daemon_lease
from .daemon import Daemon
from .progress import Progress
from .worker_thread import AFTER_ERROR, RepeatingThread

logger = logging.getLogger(__name__)

#: Seconds between looks at leadership while another process leads; winning it wakes the loop.
STANDBY_LOOK = 5.0


class DaemonLoop:
    """One daemon on its own thread."""

    def __init__(self, daemon: Daemon, *, clock: Clock) -> None:
        self.daemon = daemon
        self.progress = Progress(daemon.type, deadline=daemon.deadline, clock=clock)
        self._clock = clock
        self._term: int | None = None
        self._thread = RepeatingThread(f"daemon-{daemon.type.value.lower()}", self._step, clock=clock)
        daemon.attach(self.wake, self.progress.error)

    @property
    def lease_name(self) -> str:
        return daemon_lease(self.daemon.type)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Ask for a pass now."""
        self._thread.wake()

    def end_soon(self) -> None:
        """Begin no further pass."""
        self._thread.end_soon()

    def stop(self, *, timeout: float = 5.0) -> bool:
        """End the thread after the pass under way; True when it ended in time."""
        ended = self._thread.stop(timeout=timeout)
        self.daemon.close()
        return ended

    def _step(self) -> float:
        term = self.progress.term
        if term != self._term:
            # A new term also means that others may have written since the last pass.
            self.daemon.stand_by()
            self._term = term
        if term is None:
            return STANDBY_LOOK
        return self._pass(Fence(self.lease_name, term))

    def _pass(self, fence: Fence) -> float:
        self.progress.pass_began()
        now = self._clock.now()
        try:
            result = self.daemon.run_once(now, fence)
        except LeaseLost as error:
            self._give_up(fence, error)
            return STANDBY_LOOK
        except Exception as error:  # noqa: BLE001 - a daemon goes on whatever a pass raised
            self._failed(error)
            return AFTER_ERROR
        self.progress.pass_ended(result.outcome, idle=result.idle, next_pass_at=result.wake_at)
        return result.wake_at - self._clock.now()

    def _failed(self, error: Exception) -> None:
        # What Runyard raises on purpose says in a sentence what is wrong; anything else is a fault of ours.
        fault = None if isinstance(error, RunyardError) else error
        logger.error("%s: pass failed: %s", self.daemon.type.value, error, exc_info=fault)
        self.progress.pass_failed(error, next_pass_at=self._clock.now() + AFTER_ERROR)
        self.daemon.stand_by()

    def _give_up(self, fence: Fence, error: LeaseLost) -> None:
        logger.warning("%s: %s Standing by.", self.daemon.type.value, error)
        if self.progress.term == fence.term:
            self.progress.lead(None)
        self.progress.pass_failed(error, next_pass_at=self._clock.now() + STANDBY_LOOK)
