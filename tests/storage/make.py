"""Records for storage's tests."""

from __future__ import annotations

import itertools
import random
import string
from collections.abc import Sequence
from typing import Any

from runyard.core.events import Event, EventType
from runyard.core.ids import new_id
from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.lease import Fence
from runyard.core.queue import Claim, QueueFilter, QueueHead, Steering
from runyard.core.request_key import RequestKey
from runyard.core.run import NewRun, Run, RunFailure, RunStatus
from runyard.core.tick import InstigatorKey, InstigatorState, InstigatorStatus, Tick, TickStatus
from runyard.storage.open import SqlStores
from runyard.storage.protocols import RunAddition, TickOutcome

KEY = RequestKey("k", "digest of a request")
NOW = 1_700_000_000.0
BOOM = RunFailure("ValueError", "boom")
SENSOR = InstigatorKey("sensor", "loc", "files")
SCHEDULE = InstigatorKey("schedule", "loc", "nightly")
_numbers = itertools.count()


def new_run(**fields: Any) -> NewRun:
    return NewRun(**({"run_id": new_id(), "job_name": "job", "location_name": "loc"} | fields))


def incompressible(length: int) -> str:
    """Text that takes as much room as it has characters."""
    return "".join(random.Random(length).choices(string.ascii_letters + string.digits, k=length))  # noqa: S311  no secret


def enqueue(stores: SqlStores, **fields: Any) -> Run:
    (run,) = stores.runs.add([new_run(**fields)], enqueue=True)
    return run


def lead(stores: SqlStores, name: str = "queue", *, holder: str = "me", seconds: float = 60.0) -> Fence:
    lease = stores.leases.acquire(name, holder=holder, seconds=seconds)
    assert lease is not None
    return Fence(name, lease.term)


def steer(stores: SqlStores, run_id: str, action: str, **fields: Any) -> Run | None:
    """Steer one run; None when it is not queued, or is so already."""
    steering = Steering(**({"action": action, "by": "ops"} | fields))
    changed = stores.queue.steer(QueueFilter(run_ids=(run_id,)), steering, now=NOW).changed
    return get(stores, run_id) if changed else None


def head(run: Run) -> QueueHead:
    assert run.lane is not None
    assert run.queue_seq is not None
    return QueueHead(run.run_id, run.lane, run.priority, run.queue_seq)


def claim(stores: SqlStores, *runs: Run, fence: Fence | None = None) -> list[Claim]:
    heads = [head(run) for run in runs]
    fence = fence or lead(stores)
    return list(stores.queue.claim(heads, fence=fence, rules_version=stores.queue.rules().version, now=NOW))


def claimed(stores: SqlStores, **fields: Any) -> Claim:
    """A run that is STARTING."""
    (won,) = claim(stores, enqueue(stores, **fields))
    return won


def log(run_id: str, seq: int | None, message: str = "line") -> Event:
    return Event(run_id=run_id, type=EventType.LOG, timestamp=NOW, seq=seq, message=message)


def report(
    won: Claim, *, begin: bool = False, end: RunStatus | None = None, seqs: tuple[int, ...] = ()
) -> WorkerReport:
    failure = BOOM if end is RunStatus.FAILURE else None
    return WorkerReport(
        run_id=won.run_id,
        attempt=won.attempt,
        begin=won.token if begin else None,
        pid=4711 if begin else None,
        events=tuple(log(won.run_id, seq) for seq in seqs),
        end=None if end is None else RunEnd(status=end, failure=failure),
        timestamp=NOW,
    )


def started(stores: SqlStores, **fields: Any) -> Claim:
    won = claimed(stores, **fields)
    assert stores.runs.report([report(won, begin=True)]) == [True]
    return won


def in_status(stores: SqlStores, status: RunStatus) -> str:
    """The id of a new run that has been brought to ``status`` by the ordinary ways."""
    if status is RunStatus.NOT_STARTED:
        return stores.runs.add([new_run()], enqueue=False)[0].run_id
    if status is RunStatus.QUEUED:
        return enqueue(stores).run_id
    if status is RunStatus.STARTING:
        return claimed(stores).run_id
    won = started(stores)
    if status in (RunStatus.SUCCESS, RunStatus.FAILURE):
        stores.runs.report([report(won, end=status)])
    elif status is not RunStatus.STARTED:
        stores.runs.cancel_active(won.run_id, message="stop", now=NOW)
    if status is RunStatus.CANCELED:
        stores.runs.report([report(won, end=status)])
    assert get(stores, won.run_id).status is status
    return won.run_id


def get(stores: SqlStores, run_id: str) -> Run:
    run = stores.runs.get(run_id)
    assert run is not None
    return run


def event_types(stores: SqlStores, run_id: str) -> list[str]:
    return [stored.event.type.value for stored in stores.events.of_run(run_id)]


def tick(
    key: InstigatorKey = SENSOR, *, time: float = NOW, status: TickStatus = TickStatus.SUCCESS, **rest: Any
) -> Tick:
    return Tick(**({"tick_id": f"tick-{next(_numbers)}", "key": key, "time": time, "status": status} | rest))


def state(key: InstigatorKey = SENSOR, **fields: Any) -> InstigatorState:
    return InstigatorState(**({"key": key, "status": InstigatorStatus.RUNNING, "started_at": NOW} | fields))


def current(stores: SqlStores, key: InstigatorKey = SENSOR) -> InstigatorState:
    """The stored state, or the one that a first evaluation starts from."""
    return stores.ticks.state(key) or state(key)


def commit(
    stores: SqlStores,
    runs: Sequence[RunAddition] = (),
    *,
    ended: Tick | None = None,
    after: InstigatorState | None = None,
    fence: Fence | None = None,
) -> TickOutcome:
    """Commit a tick, by default a sensor's SUCCESS that leaves the state as it is."""
    ended = ended or tick()
    return stores.ticks.commit(
        ended,
        after or current(stores, ended.key),
        runs,
        enqueue=True,
        fence=fence or lead(stores, ended.key.kind),
        now=NOW,
    )


def keyed(*keys: str | None) -> list[RunAddition]:
    return [RunAddition(run=new_run(), run_key=key) for key in keys]


def until_someone_waits(stores: SqlStores) -> None:
    """Return once a session of PostgreSQL waits for a lock."""
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    for _ in range(100_000):
        with stores.database.read() as connection:
            if connection.exec_driver_sql(query).scalar_one():
                return
    raise AssertionError("nobody ever waited")
