"""Drain: launch nothing more of something, and see what still runs of it end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from ...core.clock import Clock
from ...core.run import ACTIVE
from ...queue.lanes import parse_lane
from ...queue.rules import JOB, LOCATION, Pause
from ...storage.protocols import Queue, Runs, RunsFilter, Wakeups

#: Seconds between two looks when nobody says that anything moved.
LOOK_EVERY = 2.0


class DrainStores(Protocol):
    runs: Runs
    queue: Queue
    wakeups: Wakeups


def running(stores: DrainStores, pause: Pause) -> int:
    """How many active runs belong to what is paused."""
    if pause.scope == "pool":
        # Pools are part of every lane, whatever rules are in force.
        return sum(pause.name in parse_lane(run.lane).pools for run in stores.queue.active())
    return stores.runs.count(_active_of(pause))


def _active_of(pause: Pause) -> RunsFilter:
    statuses = tuple(ACTIVE)
    if pause.scope == "queue":
        return RunsFilter(statuses=statuses)
    if pause.scope == "location" or pause.name == LOCATION:
        return RunsFilter(statuses=statuses, location_name=pause.value or pause.name)
    if pause.name == JOB:
        return RunsFilter(statuses=statuses, job_name=pause.value)
    return RunsFilter(statuses=statuses, tags={pause.name: pause.value})


def wait_drained(stores: DrainStores, pause: Pause, *, clock: Clock, say: Callable[[int], None]) -> None:
    """Return when nothing of ``pause`` runs any more; ``say`` is told how many are left, first and at each change."""
    moved = threading.Event()
    stop_listening = stores.wakeups.listen(lambda _: moved.set())
    told = -1
    try:
        while True:
            moved.clear()
            left = running(stores, pause)
            if left != told:
                say(left)
                told = left
            if not left:
                return
            clock.wait(moved, LOOK_EVERY)
    finally:
        stop_listening()
