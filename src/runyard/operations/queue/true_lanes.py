"""The queue while lanes are still of a time before a key was tracked: what rules say of a run now, not then.

The leader brings lanes up to date in the background, and nobody does while there is none. Whoever explains must not
wait for that: here lanes are computed from the rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from ...core.queue import ActiveRun, Launch, QueueHead
from ...core.run import Run
from ...queue.lanes import lane_key
from ...queue.rules import Rules
from ...storage.protocols import Queue, Runs, RunsFilter

#: Rows that are read, in the order of the queue.
MOST = 1_500


class RunStores(Protocol):
    runs: Runs
    queue: Queue


def true_lane(run: Run, rules: Rules) -> str:
    """The lane that a run is in under these rules."""
    return lane_key(
        rules.tracked_keys, location_name=run.location_name, job_name=run.job_name, tags=run.tags, pools=run.pools
    )


def with_true_lane(run: Run, rules: Rules) -> Run:
    return msgspec.structs.replace(run, lane=true_lane(run, rules))


def true_active(stores: RunStores, rules: Rules) -> list[ActiveRun]:
    """Every run that holds slots, in its lane under these rules."""
    active = stores.queue.active()
    lanes = _true_lanes(stores.runs, [run.run_id for run in active], rules)
    return [msgspec.structs.replace(run, lane=lanes.get(run.run_id, run.lane)) for run in active]


class TrueLanes:
    """``operations.queue.feed.Source``: the first runs in order, each in its lane under these rules."""

    def __init__(self, stores: RunStores, rules: Rules) -> None:
        self._queue = stores.queue
        heads = stores.queue.in_order(None, limit=MOST)
        lanes = _true_lanes(stores.runs, [head.run_id for head in heads], rules)
        self._heads = [msgspec.structs.replace(head, lane=lanes.get(head.run_id, head.lane)) for head in heads]
        self._by_lane: defaultdict[str, list[QueueHead]] = defaultdict(list)
        for head in self._heads:
            self._by_lane[head.lane].append(head)
        #: Nothing is queued behind what was read.
        self.complete = len(heads) < MOST

    def lanes(self, *, after: str = "", limit: int | None = None) -> Sequence[str]:
        return sorted(lane for lane in self._by_lane if lane > after)[:limit]

    def heads(
        self, lanes: Sequence[str], *, per_lane: int = 3, since: Mapping[str, tuple[int, int]] | None = None
    ) -> Sequence[QueueHead]:
        return [
            head for lane in lanes for head in _from(self._by_lane.get(lane, ()), (since or {}).get(lane))[:per_lane]
        ]

    def in_order(self, after: tuple[int, int] | None, *, limit: int) -> Sequence[QueueHead]:
        return [head for head in self._heads if after is None or head.place > after][:limit]

    def active(self) -> Sequence[ActiveRun]:
        return self._queue.active()

    def launches(self, since: float) -> Sequence[Launch]:
        return self._queue.launches(since)


def _from(heads: Iterable[QueueHead], place: tuple[int, int] | None) -> list[QueueHead]:
    return [head for head in heads if place is None or head.place >= place]


def _true_lanes(runs: Runs, run_ids: Sequence[str], rules: Rules) -> dict[str, str]:
    found = runs.list(RunsFilter(run_ids=tuple(run_ids)), limit=len(run_ids)) if run_ids else ()
    return {run.run_id: true_lane(run, rules) for run in found}
