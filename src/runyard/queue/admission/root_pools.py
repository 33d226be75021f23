"""Pools at op granularity: steps hold their slots, and runs that are about to begin in them count as if they did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...core.pools import PoolHolder
from .groups import Group
from .slots import Slots

if TYPE_CHECKING:
    from .families import RootsFamily
    from .tree import Node

#: Seconds after its start for which a run counts as about to begin its first steps (the field's).
ROOT_GRACE = 5.0


class PoolUse:
    """One pool: the slots of steps, and those that runs need which are about to begin in it.

    A run that holds a step slot counts with that and not with what it was about to need.
    """

    __slots__ = ("_beginning", "_steps", "buffer", "composites", "group", "used")

    def __init__(self, group: Group, buffer: int) -> None:
        self.group = group
        self.buffer = buffer
        self.used = 0
        #: Sets of root pools that it is one of, which lanes wait for.
        self.composites: dict[RootSlots, None] = {}
        self._steps: dict[str, int] = {}
        self._beginning: dict[str, int] = {}

    @property
    def full(self) -> bool:
        group = self.group
        return group.limit is not None and self.used - self.buffer >= group.limit

    @property
    def holders(self) -> tuple[str, ...]:
        """Runs whose steps hold slots, then those that are about to begin."""
        return tuple({**self._steps, **self._beginning})

    def set_steps(self, holders: Iterable[PoolHolder]) -> None:
        self._steps = {}
        for holder in holders:
            self._steps[holder.run_id] = self._steps.get(holder.run_id, 0) + holder.slots
        beginning = sum(slots for run_id, slots in self._beginning.items() if run_id not in self._steps)
        self.used = sum(self._steps.values()) + beginning

    def begin(self, run_id: str, slots: int) -> None:
        self._beginning[run_id] = slots
        if run_id not in self._steps:
            self.used += slots

    def begun(self, run_id: str) -> None:
        slots = self._beginning.pop(run_id, 0)
        if run_id not in self._steps:
            self.used -= slots

    def behind(self) -> list[Node]:
        return [node for composite in self.composites for node in composite.behind()]


class RootSlots(Slots):
    """The pools that a run begins in: no room when all of them are full."""

    __slots__ = ("pools",)

    family: RootsFamily

    def __init__(self, family: RootsFamily, name: str, pools: Iterable[PoolUse]) -> None:
        super().__init__(family, name)
        self.pools = tuple(pools)

    def full_for(self, amount: int) -> bool:  # noqa: ARG002
        return bool(self.pools) and all(pool.full for pool in self.pools)

    @property
    def idle(self) -> bool:
        return not self.nodes

    @property
    def holders(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(run_id for pool in self.pools for run_id in pool.holders))
