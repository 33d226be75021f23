"""How a run ends, or goes on, without its worker's word: in one transaction with its retry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from ..core.ids import new_id
from ..core.run import ACTIVE, Run, RunFailure, RunStatus
from .database import Database
from .journal import write_events
from .open_steps import open_steps, step_ends
from .retries import Failed, prepare_retries, retry_failed
from .run_status import change_status, lock_run
from .stored_rules import StoredRules


class RunEnding:
    """Verdicts on one run. Each returns None, and changes nothing, when the run or its attempt has moved on."""

    def __init__(self, database: Database, stored_rules: StoredRules, connection: sa.Connection, run_id: str) -> None:
        self._database, self._connection, self._run_id = database, connection, run_id
        self._retrying = prepare_retries(database, stored_rules, connection, [run_id])

    def fail(self, expected: Iterable[RunStatus], attempt: int, failure: RunFailure, now: float) -> Run | None:
        """→ FAILURE, and its retry is queued."""
        steps = self._end_steps(expected, attempt, failure, now)
        if failure.step_key is None and len(steps) == 1:
            failure = msgspec.structs.replace(failure, step_key=steps[0])
        failed = change_status(
            self._database,
            self._connection,
            self._run_id,
            RunStatus.FAILURE,
            expected=expected,
            attempt=attempt,
            failure=failure,
            message=failure.message,
            now=now,
        )
        if failed is None:
            return None
        why = {self._run_id: Failed(failure)}
        tags = retry_failed(self._database, self._connection, self._retrying, why, now)
        return msgspec.structs.replace(failed, tags=tags.get(self._run_id, failed.tags))

    def end_canceling(self, attempt: int, message: str, now: float) -> Run | None:
        """CANCELING → CANCELED, or FAILURE when it was stopped for a reason of ours."""
        canceling = (RunStatus.CANCELING,)
        run = lock_run(self._connection, self._run_id)
        if run is not None and run.status in canceling and run.stop_failure is not None:
            return self.fail(canceling, attempt, run.stop_failure, now)
        self._end_steps(canceling, attempt, RunFailure("RunCanceled", message), now)
        return change_status(
            self._database,
            self._connection,
            self._run_id,
            RunStatus.CANCELED,
            expected=canceling,
            attempt=attempt,
            message=message,
            now=now,
        )

    def lose_worker(self, attempt: int, failure: RunFailure, now: float) -> Run | None:
        """The worker is gone: resume the run while it may be, else end it."""
        run = lock_run(self._connection, self._run_id)
        if run is None or run.attempt != attempt:
            return None
        if run.status is RunStatus.CANCELING:
            return self.end_canceling(attempt, failure.message, now)
        if run.status is RunStatus.STARTED and run.resumes < self._retrying.policies.max_resumes:
            return self._resume(run, failure, now)
        return self.fail(ACTIVE - {RunStatus.CANCELING}, attempt, failure, now)

    def _resume(self, run: Run, failure: RunFailure, now: float) -> Run | None:
        """STARTED → STARTING. It keeps its slot and its ``launch_seq``; its steps give theirs back."""
        self._end_steps((RunStatus.STARTED,), run.attempt, failure, now)
        return change_status(
            self._database,
            self._connection,
            run.run_id,
            RunStatus.STARTING,
            expected=(RunStatus.STARTED,),
            attempt=run.attempt,
            message=f"Resumed as attempt {run.attempt + 1}: {failure.message}",
            now=now,
            values={
                "attempt": run.attempt + 1,
                "resumes": run.resumes + 1,
                "launch_token": new_id(),
                "launched_at": now,
                "host_id": None,
                "pid": None,
            },
        )

    def _end_steps(self, expected: Iterable[RunStatus], attempt: int, failure: RunFailure, now: float) -> Sequence[str]:
        """Say of the steps that had begun that they are over; which these are."""
        run = lock_run(self._connection, self._run_id)
        if run is None or run.attempt != attempt or run.status not in expected:
            return ()
        steps = open_steps(self._connection, self._run_id, attempt)
        write_events(self._database, self._connection, step_ends(self._run_id, attempt, steps, failure, now))
        return steps
