"""Everything that admission obeys at one moment, except what is queued: enough to decide and to look ahead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from ...core.pools import PoolHolder
from ...core.queue import ActiveRun, Launch
from ..admission.admission import Admission
from ..rules import Rules


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """Of a location. ``why_closed``: a clause that says why it launches nothing, ``fails to load: ImportError``; None:
    it launches. ``until``: when it is asked again, in seconds since the epoch, None when somebody has to act.
    ``capacity``: how many runs its launcher starts at a time; None: as many as there are.
    """

    why_closed: str | None = None
    until: float | None = None
    capacity: int | None = None


class QueueState(msgspec.Struct, frozen=True, kw_only=True):
    """``now`` is seconds since the epoch. Of locations that are left out, ``elsewhere`` is so. ``durations``: seconds
    that a run of each job usually lasts. ``daemon_alive``: a run queue daemon is there to launch anything.
    """

    now: float
    rules: Rules = Rules()
    active: tuple[ActiveRun, ...] = ()
    holders: tuple[PoolHolder, ...] = ()
    launches: tuple[Launch, ...] = ()
    locations: Mapping[str, Availability] = {}
    elsewhere: Availability = Availability()
    durations: Mapping[str, float] = {}
    daemon_alive: bool = True
    #: Stored lanes may be of a time before a key was tracked: those of ``active`` are not, those of queued runs may be.
    old_lanes: bool = False

    def at(self, location: str) -> Availability:
        return self.locations.get(location, self.elsewhere)


def admission_of(state: QueueState) -> Admission:
    """An Admission that knows what holds slots: no queued run yet, and every location open."""
    admission = Admission(state.rules, now=state.now)
    for run in state.active:
        admission.occupy(run)
    for pool, holders in by_pool(state.holders).items():
        admission.set_pool_holders(pool, holders)
    for launch in state.launches:
        admission.note_launch(launch)
    return admission


def open_locations(
    admission: Admission, state: QueueState, names: Iterable[str], *, with_capacity: bool = True
) -> None:
    """Tell an Admission of locations that it has not heard of whether they launch, and how many runs at a time."""
    for name in names:
        availability = state.at(name)
        admission.set_capacity(name, availability.capacity if with_capacity else None)
        if availability.why_closed is not None:
            admission.close_location(name)


def by_pool(holders: Iterable[PoolHolder]) -> dict[str, list[PoolHolder]]:
    found: defaultdict[str, list[PoolHolder]] = defaultdict(list)
    for holder in holders:
        found[holder.pool].append(holder)
    return found
