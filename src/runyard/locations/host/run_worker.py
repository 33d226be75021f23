"""One run worker as its host sees it."""

from __future__ import annotations

import logging

from ...core.launch import LaunchSpec, WorkerReport
from ...core.run import RunFailure, RunStatus
from ...storage.protocols import Runs
from ..messages import Ack
from ..processes import exit_in_words
from .worker_process import WorkerProcess
from .zygote_process import ZygoteProcess

log = logging.getLogger(__name__)

_BEFORE_CANCEL = (RunStatus.STARTING, RunStatus.STARTED)


class RunWorker(WorkerProcess):
    """State of the loop's thread, except ``ended`` and ``rejected``, which the committer's sets."""

    def __init__(self, run_id: str, attempt: int, pid: int, exit_fd: int, parent: ZygoteProcess | None = None) -> None:
        super().__init__(pid, exit_fd, parent)
        self.run_id, self.attempt = run_id, attempt
        #: What its step workers are told as well; None until it is known.
        self.launch: LaunchSpec | None = None
        #: Requests that it sends again, because a host before this one has not answered them.
        self.asked_before: frozenset[int] = frozenset()
        #: Its end is committed; the run's row may still say otherwise after CANCELED.
        self.ended: RunStatus | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.run_id, self.attempt

    def committed(self, last_id: int, report: WorkerReport, *, accepted: bool) -> None:
        if not accepted:
            self.rejected = True
        elif report.end is not None:
            self.ended = report.end.status
        self.send(Ack(id=last_id, accepted=accepted))


def settle(runs: Runs, worker: RunWorker, now: float) -> bool:
    """End the run of a worker that is gone, unless it has said its end itself; True when that changed the run.

    All that the worker has sent must be committed.
    """
    if worker.ended in (RunStatus.SUCCESS, RunStatus.FAILURE):
        return False
    # A rejected worker has nothing to say about the run, except that a cancel before its begin is done with.
    failed = (
        None
        if worker.rejected
        else runs.fail(
            worker.run_id, attempt=worker.attempt, expected=_BEFORE_CANCEL, failure=_failure(worker), now=now
        )
    )
    message = f"The run's worker (process {worker.pid}) {exit_in_words(worker.code)}."
    return bool(failed or runs.end_canceling(worker.run_id, attempt=worker.attempt, message=message, now=now))


def _failure(worker: RunWorker) -> RunFailure:
    words = exit_in_words(worker.code)
    if worker.ended is RunStatus.CANCELED:
        return RunFailure(
            error_class="WorkerTerminated",
            message=f"The run's worker (process {worker.pid}) was told to stop by SIGTERM without a cancel.",
        )
    if worker.code is None:
        return RunFailure("WorkerLost", f"The run's worker (process {worker.pid}) {words}.")
    if worker.code < 0:
        return RunFailure("WorkerKilled", f"The run's worker (process {worker.pid}) {words}.")
    return RunFailure(
        "WorkerExited", f"The run's worker (process {worker.pid}) {words} before it had said how the run ended."
    )
