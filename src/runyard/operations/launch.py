"""Hand claimed runs to their workers, and deal with those that could not be handed over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..core.clock import Clock
from ..core.errors import LocationUnavailable, WrongState
from ..core.launch import LaunchResult, LaunchSpec
from ..core.queue import Claim
from ..core.run import Run, RunFailure, RunStatus
from ..locations.api import Location
from ..storage.protocols import Queue, Runs, Wakeups

LAUNCH_SECONDS = 30.0


class LaunchStores(Protocol):
    """What launching needs of storage."""

    runs: Runs
    queue: Queue
    wakeups: Wakeups


def launch_claims(location: Location, claims: Sequence[Claim]) -> Sequence[LaunchResult]:
    """Ask the location for a worker per claim.

    Raises:
        LocationUnavailable: it could not be asked; whether it heard is unknown, the tokens make a repeat safe.
    """
    return location.launch([_spec(claim) for claim in claims], timeout=LAUNCH_SECONDS)


def fail_launch(runs: Runs, result: LaunchResult, *, now: float) -> None:
    """End a run whose worker could not be started: STARTING → FAILURE with the reason."""
    failure = RunFailure(error_class="LaunchFailed", message=result.error or "The worker was not started.")
    runs.fail(result.run_id, attempt=result.attempt, expected=(RunStatus.STARTING,), failure=failure, now=now)


def launch_now(stores: LaunchStores, location: Location, run: Run, *, clock: Clock) -> Run:
    """Start a NOT_STARTED run without the queue (the direct coordinator).

    Raises:
        WrongState: somebody started it meanwhile.
    """
    claim = stores.queue.start_directly(run.run_id, now=clock.now())
    if claim is None:
        raise WrongState(f"Run {run.run_id[:8]} is not NOT_STARTED.")
    try:
        results = launch_claims(location, [claim])
    except LocationUnavailable as error:
        results = [LaunchResult(run_id=claim.run_id, attempt=claim.attempt, error=str(error))]
    for result in results:
        if result.error:
            fail_launch(stores.runs, result, now=clock.now())
    # Nobody leads a queue here, so nobody else would ever take the changes away.
    stores.queue.forget_changes(stores.queue.change_head())
    stores.wakeups.poke("runs")
    return stores.runs.get(run.run_id) or run


def _spec(claim: Claim) -> LaunchSpec:
    return LaunchSpec(
        run_id=claim.run_id,
        attempt=claim.attempt,
        token=claim.token,
        job_name=claim.job_name,
        location_name=claim.location_name,
        run_config=claim.run_config,
        tags=claim.tags,
    )
