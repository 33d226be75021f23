"""Pause the queue or a part of it, durably, and let it go on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from ...core.clock import Clock
from ...core.errors import NotFound
from ...queue.idle_limits import TagAsked, unused_location, unused_pool, unused_tag
from ...queue.pauses import check_pause
from ...queue.rules import JOB, LOCATION, Pause, PauseScope
from ...storage.protocols import Limits, Locations, Queue, Runs, RunsFilter, Wakeups
from .names_in_use import names_in_use


class PauseStores(Protocol):
    runs: Runs
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
        NotFound: no such location, pool or job, where all are known. A tag may come with the next run: ``unmatched``.
    """
    made = Pause(scope=scope, name=name, value=value, by=by, reason=reason, since=clock.now(), until=until, drain=drain)
    check_pause(made)
    _check_known(stores, made)
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


def unmatched(stores: PauseStores, pause: Pause) -> str | None:
    """A sentence where nothing that is known is held back by the pause; None where something may be."""
    names = names_in_use(stores, [TagAsked(pause.name, pause.value)] if pause.scope == "tag" else [])
    if pause.scope == "queue" or not names.jobs:
        return None
    clause = {
        "tag": lambda: unused_tag(pause.name, pause.value, names),
        "pool": lambda: unused_pool(pause.name, names),
        "location": lambda: unused_location(pause.name, names),
    }[pause.scope]()
    return f"It holds nothing back so far: {clause}" if clause else None


def _check_known(stores: PauseStores, pause: Pause) -> None:
    """Pausing a name that is misspelt would look done and stop nothing."""
    if pause.scope == "location" or pause.name == LOCATION:
        known = [record.name for record in stores.locations.all()]
        _refuse_unknown("code location", pause.value or pause.name, known)
    elif pause.scope == "pool":
        _refuse_unknown("pool", pause.name, known_pools(stores), unloaded=names_in_use(stores).unloaded)
    elif pause.name == JOB:
        _check_job(stores, pause.value)


def _check_job(stores: PauseStores, job: str) -> None:
    """A job that only runs have is known too: its code may have left while they wait."""
    if not stores.runs.list(RunsFilter(job_name=job), limit=1):
        names = names_in_use(stores)
        _refuse_unknown("job", job, names.all_jobs, unloaded=names.unloaded)


def known_pools(stores: PauseStores) -> set[str]:
    """Pools that a job of some location uses or that have a limit of their own."""
    found = set(stores.queue.rules().pools.limits)
    for record in stores.locations.all():
        for job in record.definitions.jobs if record.definitions else ():
            found.update(job.pools.all)
    return found


def _refuse_unknown(kind: str, name: str, known: Iterable[str], unloaded: Sequence[str] = ()) -> None:
    """Locations that have not loaded may have what is named."""
    names = sorted(known)
    if names and name not in names and not unloaded:
        raise NotFound(kind, name, names)
