"""What tests of step slots do and look at."""

from __future__ import annotations

from collections.abc import Callable

from runyard.core.events import Event, EventType
from runyard.core.launch import WorkerReport
from runyard.core.queue import Claim, QueueChange
from runyard.queue.rules import PoolRules, Rules
from runyard.storage.open import SqlStores

from .make import NOW

USED = (
    "SELECT c.pool, c.used, (SELECT coalesce(sum(h.slots), 0) FROM pool_holders AS h WHERE h.pool = c.pool)"
    " FROM pool_counters AS c"
)


def limit(stores: SqlStores, default: int | None = None, **limits: int) -> None:
    stores.limits.configure(Rules(pools=PoolRules(default_limit=default, limits=limits)))


def take(
    stores: SqlStores,
    won: Claim,
    step: str = "load",
    *,
    pool: str = "db",
    slots: int = 1,
    priority: int = 0,
    now: float = NOW,
) -> bool:
    return stores.pool_slots.claim(
        won.run_id, step, attempt=won.attempt, pool=pool, slots=slots, priority=priority, now=now
    )


def free(stores: SqlStores, won: Claim, step: str = "load") -> None:
    stores.pool_slots.free(won.run_id, step, attempt=won.attempt)


def step_ends(
    run_id: str, step: str, *, seq: int | None, kind: EventType = EventType.STEP_SUCCESS, attempt: int = 1
) -> WorkerReport:
    event = Event(run_id=run_id, type=kind, timestamp=NOW, seq=seq, step_key=step)
    return WorkerReport(run_id=run_id, attempt=attempt, events=(event,), timestamp=NOW)


def used(stores: SqlStores) -> dict[str, int]:
    """Slots in use by pool; fails when counters and holders differ."""
    with stores.database.read() as connection:
        rows = connection.exec_driver_sql(USED).all()
    assert all(number == held for _, number, held in rows), rows
    return {pool: number for pool, number, _ in rows if number}


def held(stores: SqlStores, *pools: str) -> list[tuple[str, str]]:
    """Run and step of each holder, in the order of their names."""
    holders = stores.pool_slots.holders(pools or None)
    return sorted((holder.run_id, holder.step_key) for holder in holders)


def line(stores: SqlStores, *pools: str) -> list[str]:
    """The steps that wait, in the order in which they will be served."""
    return [waiter.step_key for waiter in stores.pool_slots.waiters(pools or None)]


def pool_changes(stores: SqlStores, act: Callable[[], object]) -> list[QueueChange]:
    place = stores.queue.change_head()
    act()
    return [change for change in stores.queue.changes(place) if change.kind == "pool"]
