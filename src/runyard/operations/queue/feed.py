"""Feeds an Admission from storage: what holds slots, and of what is queued only as much as it needs.

The leader keeps one for as long as it leads; whoever explains a run or the queue makes one for that moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from ...core.pools import PoolHolder
from ...core.queue import ActiveRun, Launch, QueueHead
from ...queue.admission.admission import Admission
from ...queue.lanes import lane_key, parse_lane

#: Runs read at a time in the order of the queue.
SLICE = 500
#: Of one lane, at least so many heads are read at a time.
FEWEST_HEADS = 3
#: The same of a lane whose runs are being launched, and how many such lanes are read at a time.
MORE_HEADS, LANES_AT_ONCE = 8, 500


class Source(Protocol):
    """The part of ``storage.protocols.Queue`` that is read here."""

    def lanes(self, *, after: str = "", limit: int | None = None) -> Sequence[str]: ...

    def heads(
        self, lanes: Sequence[str], *, per_lane: int = 3, since: Mapping[str, tuple[int, int]] | None = None
    ) -> Sequence[QueueHead]: ...

    def in_order(self, after: tuple[int, int] | None, *, limit: int) -> Sequence[QueueHead]: ...

    def active(self) -> Sequence[ActiveRun]: ...

    def launches(self, since: float) -> Sequence[Launch]: ...


class StepSlots(Protocol):
    def holders(self, pools: Sequence[str] | None = None) -> Sequence[PoolHolder]: ...


class FeedStores(Protocol):
    @property
    def queue(self) -> Source: ...

    @property
    def pool_slots(self) -> StepSlots: ...


class QueueFeed:
    """Call ``load_active`` and ``load_lanes`` once, then ``refill`` whenever ``Admission.next`` has nothing more."""

    def __init__(self, stores: FeedStores, admission: Admission, *, batch: int, few_lanes: int) -> None:
        """``batch``: how many runs the caller takes at a time; as many are read where few lanes hold them.

        ``few_lanes``: with so many at most, every lane's heads are read at once; with more, the queue is read in order,
        as needed.
        """
        self._queue = stores.queue
        self._pool_slots = stores.pool_slots
        self._admission = admission
        self._batch = batch
        self._few_lanes = few_lanes
        #: How far the queue was read in its order.
        self._read_to: tuple[int, int] | None = None
        #: Locations of the lanes that were read.
        self.locations: set[str] = set()

    def load_active(self, now: float) -> None:
        """Tell of every run and step that holds slots, and of the launches that count for rates."""
        rules, admission = self._admission.rules, self._admission
        active = self._queue.active()
        for run_id in set(admission.active()) - {run.run_id for run in active}:
            admission.release(run_id)
        for run in active:
            admission.occupy(run)
        self.read_pools(None)
        admission.forget_launches()
        if rules.rates:
            for launch in self._queue.launches(now - max(rate.seconds for rate in rules.rates)):
                admission.note_launch(launch)

    def load_lanes(self) -> None:
        """Read what is queued: every lane's heads, or, with many lanes, the beginning of the order."""
        lanes = self._queue.lanes(limit=self._few_lanes + 1)
        if len(lanes) <= self._few_lanes:
            self.read(lanes)
        else:
            self._read_on()

    def read(self, lanes: Sequence[str]) -> None:
        """Read the heads of these lanes anew."""
        if not lanes:
            return
        # Few lanes are read deep, so that a batch is not cut short; many are read shallow, to bound memory.
        asked = max(FEWEST_HEADS, self._batch // len(lanes))
        heads: defaultdict[str, list[QueueHead]] = defaultdict(list)
        for head in self._queue.heads(lanes, per_lane=asked):
            heads[head.lane].append(head)
        for lane in lanes:
            self.locations.add(parse_lane(lane).location)
            self._admission.set_heads(lane, heads[lane], more=len(heads[lane]) == asked)

    def read_pools(self, pools: Sequence[str] | None) -> None:
        """Read who holds slots of these pools, or of all of them."""
        holders: defaultdict[str, list[PoolHolder]] = defaultdict(list)
        for holder in self._pool_slots.holders(pools):
            holders[holder.pool].append(holder)
        for pool in holders.keys() | set(pools or ()):
            self._admission.set_pool_holders(pool, holders[pool])

    def refill(self, locations: Iterable[str] | None = None) -> bool:
        """Read what ``Admission.next`` needs to go on; False: it has it, and what it says is so.

        Also between taking runs and claiming them: only what comes behind those is read.

        Args:
            locations: all that launch anything; None: any that runs may name. While none of them has room, the queue is
                read no further.
        """
        if not self.is_asked(locations):
            return False
        if self._admission.hungry():
            self._read_behind()
        else:
            self._read_on()
        return True

    def is_asked(self, locations: Iterable[str] | None = None) -> bool:
        """Whether ``refill`` has something to read."""
        if self._admission.hungry():
            return True
        return self._admission.wants_more and (locations is None or any(map(self._has_room, locations)))

    def _has_room(self, location: str) -> bool:
        """Whether a run there could start that no other limit concerns."""
        bare = lane_key((), location_name=location, job_name="", tags={})
        return not any(slots.full_for(amount) for slots, amount in self._admission.needs_of(bare))

    def _read_behind(self) -> None:
        """The lanes whose heads are used up, and with them those that soon will be: each reading ends a row of runs."""
        places = self._admission.running_low(LANES_AT_ONCE)
        asked = max(MORE_HEADS, self._batch // len(places))
        heads: defaultdict[str, list[QueueHead]] = defaultdict(list)
        for head in self._queue.heads(list(places), per_lane=asked, since=places):
            heads[head.lane].append(head)
        for lane in places:
            self._admission.add_heads(lane, heads[lane], more=len(heads[lane]) == asked)

    def _read_on(self) -> None:
        heads = self._queue.in_order(self._read_to, limit=SLICE)
        self.locations.update(parse_lane(lane).location for lane in {head.lane for head in heads})
        self._read_to = heads[-1].place if len(heads) == SLICE else None
        self._admission.extend(heads, self._read_to)
