"""Forecast: in which order queued runs will start, and when, by running admission over the durations of runs."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Protocol

import msgspec

from ...core.queue import QueueHead
from ..admission.admission import Admission
from ..lanes import parse_lane
from .state import QueueState, by_pool, open_locations

#: How many runs are forecast.
FORECAST = 1000


class Reader(Protocol):
    """What ``operations.queue.feed.QueueFeed`` is to a forecast."""

    @property
    def locations(self) -> set[str]:
        """Those of the lanes that were read."""
        ...

    @property
    def complete(self) -> bool:
        """Nothing of the queue was left unread that could start before what was read."""
        ...

    def refill(self) -> bool:
        """Read what ``Admission.next`` needs to go on; False: it has it, or gets no more."""
        ...

    def took(self, head: QueueHead) -> None:
        """The forecast has started this run: it is not to be read again, although storage has it queued."""
        ...


class Start(msgspec.Struct, frozen=True):
    """That a run starts. ``at`` is None when it depends on a run whose duration is not known.

    ``ends``: how many runs end before it, also those that it does not wait for.
    """

    head: QueueHead
    at: float | None
    ends: int = 0


class Forecast:
    """Lets time pass over an Admission, as far as it is asked to, and uses it up.

    A run lasts as long as runs of its job usually do; one that has lasted longer ends now. Those without a known
    duration end after all others, in the order in which they started, and whatever starts from then on has no time.
    ``starts`` begins with the ``immediate`` runs that admission launches now.
    """

    def __init__(self, admission: Admission, state: QueueState, reader: Reader) -> None:
        """``admission`` is that of ``state``, with what ``reader`` has read to begin with."""
        self.starts: list[Start] = []
        #: Nothing that is known starts after ``starts``; runs that were not looked at may.
        self.over = False
        self._places: dict[str, int] = {}
        self._admission = admission
        self._reader = reader
        self._state = state
        self._clock = state.now
        self._timed = True
        self._ended = 0
        self._ends: list[tuple[float, int, str]] = []
        self._endless: deque[str] = deque()
        self._steps = by_pool(state.holders)
        self._opened: set[str] = set()
        self._immediately = True
        self._open(state.locations.keys() | reader.locations)
        for run in sorted(state.active, key=lambda run: run.since):
            self._expect_end(run.run_id, run.lane, run.since)
        while self._launch():
            pass
        self.immediate = len(self.starts)
        # A launcher is busy for milliseconds, which no estimate needs.
        self._immediately = False
        self._open(self._opened)

    @property
    def complete(self) -> bool:
        """No run but those of ``starts`` starts until somebody acts."""
        return self.over and self._reader.complete

    def reach(self, count: int) -> None:
        """Look ahead until ``count`` starts are known, or there are no more."""
        while len(self.starts) < count and self._advance():
            pass

    def find(self, run_id: str) -> int | None:
        """Look ahead until the run starts; its index in ``starts``, None when it is not among the first 1,000."""
        while run_id not in self._places and self._advance():
            pass
        return self._places.get(run_id)

    # -- inside -----------------------------------------------------------------------------------------------

    def _advance(self) -> bool:
        while not self.over and len(self.starts) < FORECAST:
            if self._launch():
                return True
            self.over = not self._pass_time()
        return False

    def _launch(self) -> bool:
        if len(self.starts) >= FORECAST:
            return False
        while (head := self._admission.next()) is None:
            if not self._reader.refill():
                return False
            self._open(self._reader.locations - self._opened)
        self._reader.took(head)
        at = self._clock if self._timed else None
        self._places[head.run_id] = len(self.starts)
        self.starts.append(Start(head, at, self._ended))
        self._expect_end(head.run_id, head.lane, at)
        return True

    def _open(self, names: set[str]) -> None:
        """Say of locations whether they launch, before anything of them may."""
        self._opened |= names
        open_locations(self._admission, self._state, names, with_capacity=self._immediately)

    def _expect_end(self, run_id: str, lane: str, since: float | None) -> None:
        seconds = self._state.durations.get(parse_lane(lane).job)
        if seconds is None or since is None:
            self._endless.append(run_id)
        else:
            heappush(self._ends, (max(self._clock, since + seconds), len(self.starts), run_id))

    def _pass_time(self) -> bool:
        """To the next moment at which anything changes; False: there is none."""
        event = self._admission.next_event()
        end = self._ends[0][0] if self._ends else None
        if event is not None and (end is None or event <= end):
            self._clock = max(self._clock, event)
            self._admission.pass_time(self._clock)
        elif end is not None:
            self._clock = max(self._clock, end)
            self._admission.pass_time(self._clock)
            self._end(heappop(self._ends)[2])
        elif self._endless:
            self._timed = False
            self._end(self._endless.popleft())
        else:
            return False
        return True

    def _end(self, run_id: str) -> None:
        self._ended += 1
        self._admission.release(run_id)
        for pool, holders in self._steps.items():
            left = [holder for holder in holders if holder.run_id != run_id]
            if len(left) < len(holders):
                self._steps[pool] = left
                self._admission.set_pool_holders(pool, left)
