"""The leader's picture of the queue: an Admission that follows storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ...core.events import BEGINNING, Cursor
from ...core.lease import Fence
from ...core.queue import QueueChange, QueueHead
from ...core.run import ACTIVE, RunStatus
from ...operations.queue.feed import QueueFeed
from ...queue.admission.admission import Admission
from ...queue.rules import Rules
from ...storage.protocols import PoolSlots, Queue, Runs
from .handover import Handover

#: With so many lanes at most, all of them are known from the start.
FEW_LANES = 5_000
#: Changes read at a time.
CHANGES = 1000
#: Queued runs whose lanes are computed again in one transaction.
RELANED_AT_ONCE = 500
#: Seconds between deletions of applied changes: a transaction a pass would be one too many.
FORGET_EVERY = 5.0


class MirrorStores(Protocol):
    runs: Runs
    queue: Queue
    pool_slots: PoolSlots


class Mirror:
    """Loaded once by each leader, then told by changes. ``admission`` decides; what it needs read, it gets."""

    def __init__(self, stores: MirrorStores, handover: Handover, *, batch: int) -> None:
        self._stores = stores
        self._handover = handover
        self._batch = batch
        self._cursor: Cursor = BEGINNING
        self._forgot_at = float("-inf")
        #: Queued runs may be left whose lanes are to be computed again.
        self.relaning = True
        self.admission = Admission()
        self.feed = self._feed(self.admission)

    def _feed(self, admission: Admission) -> QueueFeed:
        return QueueFeed(self._stores, admission, batch=self._batch, few_lanes=FEW_LANES)

    def load(self, fence: Fence, now: float) -> None:
        """Read the state; the cursor first, so that what changes meanwhile is applied again, harmlessly."""
        queue = self._stores.queue
        self._cursor = queue.change_head()
        rules = queue.rules()
        self._relane_active(rules, fence)
        self._handover.recover(fence, now)
        self.admission = Admission(rules)
        self.admission.pass_time(now)
        self.feed = self._feed(self.admission)
        self.feed.load_active(now)
        self.feed.load_lanes()

    def follow(self, fence: Fence, now: float) -> None:
        """Apply what has changed since the last look."""
        self.admission.pass_time(now)
        read = CHANGES
        while read == CHANGES:
            changes = self._stores.queue.changes(self._cursor, limit=CHANGES)
            self._apply(changes, fence, now)
            read = len(changes)
        if now - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = now
            self._stores.queue.forget_changes(self._cursor)

    def relane_some(self, fence: Fence) -> None:
        """Go on with computing lanes again after the tracked keys have changed."""
        if self.relaning:
            done = self._stores.queue.relane(fence=fence, rules=self.admission.rules, limit=RELANED_AT_ONCE)
            self.relaning = done > 0

    def relane_runs(self, heads: Sequence[QueueHead], fence: Fence) -> None:
        """Give runs from ``next`` back whose lanes are of another time, and read where they belong now."""
        for head in heads:
            self.admission.give_back(head)
        run_ids = [head.run_id for head in heads]
        moved = self._stores.queue.relane_runs(run_ids, fence=fence, rules=self.admission.rules)
        self.feed.read(sorted({*moved, *(head.lane for head in heads)}))

    def changes_hidden(self) -> bool:
        """Whether an older transaction that is under way keeps changes from being read."""
        return self._stores.queue.changes_hidden(self._cursor)

    # -- changes ----------------------------------------------------------------------------------------------

    def _apply(self, changes: Sequence[QueueChange], fence: Fence, now: float) -> None:
        for change in changes:
            if change.run_id is not None and change.kind == "ended":
                self._ended(change.run_id, change.status)
            elif change.run_id is not None and change.kind == "started":
                self._handover.arrived(change.run_id)
                self.admission.started(change.run_id)
        if any(change.kind == "rules" for change in changes):
            self._obey(self._stores.queue.rules(), fence, now)
        if any(change.kind == "started" and change.status is RunStatus.STARTING for change in changes):
            self.feed.load_active(now)
        if pools := {change.lane for change in changes if change.kind == "pool" and change.lane is not None}:
            self.feed.read_pools(sorted(pools))
        moved = {change.lane for change in changes if change.kind == "lane" and change.lane is not None}
        self.feed.read(sorted(moved))
        if changes:
            self._cursor = changes[-1].cursor

    def _ended(self, run_id: str, status: RunStatus | None) -> None:
        if status is RunStatus.QUEUED and self._is_active(run_id):
            # Given back and claimed again before this was read.
            return
        self._handover.arrived(run_id)
        self.admission.release(run_id)

    def _is_active(self, run_id: str) -> bool:
        run = self._stores.runs.get(run_id)
        return run is not None and run.status in ACTIVE

    def _obey(self, rules: Rules, fence: Fence, now: float) -> None:
        known = self.admission.rules
        if rules.version == known.version:
            return
        regenerated = rules.tracked_keys != known.tracked_keys
        if regenerated:
            self._relane_active(rules, fence)
        # Also when the keys are the same: storage does not go on under rules that are not in force.
        self.relaning = True
        self.admission.set_rules(rules)
        if regenerated or rules.rates != known.rates:
            self.feed.load_active(now)

    def _relane_active(self, rules: Rules, fence: Fence) -> None:
        """Runs that hold slots are few, and storage takes them first."""
        for _ in range(len(self._stores.queue.active()) // RELANED_AT_ONCE + 1):
            self._stores.queue.relane(fence=fence, rules=rules, limit=RELANED_AT_ONCE)
