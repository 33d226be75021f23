"""Who holds the places of a group."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from .groups import Group

if TYPE_CHECKING:
    from .families import Family
    from .tree import Node


class Use(msgspec.Struct, frozen=True):
    """A group and who holds its places, at one moment."""

    group: Group
    holders: tuple[str, ...]


class Slots:
    """A group and the runs that hold its places, in the order in which they took them, each with how many it takes.

    There may be more in use than there are places: lowering a limit evicts nobody.
    """

    __slots__ = ("_holders", "family", "group", "name", "nodes", "used")

    def __init__(self, family: Family, name: str) -> None:
        self.family = family
        self.name = name
        self.group = family.group(name)
        #: The nodes that it hides while it is full, by their parent and the places that a run below them takes.
        self.nodes: dict[tuple[Node, int], Node] = {}
        self.used = 0
        self._holders: dict[str, int] = {}

    def full_for(self, amount: int) -> bool:
        """Whether a run that takes ``amount`` places has to wait."""
        group = self.group
        return group.pause is not None or (group.limit is not None and self.used + amount > group.limit)

    @property
    def holders(self) -> tuple[str, ...]:
        return tuple(self._holders)

    def held_by(self, run_id: str) -> int:
        """How many places the run holds."""
        return self._holders.get(run_id, 0)

    @property
    def idle(self) -> bool:
        """Nobody holds a place or waits for one."""
        return not self.used and not self.nodes

    def take(self, run_id: str, amount: int) -> None:
        self.used += amount - self._holders.get(run_id, 0)
        self._holders[run_id] = amount

    def give_up(self, run_id: str) -> None:
        self.used -= self._holders.pop(run_id, 0)

    def behind(self) -> list[Node]:
        """Nodes that come forward once there is room again."""
        return [node for node in self.nodes.values() if node.hidden]


class RateSlots(Slots):
    """Launches, each of which takes a place for so many seconds."""

    __slots__ = ("_launches", "alarm_at")

    def __init__(self, family: Family, name: str) -> None:
        super().__init__(family, name)
        self._launches: list[tuple[float, str]] = []
        #: When somebody is going to call ``expire``.
        self.alarm_at: float | None = None

    @property
    def holders(self) -> tuple[str, ...]:
        return tuple(run_id for _, run_id in self._launches)

    def held_by(self, run_id: str) -> int:
        return sum(launched == run_id for _, launched in self._launches)

    @property
    def frees_at(self) -> float | None:
        """When the oldest launch stops to count; None without any."""
        return self._launches[0][0] + self._seconds if self._launches else None

    @property
    def room_at(self) -> float | None:
        """When one launch more is allowed, if nothing is launched before; None: now, or never."""
        limit = self.group.limit
        if not limit or self.used < limit:
            return None
        return self._launches[self.used - limit][0] + self._seconds

    def launched(self, run_id: str, at: float) -> None:
        insort(self._launches, (at, run_id))
        self.used = len(self._launches)

    def not_launched(self, run_id: str, at: float) -> None:
        place = bisect_left(self._launches, (at, run_id))
        if self._launches[place : place + 1] == [(at, run_id)]:
            del self._launches[place]
            self.used = len(self._launches)

    def forget_launches(self) -> None:
        self._launches.clear()
        self.used = 0

    def expire(self, now: float) -> None:
        """Launches that are older than the period count no more."""
        over = 0
        while over < len(self._launches) and self._launches[over][0] + self._seconds <= now:
            over += 1
        del self._launches[:over]
        self.used = len(self._launches)

    @property
    def _seconds(self) -> float:
        return self.group.seconds or 0.0


class ShareSlots(Slots):
    """What the active runs of one value of the fair share's key hold."""

    __slots__ = ("_weight_of",)

    def __init__(self, family: Family, name: str, weight_of: Callable[[str], float]) -> None:
        super().__init__(family, name)
        self._weight_of = weight_of

    @property
    def level(self) -> float:
        """The places in use for its weight: the lowest goes first."""
        weight = self._weight_of(self.name)
        return self.used / weight if weight > 0 else float("inf")

    def full_for(self, amount: int) -> bool:  # noqa: ARG002
        return False

    def behind(self) -> list[Node]:
        return list(self.nodes.values())
