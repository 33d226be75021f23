"""Looks ahead in the queue for people: from rows alone, in any process, and never over more of them than it must."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Protocol

from ...core.clock import Clock
from ...core.daemon import DaemonType
from ...core.location import LocationRecord
from ...core.queue import ActiveRun, Launch, QueueHead
from ...core.run import RunStatus
from ...launchers.local import local_capacity
from ...queue.admission.admission import Admission
from ...queue.explanation.estimates import usual_durations
from ...queue.explanation.forecast import Forecast
from ...queue.explanation.state import Availability, QueueState, admission_of
from ...storage.protocols import Heartbeats, Leases, Limits, Locations, PoolSlots, Queue, Runs, RunsFilter
from ..daemon_status import daemon_alive
from .feed import QueueFeed, Source, StepSlots
from .true_lanes import TrueLanes, true_active

#: Durations are medians over the newest successes, of at most so many runs.
HISTORY = 300
#: A forecast reads at most so many heads of lanes, and where there are many lanes so many rows in the queue's order: a
#: lane that is met costs 0.1 ms. What is behind them it does not know of.
MOST_HEADS = 6_000
MOST_IN_ORDER = 1_500
#: With more lanes than this the queue is read in its order.
FEW_LANES = 300


class QueueViewStores(Protocol):
    runs: Runs
    queue: Queue
    limits: Limits
    pool_slots: PoolSlots
    locations: Locations
    heartbeats: Heartbeats
    leases: Leases


def queue_state(stores: QueueViewStores, *, clock: Clock) -> QueueState:
    """What admission obeys, as storage has it now."""
    now = clock.now()
    rules = stores.queue.rules()
    old_lanes = stores.queue.has_old_lanes()
    alive = daemon_alive(stores, DaemonType.QUEUED_RUN_COORDINATOR, clock=clock)
    longest = max((rate.seconds for rate in rules.rates), default=None)
    successes = stores.runs.list(RunsFilter(statuses=(RunStatus.SUCCESS,)), limit=HISTORY)
    return QueueState(
        now=now,
        rules=rules,
        active=tuple(true_active(stores, rules) if old_lanes else stores.queue.active()),
        old_lanes=old_lanes,
        holders=tuple(stores.pool_slots.holders()),
        launches=() if longest is None else tuple(stores.queue.launches(now - longest)),
        # Without a daemon nobody says which locations there are: its absence is the reason then.
        locations=_availability(stores.locations, now) if alive else {},
        elsewhere=Availability(
            why_closed="is not in the workspace" if alive else None, capacity=None if alive else local_capacity()
        ),
        durations=usual_durations(successes),
        daemon_alive=alive,
    )


def look_ahead(stores: QueueViewStores, state: QueueState, *, moved: QueueHead | None = None) -> Forecast:
    """A forecast of what is queued; ``moved``: as if this run had the priority that it has here."""
    admission = admission_of(state)
    source = source_of(stores, state)
    return Forecast(admission, state, LookAhead(source, stores.pool_slots, admission, moved))


def source_of(stores: QueueViewStores, state: QueueState) -> Source:
    """What is queued, each run in its lane under the rules in force."""
    return TrueLanes(stores, state.rules) if state.old_lanes else stores.queue


class LookAhead:
    """``queue.forecast.Reader`` over storage, in which the runs that the forecast has started are still queued."""

    def __init__(
        self, source: Source, pool_slots: StepSlots, admission: Admission, moved: QueueHead | None = None
    ) -> None:
        self._queue = source
        self.pool_slots = pool_slots
        self._admission = admission
        self._moved = moved
        self._taken: set[str] = set()
        self._taken_of: Counter[str] = Counter()
        self._heads_left = MOST_HEADS
        self._rows_left = MOST_IN_ORDER
        #: Whether no bound kept anything from being looked at.
        self.complete = not isinstance(source, TrueLanes) or source.complete
        self._feed = QueueFeed(self, admission, batch=FEW_LANES, few_lanes=FEW_LANES)
        self._feed.load_lanes()

    @property
    def locations(self) -> set[str]:
        return self._feed.locations

    def took(self, head: QueueHead) -> None:
        self._taken.add(head.run_id)
        self._taken_of[head.lane] += 1

    def refill(self) -> bool:
        if self._heads_left > 0 and self._rows_left > 0:
            return self._feed.refill()
        hungry = self._admission.hungry()
        if not hungry and not self._admission.wants_more:
            return False
        # From here on the forecast makes do with what it knows.
        self.complete = False
        for lane in hungry:
            self._admission.set_heads(lane, (), more=False)
        self._admission.set_frontier(None)
        return True

    # -- as the feed's stores: the queue without what the forecast has started ---------------------------------

    @property
    def queue(self) -> LookAhead:
        return self

    def active(self) -> Sequence[ActiveRun]:
        return self._queue.active()

    def launches(self, since: float) -> Sequence[Launch]:
        return self._queue.launches(since)

    def lanes(self, *, after: str = "", limit: int | None = None) -> Sequence[str]:
        return self._queue.lanes(after=after, limit=limit)

    def heads(
        self, lanes: Sequence[str], *, per_lane: int = 3, since: Mapping[str, tuple[int, int]] | None = None
    ) -> Sequence[QueueHead]:
        # Where a place is given, at most the last that is known stands at it: what was started comes before.
        started = 1 if since else max(self._taken_of[lane] for lane in lanes)
        found = self._queue.heads(lanes, per_lane=per_lane + started + (self._moved is not None), since=since)
        self._heads_left -= len(found)
        by_lane: defaultdict[str, list[QueueHead]] = defaultdict(list)
        for head in found:
            by_lane[head.lane].append(head)
        if self._moved is not None and self._moved.lane in lanes and self._is_since(self._moved, since):
            by_lane[self._moved.lane] = self._with_moved(by_lane[self._moved.lane])
        return [head for lane in lanes for head in self._not_taken(by_lane[lane])[:per_lane]]

    def in_order(self, after: tuple[int, int] | None, *, limit: int) -> Sequence[QueueHead]:
        if self._moved is None:
            found = self._queue.in_order(after, limit=limit)
            self._rows_left -= len(found)
            return found
        # One more, as the run that is moved is left out where it was.
        found = self._queue.in_order(after, limit=limit + 1)
        self._rows_left -= len(found)
        place = self._moved.place
        comes_here = (after is None or place > after) and (len(found) <= limit or place < found[-1].place)
        return (self._with_moved(found) if comes_here else self._without_moved(found))[:limit]

    def _is_since(self, head: QueueHead, since: Mapping[str, tuple[int, int]] | None) -> bool:
        place = (since or {}).get(head.lane)
        return place is None or head.place >= place

    def _with_moved(self, heads: Sequence[QueueHead]) -> list[QueueHead]:
        moved = [] if self._moved is None else [self._moved]
        return sorted([*self._without_moved(heads), *moved], key=attrgetter("place"))

    def _without_moved(self, heads: Sequence[QueueHead]) -> list[QueueHead]:
        return [head for head in heads if self._moved is None or head.run_id != self._moved.run_id]

    def _not_taken(self, heads: Sequence[QueueHead]) -> list[QueueHead]:
        return [head for head in heads if head.run_id not in self._taken]


def _availability(locations: Locations, now: float) -> dict[str, Availability]:
    return {record.name: _available(record, now) for record in locations.all()}


def _available(record: LocationRecord, now: float) -> Availability:
    if record.definitions is None:
        why = f"fails to load: {record.error.class_name}" if record.error else "is loading"
        return Availability(why_closed=why, until=None if record.error else now)
    resting = record.left_alone
    if resting is not None and resting.until > now:
        why = f"could not be reached; tried again in {math.ceil(resting.until - now)} s: {resting.reason}"
        return Availability(why_closed=why, until=resting.until)
    return Availability(capacity=local_capacity())
