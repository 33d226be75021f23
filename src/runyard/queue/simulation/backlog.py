"""Queued runs in memory: what storage is to the queue's leader, for admission that runs without storage."""

from __future__ import annotations

from heapq import heappop, heappush

from ...core.queue import QueueHead
from ..admission.admission import Admission

_Place = tuple[int, int, str]


class Backlog:
    """Feeds an admission with the head of each lane and takes from it the runs that may start."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._lanes: dict[str, list[_Place]] = {}
        self._lane_of: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._lane_of)

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._lane_of

    def add(self, head: QueueHead) -> None:
        waiting = self._lanes.setdefault(head.lane, [])
        heappush(waiting, (-head.priority, head.seq, head.run_id))
        self._lane_of[head.run_id] = head.lane
        if waiting[0][2] == head.run_id:
            self._feed(head.lane)

    def remove(self, run_id: str) -> None:
        """A queued run is queued no longer."""
        self._feed(self._lane_of.pop(run_id))

    def next(self) -> QueueHead | None:
        """Take the next run that may start; it holds its slots from now on. None when there is none."""
        head = self._admission.next()
        if head is not None:
            del self._lane_of[head.run_id]
            self._feed(head.lane)
        return head

    def _feed(self, lane: str) -> None:
        """Tell the admission which run is the lane's first now."""
        waiting = self._lanes[lane]
        while waiting and waiting[0][2] not in self._lane_of:
            heappop(waiting)
        if not waiting:
            del self._lanes[lane]
            self._admission.set_heads(lane, (), more=False)
            return
        np, seq, run_id = waiting[0]
        self._admission.set_heads(lane, [QueueHead(run_id, lane, -np, seq)], more=len(waiting) > 1)
