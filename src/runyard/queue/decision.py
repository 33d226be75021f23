"""One pass of admission over rows: what it launches now, and what keeps each of the others back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from ..core.queue import ActiveRun, QueueHead
from ..core.run import Run
from .admission import Admission
from .groups import Group
from .lanes import lane_key
from .rules import Rules
from .slots import Slots, Use
from .tree import BEFORE_ALL, Key, key_of


class Decision:
    """``launched``: runs that start now, in order. ``blocked``: for each other run, the limit that it found full.

    A use shows who held places before the pass, so it may have free ones: those that go to launched runs.
    ``admission`` is in the state after the pass.
    """

    def __init__(
        self,
        waiting: Sequence[Run],
        active: Iterable[ActiveRun],
        rules: Rules,
        *,
        capacity: Mapping[str, int],
        closed: Iterable[str],
    ) -> None:
        """Decide about queued runs.

        Args:
            waiting: the runs in order, without held ones.
            active: every run that holds slots.
            rules: the limits in force.
            capacity: per location, how many runs its launcher starts at a time.
            closed: locations at which nothing starts.
        """
        self.admission = _admission(rules, capacity, closed)
        for run in active:
            self.admission.occupy(run)
        heads = [QueueHead(run.run_id, _lane(run, rules), run.priority, run.queue_seq or 0) for run in waiting]
        _set_heads(self.admission, heads)
        self._slots = {lane: self.admission.slots_of(lane) for lane in {head.lane for head in heads}}
        #: Per group that became full in this pass, which run took its last place.
        self._filled: dict[str, Key] = {}
        self._uses: dict[str, Use] = {}
        self.launched: list[str] = []
        #: Per group, how many of its places go to launched runs.
        self.taken: Counter[str] = Counter()
        self._launch()
        self._launched = frozenset(self.launched)
        self.blocked = {head.run_id: self._found_full(head) for head in heads if head.run_id not in self._launched}

    def use(self, group: Group) -> Use:
        """Who held places in a group before the pass."""
        if group.id not in self._uses:
            holders = self.admission.holders(group.id)
            self._uses[group.id] = Use(group, tuple(run_id for run_id in holders if run_id not in self._launched))
        return self._uses[group.id]

    def _launch(self) -> None:
        while (head := self.admission.next()) is not None:
            self.launched.append(head.run_id)
            for slots in self._slots[head.lane]:
                self.taken[slots.group.id] += 1
                if slots.full:
                    self._filled[slots.group.id] = key_of(head)

    def _found_full(self, head: QueueHead) -> Use:
        """The group to name of those that were full when it was this run's turn; one at least was."""
        turn = key_of(head)
        full = (slots for slots in self._slots[head.lane] if slots.full)
        return self.use(min((s for s in full if self._filled.get(s.group.id, BEFORE_ALL) < turn), key=_weight).group)


def in_order(queued: Iterable[Run]) -> list[Run]:
    """Runs that are not held, in the order of the queue."""
    free = (run for run in queued if not run.held)
    return sorted(free, key=lambda run: (-run.priority, run.queue_seq or 0))


def _weight(slots: Slots) -> int:
    """Of several full groups, which one to name: what needs a person first, then what is likely to last longest."""
    kind = slots.group.kind
    if kind == "location":
        return 0
    if slots.group.limit == 0:
        return 1
    return {"tag": 2, "runs": 3, "launcher": 4}[kind]


def _admission(rules: Rules, capacity: Mapping[str, int], closed: Iterable[str]) -> Admission:
    admission = Admission(rules)
    for location, runs in capacity.items():
        admission.set_capacity(location, runs)
    for location in closed:
        admission.pause_location(location)
    return admission


def _lane(run: Run, rules: Rules) -> str:
    return lane_key(
        rules.tracked_keys,
        location_name=run.location_name,
        job_name=run.job_name,
        tags=run.tags,
        pools=run.pools,
    )


def _set_heads(admission: Admission, heads: Sequence[QueueHead]) -> None:
    # Sorting is stable, so that each lane keeps the order of the queue.
    for lane, members in groupby(sorted(heads, key=lambda head: head.lane), key=lambda head: head.lane):
        admission.set_heads(lane, list(members), more=False)
