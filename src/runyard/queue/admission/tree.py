"""The tree of waiting lanes: finds the first run in order that no full group above it holds back.

A lane hangs below a node for each of some of the groups that it needs, the ones with few siblings on top. A node offers
its parent the best of what is below it, and nothing while its group is full. So a group that fills hides at once all
that waits for it, a slot that comes free shows it again at a cost of O(log), and lanes rarely move. Runs that take
different numbers of places have nodes of their own, because a group may be full for one and not for the other. Which
nodes a lane hangs below matters for cost only: whoever takes the best lane checks all its groups, and hangs it deeper
when one is full.

Offers in a parent's heap are lower bounds, mended when they come to the top: what moves forward is announced at once,
what moves back is found out when it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush, heapreplace
from typing import Any, Union

from ...core.queue import QueueHead
from .slots import ShareSlots, Slots

#: The place of a run in the order of the queue, as one number: the smaller one goes first.
Key = int
_SEQS = 64
_SEQ = (1 << _SEQS) - 1
#: A place that both databases take for a number of 64 bits.
BEFORE_ALL: Key = -(1 << 62 + _SEQS)
#: How many outdated offers a heap may hold besides as many as it has children.
_SLACK = 16

#: Above the nodes of a fair share: priority, what the share's value holds, seq. Below them: a key.
Offer = Union[Key, "tuple[int, float, int]"]
#: A group with how many of its places a run takes.
Step = tuple[Slots, int]


def key_of(head: QueueHead) -> Key:
    """The place of a run in the order of the queue: priority first, then who was enqueued first."""
    return place_key(-head.priority, head.seq)


def place_key(negative_priority: int, seq: int) -> Key:
    return (negative_priority << _SEQS) + seq


def place_of(key: Key) -> tuple[int, int]:
    """(-priority, seq)"""
    return key >> _SEQS, key & _SEQ


def negative_priority(key: Key) -> int:
    return key >> _SEQS


class Leaf:
    """A lane: its known heads in order, and from where on storage may hold more that are not known."""

    __slots__ = ("head", "key", "lane", "listed", "needs", "parent", "rest", "unknown_from")

    hidden = False

    def __init__(self, lane: str) -> None:
        self.lane = lane
        #: The first known head, and those behind it: most lanes have one.
        self.head: QueueHead | None = None
        self.rest: tuple[QueueHead, ...] = ()
        #: No unknown run of the lane comes before this key; None: all of them are known.
        self.unknown_from: Key | None = None
        #: Where the lane's next run is in the order, or may be; None: nothing is queued in it.
        self.key: Key | None = None
        #: What its runs need, once somebody has computed it.
        self.needs: tuple[Any, ...] | None = None
        self.parent: Node | None = None
        self.listed: Offer | None = None

    def __lt__(self, other: object) -> bool:
        return False

    def first(self) -> Key | None:
        return self.key

    @property
    def known(self) -> tuple[QueueHead, ...]:
        return () if self.head is None else (self.head, *self.rest)

    def set(self, heads: Iterable[QueueHead], unknown_from: Key | None) -> None:
        known = tuple(heads)
        self.head, self.rest = (known[0], known[1:]) if known else (None, ())
        self.unknown_from = unknown_from
        self._note_key()

    def add(self, head: QueueHead, *, most: int) -> None:
        """One more head, behind those that are known; beyond ``most`` it is left to be read again."""
        key = key_of(head)
        last = self.rest[-1] if self.rest else self.head
        if self.unknown_from is not None or (last is not None and key_of(last) >= key):
            return
        if last is None:
            self.head = head
        elif len(self.rest) + 1 < most:
            self.rest = (*self.rest, head)
        else:
            self.unknown_from = key
        self._note_key()

    def pop(self) -> QueueHead:
        """Take the first head; there must be one."""
        head = self.head
        assert head is not None  # noqa: S101
        self.head, self.rest = (self.rest[0], self.rest[1:]) if self.rest else (None, ())
        self._note_key()
        return head

    def _note_key(self) -> None:
        self.key = self.unknown_from if self.head is None else key_of(self.head)


class Node:
    """All lanes below it need ``amount`` places of its slots."""

    __slots__ = ("amount", "listed", "offers", "parent", "size", "slots")

    def __init__(self, slots: Slots, amount: int, parent: Node | None = None) -> None:
        self.slots = slots
        self.amount = amount
        self.parent = parent
        #: How many lanes and nodes hang on it.
        self.size = 0
        #: Under which offer the parent's heap holds this node; None when it does not.
        self.listed: Offer | None = None
        self.offers: list[tuple[Offer, Node | Leaf]] = []

    def __lt__(self, other: object) -> bool:
        return False

    @property
    def hidden(self) -> bool:
        return self.slots.full_for(self.amount)

    def first(self) -> Offer | None:
        """The offer of the first run below that no full group holds back."""
        if self.slots.full_for(self.amount):
            return None
        offers = self.offers
        while offers:
            offer, child = offers[0]
            if child.listed != offer or child.parent is not self:
                heappop(offers)
                continue
            actual = child.first()
            if actual == offer:
                return offer
            child.listed = actual
            if actual is None:
                heappop(offers)
                continue
            mended = (actual, child)
            heapreplace(offers, mended)
            if offers[0] is mended:
                # Still the first, and just asked: asking again at every level would double the work with each.
                return actual
        return None

    def best(self) -> Leaf | None:
        """The lane of that run."""
        if self.first() is None:
            return None
        place: Node | Leaf = self
        while isinstance(place, Node):
            # ``first`` has just mended the top of every heap on this way down.
            place = place.offers[0][1]
        return place

    def lift(self, offer: Offer) -> Offer:
        """What the node offers its parent when ``offer`` is the best below it."""
        return offer

    def offer(self, child: Node | Leaf, offer: Offer) -> None:
        """List ``child``; an offer that it made before is outdated from now on."""
        if len(self.offers) > 2 * self.size + _SLACK:
            self._forget_outdated()
        child.listed = offer
        heappush(self.offers, (offer, child))

    def _forget_outdated(self) -> None:
        """Drop outdated offers, so that lanes which come and go under a full group leave nothing behind."""
        valid = {
            child: (offer, child) for offer, child in self.offers if child.listed == offer and child.parent is self
        }
        self.offers = list(valid.values())
        heapify(self.offers)


class ShareNode(Node):
    """A node of a fair share: the lanes below it hold so much for their weight together."""

    __slots__ = ()

    slots: ShareSlots

    def first(self) -> Offer | None:
        offer = super().first()
        return None if offer is None else self.lift(offer)

    def lift(self, offer: Offer) -> Offer:
        return (offer >> _SEQS, self.slots.level, offer & _SEQ) if isinstance(offer, int) else offer


def announce(place: Node | Leaf) -> None:
    """Tell the nodes above that what ``place`` offers may have moved forward."""
    offer = place.first()
    while offer is not None and place.parent is not None:
        if place.listed is not None and place.listed <= offer:  # type: ignore[operator]
            return
        place.parent.offer(place, offer)
        place = place.parent
        if place.hidden:
            # It is announced anew when it is no longer full.
            return
        offer = place.lift(offer)


class LaneTree:
    """Lanes below groups that they need."""

    def __init__(self, top: Slots) -> None:
        """Everything waits below ``top``."""
        self._root = Node(top, 1)
        top.nodes = {(self._root, 1): self._root}

    def best(self) -> Leaf | None:
        """The lane whose next run is the first that no node hides; a lane that is not fully known may be it."""
        return self._root.best()

    def attach(self, leaf: Leaf, path: Iterable[Step]) -> None:
        node = self._root
        for slots, amount in path:
            node = slots.nodes.get((node, amount)) or _grow(node, slots, amount)
        node.size += 1
        leaf.parent, leaf.listed = node, None
        announce(leaf)

    def detach(self, leaf: Leaf) -> list[Slots]:
        """Take a lane out, and the nodes that it leaves empty; returns the slots that lost a node."""
        node, leaf.parent, leaf.listed = leaf.parent, None, None
        left = []
        while node is not None:
            node.size -= 1
            parent = node.parent
            if node.size or parent is None:
                break
            # Not there any more when all lanes are being hung anew.
            node.slots.nodes.pop((parent, node.amount), None)
            left.append(node.slots)
            node.parent, node.listed, node = None, None, parent
        return left


def path_of(leaf: Leaf) -> set[Slots | None]:
    """The slots that the lane hangs below."""
    found: set[Slots | None] = set()
    node = leaf.parent
    while node is not None:
        found.add(node.slots)
        node = node.parent
    return found


def _grow(parent: Node, slots: Slots, amount: int) -> Node:
    kind = ShareNode if isinstance(slots, ShareSlots) else Node
    made = slots.nodes[parent, amount] = kind(slots, amount, parent)
    parent.size += 1
    return made
