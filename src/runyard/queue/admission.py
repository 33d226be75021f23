"""Admission: which queued run may start next. In memory, told of every change, and never reading a clock or a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ..core.queue import ActiveRun, QueueHead
from ..core.run import RunStatus
from .groups import Group, groups_of, launcher_group, location_group
from .lanes import parse_lane
from .rules import Rules
from .slots import Slots
from .tree import BEFORE_ALL, Key, LaneTree, Leaf, announce, key_of


class _Holding(msgspec.Struct):
    """An active run and the slots that it holds."""

    lane: str
    starting: bool
    slots: tuple[Slots, ...]


class Admission:
    """The queue as its leader knows it.

    The caller feeds it with heads of lanes and with the runs that hold slots, takes runs from ``next``, claims them in
    storage, and gives back those that it did not win. Runs come by priority, then by seq; a run that a limit holds back
    holds back no other. The cost of each call is logarithmic in the number of lanes and independent of the number of
    queued runs.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self._capacity: dict[str, int] = {}
        self._paused: set[str] = set()
        self._tree = LaneTree()
        self._leaves: dict[str, Leaf] = {}
        self._slots: dict[str, Slots] = {}
        self._holdings: dict[str, _Holding] = {}
        self._hungry: dict[str, None] = {}

    @property
    def rules(self) -> Rules:
        return self._rules

    # What is queued

    def set_heads(self, lane: str, heads: Sequence[QueueHead], *, more: bool = True) -> None:
        """The first queued runs of a lane as storage has them now, in place of those that were known.

        Runs that hold slots here already (taken from ``next``, their claim not committed yet) are left out.

        Args:
            lane: the lane's key.
            heads: its runs by (-priority, seq), held ones left out; empty when nothing is queued in it.
            more: storage may hold further runs of the lane behind these. Say False when fewer came than were asked for:
                it saves reading the lane once more when they are used up.
        """
        waiting = [head for head in heads if head.run_id not in self._holdings]
        unknown_from = key_of(heads[-1]) if heads and more else None
        self._set(lane, waiting, unknown_from)

    def next(self) -> QueueHead | None:
        """Take the next run that may start; from now on it holds its slots as a STARTING one.

        None when nothing is admissible, or when a lane whose known heads ran out may hold the next one: ``hungry``
        names it then. Claim what was taken before reading heads again.
        """
        leaf = self._tree.best()
        if leaf is None or not leaf.heads:
            return None
        head = leaf.heads.popleft()
        self._hold(head.run_id, head.lane, leaf.path, starting=True)
        if not leaf.heads:
            self._used_up(leaf)
        return head

    def give_back(self, head: QueueHead) -> None:
        """A run from ``next`` was not claimed: free its slots.

        Its lane is hungry: something has changed there, and until it is read no run that it may hold is passed over.
        """
        self.release(head.run_id)
        self._set(head.lane, (), BEFORE_ALL)

    def hungry(self) -> list[str]:
        """Lanes whose known heads are used up while storage may hold more: read them and call ``set_heads``."""
        return list(self._hungry)

    # What is active

    def occupy(self, run: ActiveRun) -> None:
        """An active run holds its slots, also beyond a limit. Tell again when its lane or status has changed."""
        self.release(run.run_id)
        self._hold(run.run_id, run.lane, self._slots_of(run.lane), starting=run.status is RunStatus.STARTING)

    def started(self, run_id: str) -> None:
        """A run's worker has begun: its launcher has room for another one."""
        holding = self._holdings.get(run_id)
        if holding and holding.starting:
            holding.starting = False
            self._free(run_id, (slots for slots in holding.slots if slots.group.kind == "launcher"))

    def release(self, run_id: str) -> None:
        """A run is no longer active: its slots are free."""
        holding = self._holdings.pop(run_id, None)
        if holding:
            self._free(run_id, holding.slots)

    def active(self) -> list[str]:
        """Runs that hold slots."""
        return list(self._holdings)

    def lane_of(self, run_id: str) -> str:
        """The lane of a run that holds slots. Raises KeyError for any other run."""
        return self._holdings[run_id].lane

    # What holds runs back

    def set_rules(self, rules: Rules) -> None:
        """Obey other rules from now on; whoever holds a slot keeps it. Costs one pass over lanes and active runs."""
        self._rules = rules
        self._tree, self._slots = LaneTree(), {}
        holdings, self._holdings = self._holdings, {}
        for run_id, holding in holdings.items():
            self._hold(run_id, holding.lane, self._slots_of(holding.lane), starting=holding.starting)
        for leaf in self._leaves.values():
            self._tree.attach(leaf, self._slots_of(leaf.lane))

    def set_capacity(self, location: str, runs: int | None) -> None:
        """How many runs the location's launcher starts at a time; None: as many as there are."""
        if runs is None:
            self._capacity.pop(location, None)
        else:
            self._capacity[location] = runs
        self._limit(launcher_group(location, self._capacity))

    def pause_location(self, location: str) -> None:
        """Launch nothing at a location until ``resume_location``."""
        self._paused.add(location)
        self._limit(location_group(location, self._paused))

    def resume_location(self, location: str) -> None:
        self._paused.discard(location)
        self._limit(location_group(location, self._paused))

    def slots_of(self, lane: str) -> tuple[Slots, ...]:
        """The slots that a run of this lane needs, as they are occupied now: full ones are why it waits."""
        return tuple(self._slots.get(group.id) or Slots(group) for group in self._groups(lane))

    def holders(self, group_id: str) -> tuple[str, ...]:
        """Who holds places in a group, in the order in which they took them."""
        slots = self._slots.get(group_id)
        return slots.holders if slots else ()

    # Inside

    def _groups(self, lane: str) -> tuple[Group, ...]:
        return groups_of(parse_lane(lane), self._rules, capacity=self._capacity, paused=self._paused)

    def _slots_of(self, lane: str) -> tuple[Slots, ...]:
        return tuple(self._slots.setdefault(group.id, Slots(group)) for group in self._groups(lane))

    def _set(self, lane: str, heads: Iterable[QueueHead], unknown_from: Key | None) -> None:
        leaf = self._leaves.get(lane) or Leaf(lane)
        leaf.heads.clear()
        leaf.heads.extend(heads)
        leaf.unknown_from = unknown_from
        if leaf.first() is None:
            self._drop(leaf)
            return
        self._note_hunger(leaf)
        if leaf.parent is None:
            self._leaves[lane] = leaf
            self._tree.attach(leaf, self._slots_of(lane))
        else:
            announce(leaf)

    def _used_up(self, leaf: Leaf) -> None:
        if leaf.unknown_from is None:
            self._drop(leaf)
        else:
            self._note_hunger(leaf)

    def _note_hunger(self, leaf: Leaf) -> None:
        if leaf.heads:
            self._hungry.pop(leaf.lane, None)
        else:
            self._hungry[leaf.lane] = None

    def _drop(self, leaf: Leaf) -> None:
        self._hungry.pop(leaf.lane, None)
        if self._leaves.pop(leaf.lane, None):
            for group_id in self._tree.detach(leaf):
                self._forget(group_id)

    def _hold(self, run_id: str, lane: str, needed: tuple[Slots, ...], *, starting: bool) -> None:
        self._holdings[run_id] = _Holding(lane, starting, needed)
        for slots in needed:
            if starting or slots.group.kind != "launcher":
                slots.take(run_id)

    def _free(self, run_id: str, freed: Iterable[Slots]) -> None:
        for slots in freed:
            was_full = slots.full
            slots.give_up(run_id)
            if was_full and not slots.full:
                self._tree.reopen(slots.group.id)
            self._forget(slots.group.id)

    def _limit(self, group: Group) -> None:
        """Put another limit on a group that lanes or runs are in."""
        slots = self._slots.get(group.id)
        if slots is None:
            return
        was_full = slots.full
        slots.group = group
        if was_full and not slots.full:
            self._tree.reopen(group.id)

    def _forget(self, group_id: str) -> None:
        """Drop a group that nobody is in, so that values seen once (a limit per customer) do not pile up."""
        slots = self._slots.get(group_id)
        if slots is not None and not slots.used and not self._tree.has(group_id):
            del self._slots[group_id]
