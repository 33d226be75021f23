"""One run worker as its host sees it."""

from __future__ import annotations

import logging

from ...core.launch import LaunchSpec, WorkerReport
from ...core.leftovers import Owner
from ...core.run import Run, RunFailure, RunStatus
from ...storage.protocols import Runs
from ..messages import Ack
from .process_tree import ProcessTree
from .worker_process import WorkerProcess
from .zygote_process import ZygoteProcess

log = logging.getLogger(__name__)


class RunWorker(WorkerProcess):
    """State of the loop's thread, except ``ended`` and ``rejected``, which the committer's sets."""

    def __init__(
        self, run_id: str, attempt: int, pid: int, exit_fd: int, tree: ProcessTree, parent: ZygoteProcess | None = None
    ) -> None:
        super().__init__(pid, exit_fd, tree, parent)
        self.run_id, self.attempt = run_id, attempt
        #: What its step workers are told as well; None until it is known.
        self.launch: LaunchSpec | None = None
        #: Requests that it sends again, because a host before this one has not answered them.
        self.asked_before: frozenset[int] = frozenset()
        #: Its begin was accepted while it was with this host.
        self.began = False
        #: Its end is committed; the run's row may still say otherwise after CANCELED.
        self.ended: RunStatus | None = None
        #: It has reported the end of its run, which may not be committed yet.
        self.reported_end = False
        #: It was killed because it had not stopped within so many seconds of being told to.
        self.outwaited: float | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.run_id, self.attempt

    @property
    def owner(self) -> Owner:
        return Owner(self.run_id, self.attempt)

    @property
    def ended_its_run(self) -> bool:
        """The run is over by its worker's own word; what it and its steps left behind has a grace."""
        return self.ended in (RunStatus.SUCCESS, RunStatus.FAILURE) and not self.rejected

    @property
    def has_said_its_end(self) -> bool:
        return self.ended is not None

    def committed(self, last_id: int, report: WorkerReport, *, accepted: bool) -> None:
        if not accepted:
            self.rejected = True
        elif report.begin is not None:
            self.began = True
        elif report.end is not None:
            self.ended = report.end.status
        self.send(Ack(id=last_id, accepted=accepted))


def settle(runs: Runs, worker: RunWorker, now: float) -> Run | None:
    """End or resume the run of a worker that is gone, unless it has said its end itself; the run, when that changed it.

    All that the worker has sent must be committed.
    """
    if worker.ended in (RunStatus.SUCCESS, RunStatus.FAILURE):
        return None
    run = runs.get(worker.run_id)
    if run is not None and run.attempt == worker.attempt and run.pid not in (None, worker.pid):
        # Another host started one too, as it was not known whether this one had: the run is that one's.
        return None
    failure = _failure(worker)
    if worker.rejected:
        # It has nothing to say about the run, except that a cancel before its begin is done with.
        return runs.end_canceling(worker.run_id, attempt=worker.attempt, message=failure.message, now=now)
    return runs.lose_worker(worker.run_id, attempt=worker.attempt, failure=failure, now=now)


def _failure(worker: RunWorker) -> RunFailure:
    name = f"The run's worker (process {worker.pid})"
    if worker.ended is RunStatus.CANCELED:
        return RunFailure("WorkerTerminated", f"{name} was told to stop by SIGTERM without a cancel.")
    if worker.outwaited is not None:
        told = f"did not stop within {worker.outwaited:g} s of being told to, and was killed"
        return RunFailure("WorkerKilled", f"{name} {told}.")
    kind, words = worker.death()
    before = " before it had said how the run ended" if kind == "WorkerExited" else ""
    return RunFailure(kind, f"{name} {words}{before}.")
