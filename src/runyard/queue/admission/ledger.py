"""The ledger: every group with who holds its places, under rules that may change while runs are active."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import msgspec

from ...core.pools import PoolHolder
from ...core.queue import ActiveRun
from ...core.run import RunStatus
from ..lanes import Lane, parse_lane
from ..rules import Rules
from .alarms import Alarms
from .families import Family, FamilyKey, RateFamily, RootsFamily, ShareFamily, Terms
from .groups import Group
from .plan import AT_LOCATION, LAUNCHER, Need, Plan, make_family, terms_of
from .root_pools import ROOT_GRACE, PoolUse
from .slots import RateSlots, Slots
from .tree import Node, announce


class Holding(msgspec.Struct):
    """An active run and what it holds. ``launched_at``: it was taken from the queue here, at that time."""

    lane: str
    starting: bool
    slots: list[tuple[Slots, int]]
    roots: tuple[str, ...] = ()
    started_at: float | None = None
    launched_at: float | None = None


class Ledger:
    """Who holds what. Nodes of waiting lanes come forward by themselves when there is room again."""

    def __init__(self, rules: Rules, now: float) -> None:
        self.now = now
        self.rules = rules
        self.holdings: dict[str, Holding] = {}
        self._capacity: dict[str, int | None] = {}
        self._closed: dict[str, int | None] = {}
        self._pools: dict[str, PoolUse] = {}
        self._alarms = Alarms()
        #: When rules are obeyed anew because a pause is over.
        self._watched: float | None = None
        self._families: dict[FamilyKey, Family] = {}
        self.plan = self._plan(rules.at(now))
        self._watch_pauses()

    # Time

    def pass_time(self, now: float) -> None:
        self.now = max(self.now, now)
        self._alarms.ring(self.now)

    def next_event(self) -> float | None:
        return self._alarms.next()

    # Who holds places

    def hold(self, run_id: str, lane: Lane, holding: Holding, needs: Iterable[Need]) -> None:
        self.holdings[run_id] = holding
        for need in needs:
            if need.family.counts:
                slots = need.family.ensure(need.name)
                holding.slots.append((slots, need.amount))
                if holding.starting or need.family.kind != "launcher":
                    slots.take(run_id, need.amount)
        self._begin(run_id, lane, holding)

    def occupy(self, run: ActiveRun) -> None:
        self.release(run.run_id)
        lane = parse_lane(run.lane)
        starting = run.status is RunStatus.STARTING
        holding = Holding(run.lane, starting, [])
        if run.status is RunStatus.STARTED:
            holding.started_at = run.started_at
        self.hold(run.run_id, lane, holding, self.plan.needs(lane))

    def started(self, run_id: str, at: float | None) -> None:
        holding = self.holdings.get(run_id)
        if holding is None or not holding.starting:
            return
        holding.starting = False
        holding.started_at = self.now if at is None else at
        self._free(run_id, [(slots, amount) for slots, amount in holding.slots if slots.group.kind == "launcher"])
        if holding.roots:
            self._grace(run_id, holding)

    def release(self, run_id: str) -> None:
        holding = self.holdings.pop(run_id, None)
        if holding:
            self._free(run_id, holding.slots)
            self._begun(run_id, holding)

    def take_back(self, run_id: str) -> None:
        """Release a run that was not launched after all: it counts in no rate either."""
        holding = self.holdings.get(run_id)
        self.release(run_id)
        if holding is None or holding.launched_at is None:
            return
        for slots in _rates(self.plan.needs(parse_lane(holding.lane))):
            with self._changing(slots):
                slots.not_launched(run_id, holding.launched_at)

    # Pools by their steps

    def set_pool_holders(self, pool: str, holders: Sequence[PoolHolder]) -> None:
        use = self._pool(pool)
        with self._changing(use):
            use.set_steps(holders)

    def _begin(self, run_id: str, lane: Lane, holding: Holding) -> None:
        """A run that is about to begin needs slots of the pools that it begins in, until it has been there a while."""
        if not lane.roots or not (holding.starting or self._in_grace(holding)):
            return
        holding.roots = tuple(lane.roots)
        for pool, slots in lane.roots.items():
            self._pool(pool).begin(run_id, slots)
        if not holding.starting:
            self._grace(run_id, holding)

    def _in_grace(self, holding: Holding) -> bool:
        return holding.started_at is not None and holding.started_at + ROOT_GRACE > self.now

    def _grace(self, run_id: str, holding: Holding) -> None:
        if self._in_grace(holding):
            assert holding.started_at is not None  # noqa: S101
            self._alarms.set(holding.started_at + ROOT_GRACE, partial(self._grace_over, run_id, holding))
        else:
            self._begun(run_id, holding)

    def _grace_over(self, run_id: str, holding: Holding) -> None:
        if self.holdings.get(run_id) is holding:
            self._begun(run_id, holding)

    def _begun(self, run_id: str, holding: Holding) -> None:
        for pool in holding.roots:
            use = self._pool(pool)
            with self._changing(use):
                use.begun(run_id)
        holding.roots = ()

    def _pool(self, name: str) -> PoolUse:
        use = self._pools.get(name)
        if use is None:
            use = self._pools[name] = PoolUse(self._pool_group(name), self.rules.pools.run_buffer)
        return use

    def _pool_group(self, name: str) -> Group:
        return Group(id=f"pool {name}", kind="pool", rule=f"pool {name}", limit=self.rules.pools.limit_of(name))

    # Launches

    def note_launch(self, run_id: str, needs: Iterable[Need], at: float) -> None:
        for slots in _rates(needs):
            if at + (slots.group.seconds or 0.0) > self.now:
                slots.launched(run_id, at)
                self._arm(slots)
            slots.family.forget(slots)

    def forget_launches(self) -> None:
        for family in self.plan.families.values():
            for slots in list(family.slots.values()):
                if isinstance(slots, RateSlots):
                    with self._changing(slots):
                        slots.forget_launches()

    def _arm(self, slots: RateSlots) -> None:
        """Have launches expire in time; an alarm that is set for earlier sets the next one."""
        due = slots.frees_at
        if due is not None and (slots.alarm_at is None or due < slots.alarm_at):
            slots.alarm_at = due
            self._alarms.set(due, partial(self._expire, slots))

    def _expire(self, slots: RateSlots) -> None:
        slots.alarm_at = None
        with self._changing(slots):
            slots.expire(self.now)
        self._arm(slots)

    # Rules

    def set_rules(self, rules: Rules) -> None:
        """Obey other rules: families that stay keep their holders, those that are gone let everything through."""
        self.rules = rules
        for use in self._pools.values():
            with self._changing(use):
                use.group, use.buffer = self._pool_group(use.group.id.removeprefix("pool ")), rules.pools.run_buffer
        before = self.plan
        self.plan = self._plan(rules.at(self.now))
        gone = [family for key, family in before.families.items() if key not in self.plan.families]
        for family in gone:
            self._open(family)
        made = [family for key, family in self.plan.families.items() if key not in before.families]
        if any(family.counts for family in (*gone, *made)):
            self._recount()
        self._watch_pauses()

    def set_capacity(self, location: str, runs: int | None) -> None:
        if self._capacity.get(location) != runs:
            self._capacity[location] = runs
            self._refresh(self.plan.families[LAUNCHER], location)

    def set_closed(self, location: str, *, closed: bool) -> None:
        if closed != (location in self._closed):
            if closed:
                self._closed[location] = 0
            else:
                del self._closed[location]
            self._refresh(self.plan.families[AT_LOCATION], location)

    def slots_of(self, group_id: str) -> Slots | PoolUse | None:
        """The slots of a group that somebody is in."""
        for family in self.plan.families.values():
            slots = family.find(group_id)
            if slots is not None:
                return slots
        return next((use for use in self._pools.values() if use.group.id == group_id), None)

    def forget_nodes(self) -> None:
        """All lanes are hung anew."""
        for family in self.plan.families.values():
            for slots in list(family.slots.values()):
                slots.nodes = {}
                family.forget(slots)

    def _plan(self, rules: Rules) -> Plan:
        """The plan for ``rules``: families that there were before stay, with their new numbers."""
        families = {}
        for key, terms in terms_of(rules, capacity=self._capacity, closed=self._closed).items():
            family = self._families.get(key)
            if family is None:
                family = make_family(key, terms, rules, self._pool)
            elif isinstance(family, ShareFamily):
                self._reweigh(family, rules)
            elif family.terms != terms:
                self._renew(family, terms)
            families[key] = family
        self._families = families
        return Plan(families)

    def _renew(self, family: Family, terms: Terms) -> None:
        family.terms = terms
        for name in list(family.slots):
            self._refresh(family, name)

    def _refresh(self, family: Family, name: str) -> None:
        """Put the limit and the pause in force on a group."""
        slots = family.slots.get(name)
        if slots is not None and slots.group != (group := family.group(name)):
            with self._changing(slots):
                slots.group = group

    def _reweigh(self, family: ShareFamily, rules: Rules) -> None:
        if rules.fair_share and family.share != rules.fair_share:
            family.share = rules.fair_share
            for slots in family.slots.values():
                _come_forward(slots.behind())

    def _open(self, family: Family) -> None:
        """A rule is gone: what waited for its groups waits for them no more."""
        self._renew(family, Terms())
        if isinstance(family, RootsFamily):
            for slots in list(family.slots.values()):
                with self._changing(slots):
                    family.dissolve(slots)

    def _recount(self) -> None:
        """Rules came or went: count every active run where it counts now."""
        for run_id, holding in self.holdings.items():
            needs = self.plan.needs(parse_lane(holding.lane))
            wanted = [(need.family.ensure(need.name), need.amount) for need in needs if need.family.counts]
            for slots, _ in holding.slots:
                if all(slots is not other for other, _ in wanted):
                    slots.give_up(run_id)
                    slots.family.forget(slots)
            for slots, amount in wanted:
                if holding.starting or slots.group.kind != "launcher":
                    slots.take(run_id, amount)
            holding.slots = wanted

    def _watch_pauses(self) -> None:
        """Rules are obeyed anew when the first pause is over."""
        ends = [pause.until for pause in self.rules.pauses if pause.until is not None and pause.until > self.now]
        first = min(ends, default=None)
        if first is not None and first != self._watched:
            self._watched = first
            self._alarms.set(first, self._pause_over)

    def _pause_over(self) -> None:
        self._watched = None
        self.set_rules(self.rules)

    # Inside

    def _free(self, run_id: str, freed: Iterable[tuple[Slots, int]]) -> None:
        for slots, _ in freed:
            behind = slots.behind() if slots.nodes else []
            slots.give_up(run_id)
            _come_forward(behind)
            if slots.idle:
                slots.family.forget(slots)

    @contextmanager
    def _changing(self, slots: Slots | PoolUse) -> Iterator[None]:
        """Show what waits behind the slots when the change makes room."""
        behind = slots.behind()
        yield
        _come_forward(behind)
        if isinstance(slots, Slots):
            slots.family.forget(slots)


def _rates(needs: Iterable[Need]) -> Iterator[RateSlots]:
    for need in needs:
        if isinstance(need.family, RateFamily):
            yield need.family.ensure(need.name)


def _come_forward(behind: Iterable[Node]) -> None:
    for node in behind:
        if not node.hidden:
            announce(node)
