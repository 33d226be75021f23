"""Cancel a run: at once while it waits; a running one becomes CANCELING and its worker is told to stop."""

from __future__ import annotations

from typing import Protocol

from ..core.clock import Clock
from ..core.errors import WrongState
from ..core.run import Run, RunStatus
from ..core.tags import AUTO_RETRY_RUN_ID
from ..queue.rules import Rules
from ..storage.protocols import Runs, Wakeups
from .find_run import find_run

#: Wakes the canceler, which signals the workers of CANCELING runs.
CANCEL_TOPIC = "cancel"

#: A run may move on between two looks, but only forward: each retry finds a later state.
_TRIES = 4


def enqueue_topics(rules: Rules) -> tuple[str, ...]:
    """What to poke after runs were enqueued: under some overlap policies they take the place of active ones."""
    replace = any(rule.policy == "cancel_old" for rule in rules.overlaps)
    return ("queue", CANCEL_TOPIC) if replace else ("queue",)


class CancelStores(Protocol):
    runs: Runs
    wakeups: Wakeups


def cancel(stores: CancelStores, run_id: str, *, by: str, clock: Clock) -> Run:
    """Cancel a run, found by id or prefix; one that is CANCELING or CANCELED already is returned as it is, but for one
    that is stopped for its run time: it is CANCELED, not FAILURE, in the end, and not retried.

    Raises:
        RunNotFound: no such run.
        WrongState: it has ended otherwise.
    """
    run = find_run(stores.runs, run_id)
    if is_canceled(run):
        return run
    canceled = told_to_stop(stores.runs, run, by=by, clock=clock)
    poke(stores.wakeups)
    return canceled


def told_to_stop(runs: Runs, run: Run, *, by: str, clock: Clock) -> Run:
    """The run as it is once it is CANCELED or CANCELING; whoever asks pokes afterwards.

    Raises:
        RunNotFound: it was deleted.
        WrongState: it has ended otherwise.
    """
    for _ in range(_TRIES):
        if is_canceled(run):
            return run
        canceled = _cancel_from(runs, run, by=by, now=clock.now())
        if canceled is not None:
            return canceled
        run = find_run(runs, run.run_id)
    raise WrongState(f"Run {run.run_id[:8]} keeps changing; try again.")


def is_canceled(run: Run) -> bool:
    """It becomes CANCELED, or is: nothing is left to do."""
    return run.status is RunStatus.CANCELED or (run.status is RunStatus.CANCELING and run.stop_failure is None)


def poke(wakeups: Wakeups) -> None:
    """Tell that runs were canceled, or told to stop."""
    for topic in ("queue", CANCEL_TOPIC, "runs"):
        wakeups.poke(topic)


def _cancel_from(runs: Runs, run: Run, *, by: str, now: float) -> Run | None:
    message = f"Canceled by {by}."
    if run.status in (RunStatus.NOT_STARTED, RunStatus.QUEUED):
        return runs.cancel_waiting(run.run_id, message=message, now=now)
    if run.status in (RunStatus.STARTING, RunStatus.STARTED):
        return runs.cancel_active(run.run_id, message=message, now=now)
    if run.status is RunStatus.CANCELING:
        return runs.cancel_stopping(run.run_id, message=message, now=now)
    raise WrongState(f"Run {run.run_id[:8]} has ended already: {run.status.value}.{_retry_of(run)}")


def _retry_of(run: Run) -> str:
    retry = run.tags.get(AUTO_RETRY_RUN_ID)
    return "" if retry is None else f" Its retry is run {retry[:8]}: cancel that one."
