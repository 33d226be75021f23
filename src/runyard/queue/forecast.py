"""Forecast: in which order queued runs will start, and when, by running admission over the durations of runs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from heapq import heappop, heappush

import msgspec

from ..core.queue import ActiveRun
from .admission import Admission
from .lanes import parse_lane

#: How many runs are forecast.
FORECAST = 1000


class Forecast(msgspec.Struct, frozen=True):
    """``position`` counts from 1. ``start`` is None when it depends on a run whose duration is not known."""

    position: int
    start: float | None


def forecast(
    admission: Admission,
    active: Iterable[ActiveRun],
    *,
    launched: Iterable[str],
    now: float,
    durations: Mapping[str, float],
) -> dict[str, Forecast]:
    """Let time pass over ``admission``, which knows all that is queued and is used up by this.

    A run lasts as long as runs of its job do. Those without a known duration end after all others, in the order in
    which they started, and whatever starts from then on has a position and no time.

    Args:
        admission: everything queued and active; ``launched`` is taken from it already.
        active: the runs that were active before that.
        launched: runs that start now, in this order.
        now: seconds since the epoch.
        durations: seconds that a run of each job lasts; jobs left out are not known.
    """
    future = _Future(admission, now, durations)
    for run in sorted(active, key=lambda run: run.since):
        future.ends(run.run_id, run.lane, since=run.since)
    for run_id in launched:
        future.starts(run_id)
    future.pass_time()
    return future.found


class _Future:
    def __init__(self, admission: Admission, now: float, durations: Mapping[str, float]) -> None:
        self.found: dict[str, Forecast] = {}
        self._admission = admission
        self._durations = durations
        self._now = now
        self._time: float | None = now
        self._ends: list[tuple[float, int, str]] = []
        self._endless: deque[str] = deque()

    def starts(self, run_id: str) -> None:
        self.found[run_id] = Forecast(len(self.found) + 1, self._time)
        lane = self._admission.lane_of(run_id)
        self._admission.started(run_id)
        self.ends(run_id, lane, since=self._time)

    def ends(self, run_id: str, lane: str, *, since: float | None) -> None:
        """Note when a run will be over: at once when it has lasted longer than others of its job do."""
        seconds = self._durations.get(parse_lane(lane).job)
        if seconds is None or since is None:
            self._endless.append(run_id)
        else:
            heappush(self._ends, (max(self._now, since + seconds), len(self.found), run_id))

    def pass_time(self) -> None:
        self._launch()
        while len(self.found) < FORECAST and (ended := self._next_end()) is not None:
            self._admission.release(ended)
            self._launch()

    def _next_end(self) -> str | None:
        if self._ends:
            self._time, _, run_id = heappop(self._ends)
            return run_id
        self._time = None
        return self._endless.popleft() if self._endless else None

    def _launch(self) -> None:
        while len(self.found) < FORECAST and (head := self._admission.next()) is not None:
            self.starts(head.run_id)
