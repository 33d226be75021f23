"""What each queued run finds in its way when it is its turn, in the pass of admission that takes place now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ...core.queue import ActiveRun, Launch, QueueHead
from ...core.run import RunStatus
from ..admission.admission import Admission
from ..admission.groups import Group, GroupKind
from ..admission.root_pools import RootSlots
from ..admission.slots import RateSlots, Slots
from ..lanes import parse_lane
from .state import QueueState, admission_of, open_locations

#: Of several, which one to name: what needs a person first, then what is likely to last longest.
_LAST: dict[GroupKind, int] = {"rate": 6, "runs": 7, "share": 7, "launcher": 8}


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """A group that has no room for a run.

    ``used`` and ``holders`` are those before the pass: places that are free go to runs that the pass launches.
    ``needs``: what the run takes of it. ``others``: how many other pools are full, when the run waits for any of
    several. ``free_at``: when a rate allows the next launch.
    """

    group: Group
    used: int
    needs: int
    holders: tuple[str, ...] = ()
    others: int = 0
    free_at: float | None = None


class Decision:
    """A pass that launches ``launched``, in this order, step by step."""

    def __init__(self, state: QueueState, launched: Sequence[QueueHead]) -> None:
        self._state = state
        self._launched = launched
        #: As things are: asked about, never changed.
        self._before = admission_of(state)
        self._pass = admission_of(state)
        self._opened: set[str] = set()
        #: What lanes find in their way, until the next launch.
        self._found: dict[str, Obstacle | None] = {}

    def obstacles(self, heads: Iterable[QueueHead]) -> dict[str, Obstacle]:
        """For each of these runs that finds something in its way when it is its turn, what to name. Ask once."""
        launched = {head.run_id for head in self._launched}
        waiting = sorted((head for head in heads if head.run_id not in launched), key=self._turn)
        found, taken = {}, 0
        for head in waiting:
            while taken < len(self._launched) and self._turn(self._launched[taken]) <= self._turn(head):
                self._launch(self._launched[taken])
                taken += 1
            obstacle = self._obstacle(head.lane)
            if obstacle is not None:
                found[head.run_id] = obstacle
        return found

    def groups(self, lane: str) -> list[Group]:
        """The groups that the runs of a lane are in."""
        return [slots.group for slots, _ in self._needs(self._before, lane)]

    def _turn(self, head: QueueHead) -> tuple[int, int]:
        """Under fair share, when all others of its priority have had theirs: whatever their share, it found no room."""
        return (-head.priority, head.seq if self._state.rules.fair_share is None else 0)

    def _launch(self, head: QueueHead) -> None:
        self._found.clear()
        self._open(head.lane)
        now = self._state.now
        self._pass.occupy(ActiveRun(head.run_id, head.lane, RunStatus.STARTING, now))
        self._pass.note_launch(Launch(head.run_id, head.lane, now))

    def _obstacle(self, lane: str) -> Obstacle | None:
        if lane not in self._found:
            self._found[lane] = self._look(lane)
        return self._found[lane]

    def _look(self, lane: str) -> Obstacle | None:
        full = [(slots, needs) for slots, needs in self._needs(self._pass, lane) if slots.full_for(needs)]
        if not full:
            return None
        chosen, needs = min(full, key=lambda item: _rank(*item))
        before = next(slots for slots, _ in self._needs(self._before, lane) if slots.group.id == chosen.group.id)
        return _described(before, needs)

    def _needs(self, admission: Admission, lane: str) -> Sequence[tuple[Slots, int]]:
        self._open(lane)
        return admission.needs_of(lane)

    def _open(self, lane: str) -> None:
        location = parse_lane(lane).location
        if location not in self._opened:
            self._opened.add(location)
            for admission in (self._before, self._pass):
                open_locations(admission, self._state, [location])


def _described(slots: Slots, needs: int) -> Obstacle:
    if isinstance(slots, RootSlots):
        pool = slots.pools[0]
        return Obstacle(
            group=pool.group, used=pool.used, needs=needs, holders=pool.holders, others=len(slots.pools) - 1
        )
    free_at = slots.room_at if isinstance(slots, RateSlots) else None
    return Obstacle(group=slots.group, used=slots.used, needs=needs, holders=slots.holders, free_at=free_at)


def _rank(slots: Slots, needs: int) -> int:
    group = slots.group
    if group.limit and needs > group.limit:
        return 0
    if group.kind == "location" and group.pause is None:
        return 1
    if group.pause is not None:
        return 2 if group.pause.until is None else 3
    if group.limit == 0:
        return 4
    return _LAST.get(group.kind, 5)
