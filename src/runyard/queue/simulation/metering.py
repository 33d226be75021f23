"""How much of each limit is in use, over the time of a simulation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from ..admission.admission import Admission
from ..admission.groups import Group
from ..admission.slots import Slots
from ..lanes import Lane, parse_lane
from .timeline import Timeline


class Meter:
    """A limit and what is in use of it. ``kind`` is that of its group: ``runs``, ``tag``, ``pool``, ``rate``…"""

    def __init__(self, rule: str, kind: str, limit: int) -> None:
        self.rule, self.kind, self.limit = rule, kind, limit
        self.used = Timeline()

    def take(self, amount: int, now: float) -> None:
        self.used.put(now, self.used.last + amount)

    def give_up(self, amount: int, now: float) -> None:
        self.used.put(now, self.used.last - amount)

    def finish(self) -> None:
        """Nothing is told to it any more."""


class RateMeter(Meter):
    """Launches count for ``seconds``, whatever becomes of the runs."""

    def __init__(self, rule: str, limit: int, seconds: float) -> None:
        super().__init__(rule, "rate", limit)
        self._seconds = seconds
        self._until: deque[float] = deque()

    def take(self, amount: int, now: float) -> None:  # noqa: ARG002  # a launch counts by its number
        self._lapse(now)
        super().take(1, now)
        self._until.append(now + self._seconds)

    def give_up(self, amount: int, now: float) -> None:
        pass

    def finish(self) -> None:
        self._lapse(float("inf"))

    def _lapse(self, now: float) -> None:
        while self._until and self._until[0] <= now:
            super().give_up(1, self._until.popleft())


class Meters:
    """The limits that some run came under, told of every launch and end."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._meters: dict[str, Meter] = {}
        self._names: set[str] = set()
        self._of_lane: dict[str, list[tuple[Meter, int]]] = {}

    def launched(self, lane: str, now: float) -> None:
        for meter, amount in self._needs(lane):
            meter.take(amount, now)

    def ended(self, lane: str, now: float) -> None:
        for meter, amount in self._needs(lane):
            meter.give_up(amount, now)

    def finished(self) -> tuple[Meter, ...]:
        for meter in self._meters.values():
            meter.finish()
        return tuple(self._meters.values())

    def _needs(self, lane: str) -> list[tuple[Meter, int]]:
        found = self._of_lane.get(lane)
        if found is None:
            found = self._of_lane[lane] = [
                *((self._meter(slots.group), amount) for slots, amount in self._limited(lane)),
                *self._root_pools(parse_lane(lane)),
            ]
        return found

    def _limited(self, lane: str) -> Iterator[tuple[Slots, int]]:
        return ((slots, amount) for slots, amount in self._admission.needs_of(lane) if slots.group.limit is not None)

    def _meter(self, group: Group) -> Meter:
        if group.id not in self._meters:
            made = _meter(group, group.limit or 0)
            # A rule for one value and a rule for each may count the same runs under one name.
            if made.rule in self._names:
                made.rule += f", at most {made.limit}"
            self._names.add(made.rule)
            self._meters[group.id] = made
        return self._meters[group.id]

    def _root_pools(self, lane: Lane) -> Iterator[tuple[Meter, int]]:
        """At op granularity a run is taken to hold what it begins with as long as it lasts: its steps are not known."""
        pools = self._admission.rules.pools
        if pools.granularity == "run":
            return
        for pool, slots in lane.roots.items():
            limit = pools.limit_of(pool)
            if limit is not None:
                yield self._meters.setdefault(f"pool {pool}", Meter(f"pool {pool}", "pool", limit)), slots


def _meter(group: Group, limit: int) -> Meter:
    if group.seconds is not None:
        return RateMeter(f"{limit} of {group.rule} in {group.seconds:g} s", limit, group.seconds)
    return Meter(group.rule, group.kind, limit)
