"""What a person does to a queued run: another priority, hold, release."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..core.clock import Clock
from ..core.errors import WrongState
from ..core.run import Run
from ..core.tags import PRIORITY, normalise, parse_priority
from ..storage.protocols import Queue, Runs, Wakeups
from .find_run import find_run


class SteeringStores(Protocol):
    runs: Runs
    queue: Queue
    wakeups: Wakeups


def set_priority(stores: SteeringStores, run_id: str, priority: object, *, by: str, clock: Clock) -> Run:
    """Give a queued run another priority: an integer, or text that is one.

    Raises:
        InvalidTag: ``priority`` is not a whole number.
        WrongState: the run is not queued.
    """
    value = parse_priority(normalise({PRIORITY: priority}))
    return _steer(stores, run_id, lambda run: stores.queue.set_priority(run.run_id, value, by=by, now=clock.now()))


def hold(stores: SteeringStores, run_id: str, *, by: str, reason: str = "", clock: Clock) -> Run:
    """Keep a queued run from starting until it is released."""
    return _steer(stores, run_id, lambda run: stores.queue.hold(run.run_id, by=by, reason=reason, now=clock.now()))


def release(stores: SteeringStores, run_id: str, *, by: str, clock: Clock) -> Run:
    """Let a held run take its place in the queue again."""
    return _steer(stores, run_id, lambda run: stores.queue.release(run.run_id, by=by, now=clock.now()))


def _steer(stores: SteeringStores, run_id: str, act: Callable[[Run], Run | None]) -> Run:
    run = find_run(stores.runs, run_id)
    steered = act(run)
    if steered is None:
        now_is = find_run(stores.runs, run.run_id).status.value
        raise WrongState(f"Run {run.run_id[:8]} is not queued: it is {now_is}.")
    stores.wakeups.poke("queue")
    return steered
