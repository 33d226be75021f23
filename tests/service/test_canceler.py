"""Who is told to stop, how often, and with how much patience."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runyard.core.clock import ManualClock
from runyard.core.errors import LocationUnavailable
from runyard.core.ids import new_id
from runyard.core.run import NewRun, Run
from runyard.service.canceler import TERMINATE_SECONDS, Canceler
from runyard.storage.open import SqlStores


class Stopping:
    """Every location, which remembers what it was asked."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.asked: list[tuple[str, float | None]] = []
        self.looked_up: list[str] = []
        #: Seconds after which a location says that it is away.
        self.away: dict[str, float] = {}

    def get(self, name: str) -> Stopping:
        self.looked_up.append(name)
        return self

    def terminate(
        self, run_id: str, *, attempt: int, force: bool, timeout: float, kill_after: float | None = None
    ) -> bool:
        assert (attempt, force) == (1, False)
        assert timeout > 0
        if self.looked_up[-1] in self.away:
            self.clock.advance(self.away[self.looked_up[-1]])
            raise LocationUnavailable(self.looked_up[-1], "it does not answer.")
        self.asked.append((run_id, kill_after))
        return True


@pytest.fixture
def stopping(clock: ManualClock) -> Stopping:
    return Stopping(clock)


def canceler(stores: SqlStores, clock: ManualClock, stopping: Stopping, kill_after: float | None = None) -> Canceler:
    return Canceler(
        runs=stores.runs,
        hosts=stores.hosts,
        wakeups=stores.wakeups,
        locations=stopping,  # type: ignore[arg-type]  # the one method of a location that it uses
        clock=clock,
        kill_after=kill_after,
    )


def canceling(stores: SqlStores, clock: ManualClock, count: int = 1, *, location_name: str = "yard") -> Sequence[Run]:
    new = [NewRun(run_id=new_id(), job_name="job", location_name=location_name) for _ in range(count)]
    stores.runs.add(new, enqueue=False)
    for run in new:
        stores.queue.start_directly(run.run_id, now=clock.now())
        stores.runs.assign_host(run.run_id, attempt=1, host_id="first", pid=1)
        stores.runs.cancel_active(run.run_id, message="asked", now=clock.now())
    return [run for one in new if (run := stores.runs.get(one.run_id)) is not None]


def test_a_worker_is_signalled_once(sqlite_stores: SqlStores, clock: ManualClock, stopping: Stopping) -> None:
    runs = canceling(sqlite_stores, clock, 3)
    service = canceler(sqlite_stores, clock, stopping)
    service.look()
    service.look()
    assert sorted(stopping.asked) == sorted((run.run_id, None) for run in runs)


def test_a_worker_that_found_another_host_is_signalled_by_that_one(
    sqlite_stores: SqlStores, clock: ManualClock, stopping: Stopping
) -> None:
    [run] = canceling(sqlite_stores, clock)
    service = canceler(sqlite_stores, clock, stopping, kill_after=20.0)
    service.look()
    sqlite_stores.runs.assign_host(run.run_id, attempt=1, host_id="second", pid=1)
    service.look()
    service.look()
    assert stopping.asked == [(run.run_id, 20.0)] * 2


def test_a_location_that_does_not_answer_is_asked_once_a_look_and_keeps_no_other(
    sqlite_stores: SqlStores, clock: ManualClock, stopping: Stopping
) -> None:
    """Each question may last seconds: with a thousand runs to cancel the others would wait for an hour."""
    [other] = canceling(sqlite_stores, clock, location_name="other")
    canceling(sqlite_stores, clock, 3)
    service = canceler(sqlite_stores, clock, stopping)
    for seconds, asked in ((TERMINATE_SECONDS, 1), (0.0, 3)):
        stopping.looked_up.clear()
        stopping.away = {"yard": seconds}
        service.look()
        assert stopping.looked_up.count("yard") == asked
        assert stopping.asked == [(other.run_id, None)]
    stopping.away = {}
    service.look()
    assert len(stopping.asked) == 4
