"""The grace of what workers leave behind: processes that their code started, and workers that do not end."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.clock import Clock
from ...core.leftovers import Leftover, Owner, leftovers_event
from .committer import Committer
from .loop import Loop
from .worker_process import WorkerProcess

#: How long after the grace a worker has for reporting what it left behind, in seconds. It knows its threads by name.
LAST_WORDS = 5.0


class Leftovers:
    """Lives in the loop's thread.

    Args:
        grace: seconds from the end of a run or step on.
    """

    def __init__(self, loop: Loop, committer: Committer, clock: Clock, grace: float) -> None:
        self._loop, self._committer, self._clock, self.grace = loop, committer, clock, grace

    def begin_grace(self, worker: WorkerProcess, owner: Owner) -> None:
        """The worker has reported how its work ended."""
        worker.grace_until = self._clock.monotonic() + self.grace
        self._loop.later(self.grace + LAST_WORDS, lambda: self._end(worker, owner))

    def _end(self, worker: WorkerProcess, owner: Owner) -> None:
        """Kill a worker that did not do so itself: native code may keep its interpreter from running anything else."""
        if not worker.exited:
            self.report(owner, [Leftover(kind="worker", pid=worker.pid)])
            worker.tree.stop(worker.pid, force=True)

    def report(self, owner: Owner, left: Sequence[Leftover]) -> None:
        """Write the warning to the run's log."""
        event = leftovers_event(owner, left, self.grace, now=self._clock.now())
        self._committer.write((owner.run_id, owner.attempt), event)
