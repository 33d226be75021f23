"""Pause the queue or a part of it, durably, and let it go on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ...core.clock import Clock
from ...core.errors import NotFound
from ...queue.pauses import check_pause
from ...queue.rules import Pause, PauseScope
from ...storage.protocols import Limits, Locations, Queue, Wakeups


class PauseStores(Protocol):
    queue: Queue
    limits: Limits
    locations: Locations
    wakeups: Wakeups


def pause(
    stores: PauseStores,
    scope: PauseScope,
    name: str = "",
    value: str = "",
    *,
    by: str,
    reason: str = "",
    until: float | None = None,
    drain: bool = False,
    clock: Clock,
) -> Pause:
    """Launch nothing of this from now on; what runs goes on. One of the same subject is replaced.

    Raises:
        InvalidPause: a name that the scope needs is missing, or one that it does not take is given.
        NotFound: no such location or pool, where some are known.
    """
    made = Pause(scope=scope, name=name, value=value, by=by, reason=reason, since=clock.now(), until=until, drain=drain)
    check_pause(made)
    _check_known(stores, scope, name)
    stores.limits.pause(made)
    stores.wakeups.poke("queue")
    return made


def resume(
    stores: PauseStores, scope: PauseScope, name: str = "", value: str = "", *, by: str, clock: Clock
) -> Pause | None:
    """End the pause of exactly this subject, a drain too; None when there is none."""
    ended = stores.limits.resume(scope, name, value, by=by, now=clock.now())
    if ended is not None:
        stores.wakeups.poke("queue")
    return ended


def pauses(stores: PauseStores, *, clock: Clock) -> list[Pause]:
    """Pauses in force, the oldest first."""
    return sorted(stores.queue.rules().at(clock.now()).pauses, key=lambda pause: pause.since)


def _check_known(stores: PauseStores, scope: PauseScope, name: str) -> None:
    """Pausing a name that is misspelt would look done and stop nothing."""
    if scope == "location":
        _refuse_unknown("code location", name, (record.name for record in stores.locations.all()))
    elif scope == "pool":
        _refuse_unknown("pool", name, known_pools(stores))


def known_pools(stores: PauseStores) -> set[str]:
    """Pools that a job of some location uses or that have a limit of their own."""
    found = set(stores.queue.rules().pools.limits)
    for record in stores.locations.all():
        for job in record.definitions.jobs if record.definitions else ():
            found.update(job.pools.all)
    return found


def _refuse_unknown(kind: str, name: str, known: Iterable[str]) -> None:
    names = sorted(known)
    if names and name not in names:
        raise NotFound(kind, name, names)
