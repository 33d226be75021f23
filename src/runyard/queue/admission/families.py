"""Families: a rule with all the groups that it makes, one or one for each value that it tells apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from ..rules import FairShare, Pause
from .groups import Group, GroupKind
from .root_pools import PoolUse, RootSlots
from .slots import RateSlots, ShareSlots, Slots

#: So many values and a rule's groups count as shared by many lanes: lanes hang below them from the start.
_NARROW = 64


class FamilyKey(NamedTuple):
    """Which groups a rule makes, whatever its numbers. ``form`` is a kind, or how a rule looks at tags."""

    form: str
    key: str = ""
    value: str = ""
    seconds: float | None = None


class Terms(msgspec.Struct):
    """The numbers of a family: ``limits`` and ``pauses`` are those of single groups by their names."""

    limit: int | None = None
    limits: Mapping[str, int | None] = {}
    pauses: Mapping[str, Pause] = {}


class Family:
    """The groups of one rule by the name that tells them apart; those that nobody is in are not there."""

    counts = True

    def __init__(
        self, kind: GroupKind, prefix: str, title: Callable[[str], str], terms: Terms, seconds: float | None = None
    ) -> None:
        self.kind = kind
        self.terms = terms
        self.slots: dict[str, Slots] = {}
        self._prefix = prefix
        self._title = title
        self._seconds = seconds
        self._seen: set[str] = set()
        #: Whether a run takes of it by its weight; otherwise 1, or what it says about a pool.
        self.weighs = kind in ("runs", "tag", "share")

    def group(self, name: str) -> Group:
        return Group(
            id=self._prefix + name,
            kind=self.kind,
            rule=self._title(name),
            limit=self.limit_of(name),
            pause=self.terms.pauses.get(name),
            seconds=self._seconds,
        )

    def limit_of(self, name: str) -> int | None:
        return self.terms.limits.get(name, self.terms.limit)

    def full(self, name: str, amount: int) -> bool:
        """Whether a run that takes ``amount`` places of a group has to wait."""
        slots = self.slots.get(name)
        if slots is not None:
            return slots.full_for(amount)
        if name in self.terms.pauses:
            return True
        limit = self.limit_of(name)
        return limit is not None and amount > limit

    def ensure(self, name: str) -> Slots:
        slots = self.slots.get(name)
        if slots is None:
            slots = self.slots[name] = self.make(name)
        return slots

    def make(self, name: str) -> Slots:
        return Slots(self, name)

    def forget(self, slots: Slots) -> None:
        """Drop a group that nobody is in, so that values seen once (a limit per customer) do not pile up."""
        if slots.idle and self.slots.get(slots.name) is slots:
            del self.slots[slots.name]

    def find(self, group_id: str) -> Slots | None:
        if not group_id.startswith(self._prefix):
            return None
        return self.slots.get(group_id[len(self._prefix) :])

    # How widely shared its groups are

    def is_shared(self, name: str) -> bool:
        """Whether a lane that comes hangs below this group before it is found full."""
        if len(self._seen) > _NARROW:
            return False
        self._seen.add(name)
        return name in self.terms.pauses or self.limit_of(name) is not None

    @property
    def spread(self) -> int:
        """About how many groups it has: those of few are on top."""
        seen = len(self._seen)
        return seen if seen <= _NARROW else _NARROW + len(self.slots)


class FixedFamily(Family):
    """Run slots, locations, launchers: every run is in one, and all lanes hang below them in this order."""

    def __init__(self, kind: GroupKind, prefix: str, title: Callable[[str], str], terms: Terms, rank: int) -> None:
        super().__init__(kind, prefix, title, terms)
        self.counts = kind != "location"
        self._rank = rank

    @property
    def spread(self) -> int:
        return self._rank


class PauseFamily(Family):
    """Something that is paused: it hides and counts nothing."""

    counts = False


class RateFamily(Family):
    """Launches are told to it, not who is active."""

    counts = False

    def ensure(self, name: str) -> RateSlots:
        slots = super().ensure(name)
        assert isinstance(slots, RateSlots)  # noqa: S101
        return slots

    def make(self, name: str) -> Slots:
        return RateSlots(self, name)


class RootsFamily(Family):
    """Sets of root pools; a name is the JSON of their names. ``pool`` finds the use of one of them."""

    counts = False

    def __init__(self, prefix: str, title: Callable[[str], str], pool: Callable[[str], PoolUse]) -> None:
        super().__init__("roots", prefix, title, Terms())
        self._pool = pool

    def full(self, name: str, amount: int) -> bool:
        return (self.slots.get(name) or self.make(name)).full_for(amount)

    def is_shared(self, name: str) -> bool:
        super().is_shared(name)
        return len(self._seen) <= _NARROW

    def ensure(self, name: str) -> Slots:
        slots = super().ensure(name)
        if isinstance(slots, RootSlots):
            for pool in slots.pools:
                pool.composites[slots] = None
        return slots

    def make(self, name: str) -> Slots:
        return RootSlots(self, name, [self._pool(pool) for pool in msgspec.json.decode(name, type=list[str])])

    def forget(self, slots: Slots) -> None:
        super().forget(slots)
        if slots.name not in self.slots:
            self.dissolve(slots)

    def dissolve(self, slots: Slots) -> None:
        """No pool holds back what waits for them from now on."""
        if isinstance(slots, RootSlots):
            for pool in slots.pools:
                pool.composites.pop(slots, None)
            slots.pools = ()


class ShareFamily(Family):
    """The values of the fair share's key, each with its weight. Every lane hangs below one of them."""

    def __init__(self, prefix: str, title: Callable[[str], str], share: FairShare) -> None:
        super().__init__("share", prefix, title, Terms())
        self.share = share

    def weight_of(self, name: str) -> float:
        """The weight of a value: names are ``=`` and the value, and empty for runs that have none."""
        return self.share.weight_of(name[1:] if name else None)

    def is_shared(self, name: str) -> bool:
        super().is_shared(name)
        return True

    def make(self, name: str) -> Slots:
        return ShareSlots(self, name, self.weight_of)
