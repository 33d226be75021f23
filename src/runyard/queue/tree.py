"""The tree of waiting lanes: finds the first run in order that no full group holds back.

A lane hangs below one node for each of its groups, the most widely shared on top: run slots, location, launcher, tag
rules. A node offers its parent the best of what is below it, and nothing while its group is full. So a group that fills
hides everything that waits for it at once, a slot that comes free shows it again at a cost of O(log), and lanes never
move. The order of levels matters for cost only: a group has one node for each combination of the groups above it.

Offers in a parent's heap are lower bounds, mended when they come to the top: what moves forward is announced at once,
what moves back is found out when it is looked at.
"""

from __future__ import annotations

from collections import deque
from heapq import heapify, heappop, heappush
from itertools import count

from ..core.queue import QueueHead
from .slots import Slots

#: Order of runs: the smaller one goes first.
Key = tuple[int, int]
BEFORE_ALL: Key = (-(2**63), 0)
#: How many outdated offers a heap may hold besides as many as it has children.
_SLACK = 16

_serial = count()


def key_of(head: QueueHead) -> Key:
    """The place of a run in the order of the queue: priority first, then who was enqueued first."""
    return (-head.priority, head.seq)


class Leaf:
    """A lane: its known heads in order, and from where on storage may hold more that are not known."""

    __slots__ = ("heads", "lane", "listed", "parent", "path", "unknown_from")

    def __init__(self, lane: str) -> None:
        self.lane = lane
        self.heads: deque[QueueHead] = deque()
        #: No unknown run of the lane comes before this key; None: all of them are known.
        self.unknown_from: Key | None = None
        #: The slots that its runs need.
        self.path: tuple[Slots, ...] = ()
        self.parent: Node | None = None
        self.listed: Key | None = None

    hidden = False

    def first(self) -> Key | None:
        """Where the lane's next run is in the order, or may be."""
        return key_of(self.heads[0]) if self.heads else self.unknown_from


class Node:
    """The lanes below it all belong to the group of its slots. ``slots`` is None for the root alone."""

    __slots__ = ("children", "listed", "offers", "parent", "slots")

    def __init__(self, slots: Slots | None = None, parent: Node | None = None) -> None:
        self.slots = slots
        self.parent = parent
        #: Nodes by the id of their group, leaves by their lane.
        self.children: dict[str, Node | Leaf] = {}
        #: Under which key the parent's heap holds this node; None when it does not.
        self.listed: Key | None = None
        self.offers: list[tuple[Key, int, Node | Leaf]] = []

    @property
    def hidden(self) -> bool:
        return self.slots is not None and self.slots.full

    def first(self) -> Key | None:
        """The key of the first run below that no full group holds back."""
        if self.hidden:
            return None
        while self.offers:
            key, _, child = self.offers[0]
            actual = child.first() if child.listed == key else None
            if actual == key:
                return key
            heappop(self.offers)
            if child.listed == key:
                self._relist(child, actual)
        return None

    def best(self) -> Leaf | None:
        """The lane of that run."""
        node: Node | Leaf = self
        if self.first() is None:
            return None
        while isinstance(node, Node):
            # ``first`` has just mended the top of every heap on this way down.
            node = node.offers[0][2]
        return node

    def offer(self, child: Node | Leaf, key: Key) -> None:
        """List ``child`` under ``key``; an offer that it made before is outdated from now on."""
        if len(self.offers) > 2 * len(self.children) + _SLACK:
            self._forget_outdated()
        child.listed = key
        heappush(self.offers, (key, next(_serial), child))

    def _relist(self, child: Node | Leaf, key: Key | None) -> None:
        child.listed = key
        if key is not None:
            heappush(self.offers, (key, next(_serial), child))

    def _forget_outdated(self) -> None:
        """Drop offers that are outdated, so that lanes which come and go under a full group leave nothing behind."""
        self.offers = [
            (child.listed, next(_serial), child) for child in self.children.values() if child.listed is not None
        ]
        heapify(self.offers)


def announce(place: Node | Leaf) -> None:
    """Tell the nodes above that what ``place`` offers may have moved forward."""
    key = place.first()
    while key is not None and place.parent is not None:
        if place.listed is not None and place.listed <= key:
            return
        place.parent.offer(place, key)
        place = place.parent
        if place.hidden:
            # It is announced anew when it is no longer full.
            return


class LaneTree:
    """Lanes below the groups that they need."""

    def __init__(self) -> None:
        self._root = Node()
        self._nodes: dict[str, dict[Node, None]] = {}

    def best(self) -> Leaf | None:
        """The lane whose next run is the first admissible one; a lane that is not fully known may be it."""
        return self._root.best()

    def attach(self, leaf: Leaf, path: tuple[Slots, ...]) -> None:
        """Hang a lane below its groups, the most widely shared first."""
        leaf.path, node = path, self._root
        for slots in path:
            node = self._child(node, slots)
        node.children[leaf.lane] = leaf
        leaf.parent, leaf.listed = node, None
        announce(leaf)

    def detach(self, leaf: Leaf) -> list[str]:
        """Take a lane out, and the nodes that it leaves empty; returns the groups that no node is left of."""
        node, name = leaf.parent, leaf.lane
        leaf.parent, leaf.listed = None, None
        forgotten = []
        while node is not None:
            del node.children[name]
            if node.children or node.slots is None:
                break
            name = node.slots.group.id
            node.listed = None
            del self._nodes[name][node]
            if not self._nodes[name]:
                del self._nodes[name]
                forgotten.append(name)
            node = node.parent
        return forgotten

    def reopen(self, group_id: str) -> None:
        """A group is no longer full: show again what waits below it."""
        for node in self._nodes.get(group_id, ()):
            announce(node)

    def has(self, group_id: str) -> bool:
        return group_id in self._nodes

    def _child(self, node: Node, slots: Slots) -> Node:
        found = node.children.get(slots.group.id)
        if isinstance(found, Node):
            return found
        made = node.children[slots.group.id] = Node(slots, node)
        self._nodes.setdefault(slots.group.id, {})[made] = None
        return made
