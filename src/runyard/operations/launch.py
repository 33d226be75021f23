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
from ..storage.protocols import Queue, Runs, RunsFilter, Wakeups

LAUNCH_SECONDS = 30.0


class LaunchStores(Protocol):
    """What launching needs of storage."""

    runs: Runs
    queue: Queue
    wakeups: Wakeups


def launch_claims(runs: Runs, location: Location, claims: Sequence[Claim]) -> Sequence[LaunchResult]:
    """Ask the location for a worker per claim.

    Raises:
        LocationUnavailable: it could not be asked; whether it heard is unknown, the tokens make a repeat safe.
    """
    rows = {run.run_id: run for run in runs.list(_these(claims), limit=len(claims))}
    specs = [_spec(claim, rows[claim.run_id]) for claim in claims if claim.run_id in rows]
    return location.launch(specs, timeout=LAUNCH_SECONDS)


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
        results = launch_claims(stores.runs, location, [claim])
    except LocationUnavailable as error:
        results = [LaunchResult(run_id=claim.run_id, attempt=claim.attempt, error=str(error))]
    for result in results:
        if result.error:
            fail_launch(stores.runs, result, now=clock.now())
    stores.wakeups.poke("runs")
    return stores.runs.get(run.run_id) or run


def _these(claims: Sequence[Claim]) -> RunsFilter:
    return RunsFilter(run_ids=tuple(claim.run_id for claim in claims))


def _spec(claim: Claim, run: Run) -> LaunchSpec:
    return LaunchSpec(
        run_id=claim.run_id,
        attempt=claim.attempt,
        token=claim.token,
        job_name=run.job_name,
        location_name=run.location_name,
        run_config=run.run_config,
        tags=run.tags,
    )
