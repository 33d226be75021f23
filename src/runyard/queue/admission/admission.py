"""Admission: which queued run may start next. In memory, told of every change, and never reading a clock or a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from ...core.pools import PoolHolder
from ...core.queue import ActiveRun, Launch, QueueHead
from ..lanes import Lane, parse_lane
from ..rules import Rules
from .ledger import Holding, Ledger
from .plan import QUEUE, RUNS, Need
from .slots import Slots
from .tree import (
    BEFORE_ALL,
    Key,
    LaneTree,
    Leaf,
    Step,
    announce,
    key_of,
    negative_priority,
    path_of,
    place_key,
    place_of,
)

#: Heads of a lane that ``extend`` keeps: lanes are many, and one that runs out is read again.
_HEADS = 3


class Admission:
    """The queue as its leader knows it.

    The caller feeds it with heads of lanes and with the runs that hold slots, takes runs from ``next``, claims them in
    storage, and gives back those that it did not win. Runs come by priority, then by seq; under a fair share, within a
    priority, by what their value holds. A run that a limit holds back holds back no other. The cost of each call is
    logarithmic in the number of lanes and independent of the number of queued runs; a lane whose group is found full
    moves once, which ``settle`` does beforehand when many may.
    """

    def __init__(self, rules: Rules | None = None, *, now: float = 0.0) -> None:
        """Obey ``rules`` at the time ``now`` (seconds since the epoch)."""
        self._ledger = Ledger(rules or Rules(), now)
        self._leaves: dict[str, Leaf] = {}
        self._hungry: dict[str, None] = {}
        #: Lanes with one known head or none, of which storage may hold more.
        self._low: dict[str, None] = {}
        self._frontier: Key | None = None
        self._wants_more = False
        self._replant()

    @property
    def rules(self) -> Rules:
        return self._ledger.rules

    # Time

    def pass_time(self, now: float) -> None:
        """It is ``now`` (seconds since the epoch): launches count no more, starts are over, pauses lapse."""
        self._ledger.pass_time(now)

    def next_event(self) -> float | None:
        """When ``pass_time`` has something to do next; None: not before something else happens."""
        return self._ledger.next_event()

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
        waiting = [head for head in heads if head.run_id not in self._ledger.holdings]
        unknown_from = key_of(heads[-1]) if heads and more else None
        self._set(lane, waiting, unknown_from)

    def add_heads(self, lane: str, heads: Sequence[QueueHead], *, more: bool = True) -> None:
        """What storage has of a lane at and behind the place that ``running_low`` named; ``more`` as above."""
        leaf = self._leaves.get(lane)
        if leaf is None or leaf.unknown_from is None:
            return
        known = leaf.known
        last = key_of(known[-1]) if known else BEFORE_ALL
        waiting = (head for head in heads if head.run_id not in self._ledger.holdings and key_of(head) > last)
        self._set(lane, (*known, *waiting), key_of(heads[-1]) if heads and more else None)

    def set_frontier(self, place: tuple[int, int] | None) -> None:
        """Storage may hold queued runs behind ``place`` (-priority, seq) whose lanes are not known here; None: no more.

        Runs behind it are not taken. Under a fair share none of its priority is taken either, because a run that is not
        known may be the one whose turn it is: the whole class of a priority is read before its first run is launched.
        """
        self._frontier = None if place is None else place_key(*place)
        self._wants_more = False

    def extend(self, heads: Sequence[QueueHead], frontier: tuple[int, int] | None) -> None:
        """The queued runs that come next behind the frontier, in order, held ones left out, and where it is now.

        Of each lane a few are kept, the others are read when these are used up.
        """
        for head in heads:
            if head.run_id in self._ledger.holdings:
                continue
            leaf = self._leaves.get(head.lane)
            if leaf is None:
                self._set(head.lane, (head,), None)
            else:
                leaf.add(head, most=_HEADS)
                announce(leaf)
        self.set_frontier(frontier)

    @property
    def wants_more(self) -> bool:
        """The last ``next`` found nothing before the frontier, and runs behind it may be admissible: ``extend``."""
        return self._wants_more

    def next(self) -> QueueHead | None:
        """Take the next run that may start; from now on it holds its slots as a STARTING one, launched now.

        None when nothing is admissible, or when a lane whose known heads ran out may hold the next one: ``hungry``
        names it then; or when it may be behind the frontier: ``wants_more``. Claim what was taken before reading heads
        again.
        """
        self._wants_more = False
        leaf = self._first_admissible()
        if leaf is None or self._is_beyond(leaf):
            self._wants_more = self._frontier is not None and self._has_room()
            return None
        if leaf.head is None:
            return None
        lane, needs = self._needs(leaf)
        head = leaf.pop()
        if not leaf.rest:
            self._used_up(leaf)
        self._hold(head, lane, needs)
        return head

    def launch(self, head: QueueHead) -> None:
        """Have this run hold its slots as ``next`` does, whatever holds it back."""
        lane = parse_lane(head.lane)
        self._hold(head, lane, self._ledger.plan.needs(lane))

    def settle(self, budget: int) -> bool:
        """Move lanes that are in the way of the first admissible run, because a group of theirs is full or paused.

        ``next`` does it all at once. After rules came or went, or many lanes were read, call it first with as many
        moves as fit between two signs of life, until it says True: nothing is left to move.
        """
        while self._unplanted and budget > 0:
            self._plant(self._unplanted.pop())
            budget -= 1
        while budget > 0:
            leaf = self._tree.best()
            if leaf is None or not self._make_way(leaf):
                return True
            budget -= 1
        return False

    def give_back(self, head: QueueHead) -> None:
        """A run from ``next`` was not claimed: free its slots; it counts in no rate.

        Its lane is hungry: something has changed there, and until it is read no run that it may hold is passed over.
        """
        self._ledger.take_back(head.run_id)
        self._set(head.lane, (), BEFORE_ALL)

    def hungry(self) -> list[str]:
        """Lanes whose known heads are used up while storage may hold more: read them and call ``set_heads``."""
        return list(self._hungry)

    def running_low(self, most: int) -> dict[str, tuple[int, int]]:
        """Hungry lanes, and behind them some that have one known head left, each with the place (-priority, seq) at
        and behind which storage may hold more: read from there and call ``add_heads``."""
        low = self._hungry | dict.fromkeys(islice(self._low, most))
        places = ((lane, self._leaves[lane].unknown_from) for lane in islice(low, most))
        return {lane: place_of(key) for lane, key in places if key is not None}

    # What is active

    def occupy(self, run: ActiveRun) -> None:
        """An active run holds its slots, also beyond a limit. Tell again when its lane or status has changed."""
        self._ledger.occupy(run)

    def started(self, run_id: str, at: float | None = None) -> None:
        """A run's worker began at ``at``, or now: its launcher has room for another one."""
        self._ledger.started(run_id, at)

    def release(self, run_id: str) -> None:
        """A run is no longer active: its slots are free."""
        self._ledger.release(run_id)

    def note_launch(self, launch: Launch) -> None:
        """A launch of before counts in its rates. Tell each once, oldest first; those of ``next`` are known."""
        self._ledger.note_launch(launch.run_id, self._ledger.plan.needs(parse_lane(launch.lane)), launch.at)

    def forget_launches(self) -> None:
        """Tell all launches anew from here: a rate that was added counts none of before it."""
        self._ledger.forget_launches()

    def set_pool_holders(self, pool: str, holders: Sequence[PoolHolder]) -> None:
        """The steps that hold slots of a pool, in place of those that were known."""
        self._ledger.set_pool_holders(pool, holders)

    def active(self) -> list[str]:
        """Runs that hold slots."""
        return list(self._ledger.holdings)

    # What holds runs back

    def set_rules(self, rules: Rules) -> None:
        """Obey other rules from now on; whoever holds a slot keeps it.

        Another limit and a pause cost what their groups cost, also with many lanes; a rule that comes or goes costs one
        pass over active runs. Lanes move later (``settle``); a fair share that comes or goes has all of them move.
        """
        before = self._ledger.plan.share
        self._ledger.set_rules(rules)
        after = self._ledger.plan.share
        if (before and before[1]) is not (after and after[1]):
            self._replant()

    def set_capacity(self, location: str, runs: int | None) -> None:
        """How many runs the location's launcher starts at a time; None: as many as there are."""
        self._ledger.set_capacity(location, runs)

    def close_location(self, location: str) -> None:
        """Launch nothing at a location until ``open_location``: it cannot be reached, or fails to load."""
        self._ledger.set_closed(location, closed=True)

    def open_location(self, location: str) -> None:
        self._ledger.set_closed(location, closed=False)

    def needs_of(self, lane: str) -> tuple[Step, ...]:
        """The slots that a run of this lane needs, as they are occupied now, each with how many it takes of them.

        Those that are ``full_for`` that many are why it waits.
        """
        queue = Need(self._ledger.plan.families[QUEUE], "", 1)
        needs = (queue, *self._ledger.plan.needs(parse_lane(lane)))
        return tuple((need.slots(), need.amount) for need in needs if need.family.kind != "share")

    def slots_of(self, lane: str) -> tuple[Slots, ...]:
        """The slots that a run of this lane needs, as they are occupied now."""
        return tuple(slots for slots, _ in self.needs_of(lane))

    def holders(self, group_id: str) -> tuple[str, ...]:
        """Who holds places in a group, in the order in which they took them."""
        slots = self._ledger.slots_of(group_id)
        return slots.holders if slots else ()

    # Inside

    def _first_admissible(self) -> Leaf | None:
        """The best lane, once those before it whose group is full are out of the way."""
        while self._unplanted:
            self._plant(self._unplanted.pop())
        while (leaf := self._tree.best()) is not None and self._make_way(leaf):
            pass
        return leaf

    def _needs(self, leaf: Leaf) -> tuple[Lane, list[Need]]:
        """What the lane's runs need; remembered while it is on top."""
        plan = self._ledger.plan
        if leaf.needs is None or leaf.needs[0] is not plan:
            lane = parse_lane(leaf.lane)
            leaf.needs = (plan, lane, plan.needs(lane))
        return leaf.needs[1:]

    def _hold(self, head: QueueHead, lane: Lane, needs: list[Need]) -> None:
        now = self._ledger.now
        self._ledger.hold(head.run_id, lane, Holding(head.lane, True, [], launched_at=now), needs)
        self._ledger.note_launch(head.run_id, needs, now)

    def _is_beyond(self, leaf: Leaf) -> bool:
        if self._frontier is None or leaf.key is None:
            return False
        if self._ledger.plan.share:
            return negative_priority(leaf.key) >= negative_priority(self._frontier)
        return leaf.key > self._frontier

    def _has_room(self) -> bool:
        """Whether any run at all could start: reading more is of no use otherwise."""
        families = self._ledger.plan.families
        return not families[QUEUE].full("", 1) and not families[RUNS].full("", 1)

    def _set(self, lane: str, heads: Iterable[QueueHead], unknown_from: Key | None) -> None:
        leaf = self._leaves.get(lane) or Leaf(lane)
        leaf.set(heads, unknown_from)
        if leaf.key is None:
            self._drop(leaf)
            return
        self._note_hunger(leaf)
        if lane in self._leaves:
            announce(leaf)
        else:
            self._leaves[lane] = leaf
            self._plant(leaf)

    def _used_up(self, leaf: Leaf) -> None:
        if leaf.key is None:
            self._drop(leaf)
        else:
            self._note_hunger(leaf)

    def _note_hunger(self, leaf: Leaf) -> None:
        if leaf.head is not None:
            self._hungry.pop(leaf.lane, None)
        else:
            self._hungry[leaf.lane] = None
        if leaf.rest or leaf.unknown_from is None:
            self._low.pop(leaf.lane, None)
        else:
            self._low[leaf.lane] = None

    def _drop(self, leaf: Leaf) -> None:
        self._hungry.pop(leaf.lane, None)
        self._low.pop(leaf.lane, None)
        if self._leaves.pop(leaf.lane, None):
            self._uproot(leaf)

    # Where lanes wait

    def _replant(self) -> None:
        """Hang every lane anew, which ``settle`` does."""
        self._ledger.forget_nodes()
        self._tree = LaneTree(self._ledger.plan.families[QUEUE].ensure(""))
        self._unplanted = list(self._leaves.values())

    def _plant(self, leaf: Leaf) -> None:
        """Hang a lane below the groups that many lanes share."""
        if self._leaves.get(leaf.lane) is leaf:
            lane, plan = parse_lane(leaf.lane), self._ledger.plan
            shared = [need for need in plan.other_needs(lane) if need.family.is_shared(need.name)]
            shared.sort(key=_spread)
            self._hang(leaf, (*plan.fixed_needs(lane), *shared))

    def _make_way(self, leaf: Leaf) -> bool:
        """Hang the best lane below a group of its own that is full; False: none is."""
        _, needs = self._needs(leaf)
        full = [need for need in needs if need.family.full(need.name, need.amount)]
        if not full:
            return False
        above = path_of(leaf)
        chosen = [need for need in needs if need.family.slots.get(need.name) in above]
        chosen.append(min(full, key=_spread))
        chosen.sort(key=_spread)
        self._uproot(leaf)
        self._hang(leaf, chosen)
        leaf.needs = None
        return True

    def _hang(self, leaf: Leaf, needs: Iterable[Need]) -> None:
        self._tree.attach(leaf, [(family.ensure(name), amount) for family, name, amount in needs])

    def _uproot(self, leaf: Leaf) -> None:
        for slots in self._tree.detach(leaf):
            slots.family.forget(slots)


def _spread(need: Need) -> int:
    return need.family.spread
