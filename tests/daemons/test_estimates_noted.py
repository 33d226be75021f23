"""The leader notes when it expects runs to start."""

from __future__ import annotations

import time

import sqlalchemy as sa

from runyard.daemons.run_queue.estimating import EVERY_SECONDS
from runyard.queue.rules import Rules
from runyard.storage.schema import estimates

from .bench import Bench


def _lasted(yard: Bench, run_id: str, seconds: float) -> None:
    """A run that ran for so long; the leader has seen it end."""
    yard.begin(yard.location.launched[-1])
    yard.clock.advance(seconds)
    yard.succeed(run_id)


def test_estimates_are_noted_once_a_minute_and_measured_by_what_comes(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=1))
    yard.beat()
    first, second, third = (yard.submit() for _ in range(3))
    assert yard.launched(1) == [first]
    _lasted(yard, first, 30)
    assert yard.launched(2)[-1] == second
    yard.beat()
    yard.clock.advance(EVERY_SECONDS - 30)
    yard.begin(yard.location.launched[-1])
    yard.look()
    noted_at = yard.clock.now()
    _wait_noted(yard)
    yard.clock.advance(10)
    yard.succeed(second)
    assert yard.launched(3)[-1] == third
    yard.begin(yard.location.launched[-1])
    (estimate,) = yard.stores.queue.estimates()
    assert (estimate.run_id, estimate.made_at) == (third, noted_at)
    assert estimate.started_at is not None


def _wait_noted(yard: Bench) -> None:
    """The look is on a thread of its own."""
    deadline = time.monotonic() + 10
    noted = False
    while not noted and time.monotonic() < deadline:
        with yard.stores.database.read() as connection:
            noted = connection.execute(sa.select(estimates.c.run_id)).first() is not None
    assert noted
