"""Why queued runs wait and when they will start: computed from rows by the code that decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ...core.queue import QueueHead
from ...core.run import Run
from ..admission.plan import lane_value
from ..lanes import Lane, parse_lane
from ..overlap import overlap_rule
from ..rules import FairShare, RateRule
from . import reasons
from .decision import Decision, Obstacle
from .entries import QueueEntry
from .forecast import Forecast
from .holders import Holders
from .limits_in_use import share_name
from .overtaking import Overtaken
from .reasons import Line, Reason, Taken
from .state import QueueState

_NOT_OVERTAKEN = Overtaken()
#: The line of those that nothing keeps back.
_NO_GROUP = ""


def explain(
    rows: Sequence[Run],
    forecast: Forecast,
    state: QueueState,
    *,
    positions: Mapping[str, int],
    overtaken: Mapping[str, Overtaken] | None = None,
) -> list[QueueEntry]:
    """An entry for each of ``rows``, in their order.

    Args:
        rows: queued runs, held ones too, as many or few as wanted: what is told about one depends on no other of them.
        forecast: of this state; looks further ahead here when a row of it is not among its starts yet.
        state: what admission obeys.
        positions: the rank of each row that is not held.
        overtaken: what overtook the rows, where that was looked up.
    """
    places = {run.run_id: forecast.find(run.run_id) for run in rows if not run.held}
    why = Explanation(forecast, state, [run for run in rows if not run.held], places)
    return [
        QueueEntry(
            run_id=run.run_id,
            job_name=run.job_name,
            location_name=run.location_name,
            tags=run.tags,
            position=positions.get(run.run_id),
            forecast_position=None if (place := places.get(run.run_id)) is None else place + 1,
            priority=run.priority,
            queued_at=run.queued_at,
            waiting_seconds=max(0.0, state.now - (run.created_at if run.queued_at is None else run.queued_at)),
            estimated_start=None if place is None or not state.daemon_alive else forecast.starts[place].at,
            reason=reasons.held(run.held_by, run.held_reason)
            if run.held
            else why.reason(run, place, positions.get(run.run_id)),
            overtaken=(overtaken or {}).get(run.run_id, _NOT_OVERTAKEN),
        )
        for run in rows
    ]


class Explanation:
    """The obstacles of some runs and of all that start before them, which make the lines that they stand in."""

    def __init__(
        self, forecast: Forecast, state: QueueState, rows: Sequence[Run], places: Mapping[str, int | None]
    ) -> None:
        self._state = state
        self._forecast = forecast
        self._holders = Holders(state)
        last = max((place for place in places.values() if place is not None), default=-1)
        self._starts = [start.head for start in forecast.starts[: max(last + 1, forecast.immediate)]]
        launched = self._starts[: forecast.immediate]
        self._decision = Decision(state, launched)
        others = [head_of(run) for run in rows if places[run.run_id] is None]
        self._obstacles = self._decision.obstacles([*self._starts, *others])
        self._lines = self._count(launched)

    def obstacle(self, run_id: str) -> Obstacle | None:
        """What is in the run's way now; None: nothing is."""
        return self._obstacles.get(run_id)

    def reason(self, run: Run, place: int | None, position: int | None) -> Reason:
        """Why this run waits. ``place``: its index among the starts; ``position``: its rank."""
        obstacle = self.obstacle(run.run_id)
        line = self._line(run, place, position)
        if obstacle is None:
            return reasons.launchable(line) if self._state.daemon_alive else reasons.no_daemon()
        taken = self._taken(obstacle)
        if obstacle.group.limit and obstacle.needs > obstacle.group.limit:
            return reasons.weight(taken)
        if obstacle.group.pause is not None:
            return reasons.paused(obstacle.group.pause, obstacle.group.rule, now=self._state.now)
        return self._limited(run, obstacle, taken, line)

    def _limited(self, run: Run, obstacle: Obstacle, taken: Taken, line: Line) -> Reason:
        kind = obstacle.group.kind
        if kind == "location":
            closed = self._state.at(run.location_name)
            return reasons.unavailable(run.location_name, closed.why_closed or "is closed", until=closed.until)
        if kind == "overlap":
            return reasons.overlap(taken, line, policy=self._policy(run))
        if kind == "rate":
            return reasons.rate_limit(taken, line, _rate(obstacle), free_at=obstacle.free_at, now=self._state.now)
        if kind == "runs":
            return self._run_slots(run, taken, line)
        if kind == "pool":
            return reasons.pool(taken, line, every_root=obstacle.others > 0)
        return reasons.tag_limit(taken, line) if kind == "tag" else reasons.launcher_capacity(taken, line)

    def _run_slots(self, run: Run, taken: Taken, line: Line) -> Reason:
        if line.ahead == 0 and taken.limit and not self._state.daemon_alive:
            return reasons.no_daemon()
        share = self._state.rules.fair_share
        if share is not None and self._passed_by_share(run, share):
            return self._by_share(run, share, taken, line)
        first = None if line.ahead else self._holders.first_to_end(taken.holders)
        return reasons.run_slots(taken, line, priority=run.priority, first=first[0] if first else None)

    def _taken(self, obstacle: Obstacle) -> Taken:
        rule = obstacle.group.rule
        return Taken(
            rule=rule,
            limit=obstacle.group.limit or 0,
            used=obstacle.used,
            needs=obstacle.needs,
            holders=obstacle.holders,
            details=self._holders.of(rule, obstacle.holders),
        )

    # -- lines ------------------------------------------------------------------------------------------------

    def _count(self, launched: Sequence[QueueHead]) -> dict[str, Line]:
        """For each of the starts, how many that take or wait for the same come before it."""
        ahead: Counter[str] = Counter()
        lines: dict[str, Line] = {}
        for head in self._starts:
            obstacle = self._obstacles.get(head.run_id)
            group = _NO_GROUP if obstacle is None else obstacle.group.id
            if len(lines) == len(launched):
                self._taken_now(launched, ahead)
            lines[head.run_id] = Line(ahead[group])
            ahead[group] += 1
        return lines

    def _taken_now(self, launched: Sequence[QueueHead], ahead: Counter[str]) -> None:
        for head in launched:
            for group in self._decision.groups(head.lane):
                ahead[group.id] += 1

    def _line(self, run: Run, place: int | None, position: int | None) -> Line:
        if place is not None:
            return self._lines[run.run_id]
        if self._forecast.complete:
            return Line()
        return Line(max(0, (position or 1) - 1), is_most=True)

    # -- fair share -------------------------------------------------------------------------------------------

    def _passed_by_share(self, run: Run, share: FairShare) -> bool:
        """Whether a run of the same priority and another share starts before it, although it was enqueued later."""
        if run.run_id not in self._lines:
            return False
        mine = lane_value(parse_lane(run.lane or ""), share.key)
        for head in self._starts:
            if head.run_id == run.run_id:
                return False
            same = head.priority == run.priority and head.seq > (run.queue_seq or 0)
            if same and lane_value(parse_lane(head.lane), share.key) != mine:
                return True
        return False

    def _by_share(self, run: Run, share: FairShare, taken: Taken, line: Line) -> Reason:
        value = lane_value(parse_lane(run.lane or ""), share.key)
        lanes: list[Lane] = [parse_lane(active.lane) for active in self._state.active]
        used = sum(lane.weight for lane in lanes if lane_value(lane, share.key) == value)
        name = share_name(share.key, value)
        return reasons.fair_share(taken, line, name=name, used=used, weight=share.weight_of(value))

    def _policy(self, run: Run) -> str:
        rule = overlap_rule(self._state.rules.overlaps, job_name=run.job_name, location_name=run.location_name)
        return "allow" if rule is None else rule.policy


def next_in_line(run: Run, forecast: Forecast, state: QueueState) -> QueueHead | None:
    """The run that goes right before this one to what this one waits for; None when there is none, or no forecast."""
    place = forecast.find(run.run_id)
    why = Explanation(forecast, state, [run], {run.run_id: place})
    mine = why.obstacle(run.run_id)
    if place is None or mine is None:
        return None
    for start in reversed(forecast.starts[:place]):
        other = why.obstacle(start.head.run_id)
        if other is not None and other.group.id == mine.group.id:
            return start.head
    return None


def head_of(run: Run) -> QueueHead:
    """A queued run as admission knows it."""
    return QueueHead(run.run_id, run.lane or "", run.priority, run.queue_seq or 0)


def _rate(obstacle: Obstacle) -> RateRule:
    group = obstacle.group
    return RateRule(key="", limit=group.limit or 0, seconds=group.seconds or 0.0)
