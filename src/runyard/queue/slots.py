"""Who holds the places of a group."""

from __future__ import annotations

import msgspec

from .groups import Group


class Use(msgspec.Struct, frozen=True):
    """A group and who holds its places, at one moment."""

    group: Group
    holders: tuple[str, ...]


class Slots:
    """A group and the runs that hold its places, in the order in which they took them.

    There may be more holders than places: lowering a limit evicts nobody.
    """

    __slots__ = ("_holders", "group")

    def __init__(self, group: Group) -> None:
        self.group = group
        self._holders: dict[str, None] = {}

    @property
    def full(self) -> bool:
        limit = self.group.limit
        return limit is not None and len(self._holders) >= limit

    @property
    def used(self) -> int:
        return len(self._holders)

    @property
    def holders(self) -> tuple[str, ...]:
        return tuple(self._holders)

    def take(self, run_id: str) -> None:
        self._holders[run_id] = None

    def give_up(self, run_id: str) -> None:
        self._holders.pop(run_id, None)
