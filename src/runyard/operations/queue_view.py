"""The queue as people see it: order, reasons and limits, computed on request by the code that decides."""

from __future__ import annotations

from collections import defaultdict
from typing import Protocol

from ..core.clock import Clock
from ..core.daemon import DaemonType
from ..core.run import RunStatus
from ..launchers.local import local_capacity
from ..queue.explain import LimitUse, QueueEntry, explain, limits_in_use
from ..storage.protocols import Heartbeats, Locations, Queue, Runs, RunsFilter
from .daemon_status import daemon_alive

#: Beyond this many queued runs the view ends; the count stays exact.
LOOKED_AT = 5_000
#: Durations are means over the newest successes, at most this many.
HISTORY = 300


class QueueViewStores(Protocol):
    runs: Runs
    queue: Queue
    locations: Locations
    heartbeats: Heartbeats


def entries(stores: QueueViewStores, *, clock: Clock, limit: int = 100) -> list[QueueEntry]:
    """Queued runs by forecast launch order, then position, each with the reason that it waits."""
    return _explained(stores, clock)[:limit]


def entry(stores: QueueViewStores, run_id: str, *, clock: Clock) -> QueueEntry | None:
    """The entry of one queued run; None when it is not queued."""
    return next((found for found in _explained(stores, clock) if found.run_id == run_id), None)


def limits(stores: QueueViewStores) -> list[LimitUse]:
    """Every limit with its use, holders and the runs that wait at it."""
    return limits_in_use(stores.queue.active(), stores.queue.queued(limit=LOOKED_AT), stores.queue.rules())


def _explained(stores: QueueViewStores, clock: Clock) -> list[QueueEntry]:
    queued = stores.queue.queued(limit=LOOKED_AT)
    names = {run.location_name for run in queued}
    alive = daemon_alive(stores, DaemonType.QUEUED_RUN_COORDINATOR, clock=clock)
    return explain(
        queued,
        stores.queue.active(),
        stores.queue.rules(),
        capacity=dict.fromkeys(names, local_capacity()),
        paused={},
        # Without a daemon nobody says which locations there are: its absence is the reason then.
        unavailable=_unavailable(stores.locations, names) if alive else {},
        daemon_alive=alive,
        now=clock.now(),
        durations=mean_durations(stores.runs),
    )


def _unavailable(locations: Locations, names: set[str]) -> dict[str, str]:
    records = {record.name: record for record in locations.all()}
    reasons: dict[str, str] = {}
    for name in names:
        record = records.get(name)
        if record is None:
            reasons[name] = "is not in the workspace"
        elif record.definitions is None:
            reasons[name] = f"fails to load: {record.error.class_name}" if record.error else "is loading"
    return reasons


def mean_durations(runs: Runs) -> dict[str, float]:
    """Mean seconds from launch to end per job, over the newest successes."""
    seconds: defaultdict[str, list[float]] = defaultdict(list)
    for run in runs.list(RunsFilter(statuses=(RunStatus.SUCCESS,)), limit=HISTORY):
        if run.launched_at is not None and run.ended_at is not None:
            seconds[run.job_name].append(run.ended_at - run.launched_at)
    return {job: sum(values) / len(values) for job, values in seconds.items()}
