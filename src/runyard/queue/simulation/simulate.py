"""Admission on a virtual clock: when each of many runs would be launched under given rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

import msgspec

from ...core.queue import ActiveRun, QueueHead
from ...core.run import RunStatus
from ..admission.admission import Admission
from ..lanes import lane_key
from ..overlap import cancels, overlap_rule, refusal
from ..rules import Rules
from .arrivals import Arrival
from .backlog import Backlog
from .metering import Meter, Meters
from .timeline import Timeline

#: After so many events ``progress`` is told.
_STRIDE = 500


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the arrivals. Times are those of the arrivals' clock."""

    #: Run id → when it was launched, in the order of launches; those that were active from the start are left out.
    launched: dict[str, float]
    #: Run ids, by overlap policies.
    refused: tuple[str, ...]
    canceled: tuple[str, ...]
    #: When the last run ended.
    end: float
    queued: Timeline
    active: Timeline
    limits: tuple[Meter, ...]


def simulate(
    arrivals: Sequence[Arrival],
    rules: Rules,
    *,
    start: float = 0.0,
    progress: Callable[[int], None] = lambda _: None,
) -> Outcome:
    """Let runs come, be launched and end until nothing more can happen.

    At one moment runs end first, then others come in the order of ``arrivals``, then whatever may start is launched. A
    launch takes no time. At op granularity a run holds what it begins with of pools for as long as it lasts.

    Args:
        arrivals: by ``at``; those before ``start`` are there from the beginning.
        rules: the limits.
        start: when the simulation begins.
        progress: told now and then how many runs have ended.
    """
    simulation = _Simulation(arrivals, rules, start)
    simulation.run(progress)
    return simulation.outcome()


class _Run(msgspec.Struct):
    arrival: Arrival
    seq: int
    lane: str


class _Simulation:
    def __init__(self, arrivals: Sequence[Arrival], rules: Rules, start: float) -> None:
        self._arrivals = arrivals
        self._rules = rules
        self._now = start
        self._tracked = rules.tracked_keys
        self._admission = Admission(rules, now=start)
        self._backlog = Backlog(self._admission)
        self._meters = Meters(self._admission)
        self._come = 0
        self._runs: dict[str, _Run] = {}
        #: Per (job, location) that has an overlap policy: its runs that are queued or active.
        self._others: dict[tuple[str, str], dict[str, None]] = {}
        self._ends: list[tuple[float, int, str]] = []
        self._active: dict[str, None] = {}
        self._end = start
        self._ended = 0
        self._launched: dict[str, float] = {}
        self._refused: list[str] = []
        self._canceled: list[str] = []
        self._queued_line, self._active_line = Timeline(), Timeline()

    def run(self, progress: Callable[[int], None]) -> None:
        while (now := self._next_time()) is not None:
            self._now = max(self._now, now)
            self._admission.pass_time(self._now)
            self._end_runs(progress)
            self._let_come()
            self._launch()
            self._queued_line.put(self._now, len(self._backlog))
            self._active_line.put(self._now, len(self._active))
        progress(len(self._arrivals))

    def outcome(self) -> Outcome:
        return Outcome(
            launched=self._launched,
            refused=tuple(self._refused),
            canceled=tuple(self._canceled),
            end=self._end,
            queued=self._queued_line,
            active=self._active_line,
            limits=self._meters.finished(),
        )

    def _next_time(self) -> float | None:
        times = [self._ends[0][0]] if self._ends else []
        if self._come < len(self._arrivals):
            times.append(self._arrivals[self._come].at)
        event = self._admission.next_event() if len(self._backlog) else None
        if event is not None:
            times.append(event)
        return min(times, default=None)

    # Runs end

    def _end_runs(self, progress: Callable[[int], None]) -> None:
        while self._ends and self._ends[0][0] <= self._now:
            run_id = heappop(self._ends)[2]
            if run_id in self._active:
                self._end_run(run_id)
                self._ended += 1
                if self._ended % _STRIDE == 0:
                    progress(self._ended)

    def _end_run(self, run_id: str) -> None:
        self._admission.release(run_id)
        del self._active[run_id]
        run = self._runs.pop(run_id)
        self._meters.ended(run.lane, self._now)
        self._forget(run.arrival)
        self._end = self._now

    # Runs come

    def _let_come(self) -> None:
        while self._come < len(self._arrivals) and self._arrivals[self._come].at <= self._now:
            self._comes(self._arrivals[self._come], self._come)
            self._come += 1

    def _comes(self, arrival: Arrival, seq: int) -> None:
        if arrival.launched_at is None and not self._may_overlap(arrival):
            self._refused.append(arrival.run_id)
            return
        lane = lane_key(
            self._tracked,
            location_name=arrival.location_name,
            job_name=arrival.job_name,
            tags=arrival.tags,
            pools=arrival.pools,
        )
        self._runs[arrival.run_id] = _Run(arrival, seq, lane)
        if arrival.launched_at is not None:
            status = RunStatus.STARTING
            self._admission.occupy(ActiveRun(arrival.run_id, lane, status, since=arrival.launched_at))
            self._becomes_active(arrival.run_id, arrival.launched_at)
        else:
            self._backlog.add(QueueHead(arrival.run_id, lane, arrival.priority, seq))

    def _may_overlap(self, arrival: Arrival) -> bool:
        """Obey the overlap policy of the job: False when it refuses the run."""
        rule = overlap_rule(self._rules.overlaps, job_name=arrival.job_name, location_name=arrival.location_name)
        if rule is None:
            return True
        others = self._others.setdefault((arrival.job_name, arrival.location_name), {})
        active = sum(run_id in self._active for run_id in others)
        if refusal(rule, queued=len(others) - active, active=active) is not None:
            return False
        if cancels(rule):
            for run_id in list(others):
                self._cancel(run_id)
        others[arrival.run_id] = None
        return True

    def _cancel(self, run_id: str) -> None:
        self._canceled.append(run_id)
        if run_id in self._active:
            self._end_run(run_id)
        else:
            self._backlog.remove(run_id)
            self._forget(self._runs.pop(run_id).arrival)

    def _forget(self, arrival: Arrival) -> None:
        self._others.get((arrival.job_name, arrival.location_name), {}).pop(arrival.run_id, None)

    # Runs start

    def _launch(self) -> None:
        while (head := self._backlog.next()) is not None:
            self._launched[head.run_id] = self._now
            self._becomes_active(head.run_id, self._now)

    def _becomes_active(self, run_id: str, since: float) -> None:
        run = self._runs[run_id]
        self._active[run_id] = None
        self._meters.launched(run.lane, self._now)
        heappush(self._ends, (max(self._now, since + run.arrival.seconds), run.seq, run_id))
