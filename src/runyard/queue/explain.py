"""Why every queued run waits and when it will start: computed from rows by the code that decides."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ..core.queue import ActiveRun
from ..core.run import Run
from . import reasons
from .decision import Decision, in_order
from .forecast import Forecast, forecast
from .groups import Group, run_slots, tag_groups
from .lanes import parse_lane
from .reasons import Reason
from .rules import Rules
from .slots import Use


class QueueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A queued run as the queue's page and ``runyard queue list`` show it. Times are seconds since the epoch."""

    run_id: str
    job_name: str
    #: Rank by priority, then by order of arrival, among the runs that are not held; None for a held one.
    position: int | None
    #: Rank by forecast start; None beyond the first 1,000 and for runs that do not start until somebody acts.
    forecast_position: int | None
    priority: int
    queued_at: float | None
    waiting_seconds: float
    estimated_start: float | None
    reason: Reason


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """A limit, who uses it, and how many queued runs wait for it before anything else."""

    rule: str
    limit: int
    used: int
    holders: tuple[str, ...]
    waiting: int


def explain(
    queued: Sequence[Run],
    active: Sequence[ActiveRun],
    rules: Rules,
    *,
    capacity: Mapping[str, int],
    paused: Mapping[str, float],
    unavailable: Mapping[str, str],
    daemon_alive: bool,
    now: float,
    durations: Mapping[str, float] | None = None,
) -> list[QueueEntry]:
    """Every run of ``queued`` with its place and its reason, in forecast order, then by position, held ones last.

    Args:
        queued: queued runs, held ones too; the first ones in order when they are not all.
        active: every run that holds slots.
        rules: the limits in force.
        capacity: per location, how many runs its launcher starts at a time.
        paused: locations that could not be reached, and until when (seconds since the epoch) they are left alone.
        unavailable: locations that cannot launch, each with a clause that says why: ``fails to load: ImportError: x``.
        daemon_alive: a run queue daemon is there to launch anything.
        now: seconds since the epoch.
        durations: seconds that a run of each job usually lasts; estimates need those of every run that they wait for.
    """
    waiting = in_order(queued)
    decision = Decision(waiting, active, rules, capacity=capacity, closed={*paused, *unavailable})
    why = _reasons(waiting, decision, _closed(paused, unavailable, now), daemon_alive=daemon_alive)
    future = _forecast(decision, active, capacity, now=now, durations=durations or {})
    positions = {run.run_id: rank for rank, run in enumerate(waiting, start=1)}
    entries = [
        QueueEntry(
            run_id=run.run_id,
            job_name=run.job_name,
            position=positions.get(run.run_id),
            forecast_position=coming.position if (coming := future.get(run.run_id)) else None,
            priority=run.priority,
            queued_at=run.queued_at,
            waiting_seconds=max(0.0, now - (run.created_at if run.queued_at is None else run.queued_at)),
            estimated_start=coming.start if coming and daemon_alive else None,
            reason=why.get(run.run_id) or reasons.held(run.held_by, run.held_reason),
        )
        for run in queued
    ]
    return sorted(entries, key=_listed)


def limits_in_use(active: Sequence[ActiveRun], queued: Sequence[Run], rules: Rules) -> list[LimitUse]:
    """Every limit of ``rules``, run slots first; of rules per unique value, the values that somebody uses or waits for.

    A run that several limits keep back waits at the one that its reason names.
    """
    decision = Decision(in_order(queued), active, rules, capacity={}, closed=())
    waiting = Counter(use.group.id for use in decision.blocked.values())
    uses = (decision.use(group) for group in _limits(active, queued, rules))
    return [
        LimitUse(
            rule=use.group.rule,
            limit=use.group.limit,
            used=len(use.holders),
            holders=use.holders,
            waiting=waiting[use.group.id],
        )
        for use in uses
        if use.group.limit is not None
    ]


def _reasons(
    waiting: Iterable[Run], decision: Decision, closed: Mapping[str, str], *, daemon_alive: bool
) -> dict[str, Reason]:
    """The reason of every run that is not held, in the order of the queue, which tells who is ahead in each line."""
    launched = {run_id: rank for rank, run_id in enumerate(decision.launched)}
    ahead = decision.taken.copy()
    found = {}
    for run in waiting:
        use = decision.blocked.get(run.run_id)
        if use is None:
            found[run.run_id] = reasons.launchable(launched[run.run_id], daemon_alive=daemon_alive)
        else:
            found[run.run_id] = _blocked(run, use, ahead[use.group.id], closed, daemon_alive=daemon_alive)
            ahead[use.group.id] += 1
    return found


def _blocked(run: Run, use: Use, ahead: int, closed: Mapping[str, str], *, daemon_alive: bool) -> Reason:
    kind = use.group.kind
    if kind == "location":
        return reasons.unavailable(run.location_name, closed[run.location_name])
    if kind == "tag":
        return reasons.tag_limit(use, ahead)
    if kind == "launcher":
        return reasons.launcher_capacity(use, ahead)
    if ahead == 0 and use.group.limit and not daemon_alive:
        return reasons.launchable(0, daemon_alive=False)
    return reasons.run_slots(use, ahead)


def _closed(paused: Mapping[str, float], unavailable: Mapping[str, str], now: float) -> dict[str, str]:
    """Per location that launches nothing, a clause that says why."""
    left_alone = {
        location: f"could not be reached; tried again in {math.ceil(max(0.0, until - now))} s"
        for location, until in paused.items()
    }
    return {**left_alone, **unavailable}


def _forecast(
    decision: Decision,
    active: Sequence[ActiveRun],
    capacity: Iterable[str],
    *,
    now: float,
    durations: Mapping[str, float],
) -> dict[str, Forecast]:
    # A launcher is busy for milliseconds, which no estimate needs.
    for location in capacity:
        decision.admission.set_capacity(location, None)
    return forecast(decision.admission, active, launched=decision.launched, now=now, durations=durations)


def _limits(active: Iterable[ActiveRun], queued: Iterable[Run], rules: Rules) -> Iterable[Group]:
    """Every limit that there is to show, once each."""
    together = [rule for rule in rules.tag_rules if not rule.per_unique_value]
    tags = [{rule.key: rule.value or ""} for rule in together]
    groups = [run_slots(rules), *(group for tag in tags for group in tag_groups(tag, together))]
    seen = [parse_lane(run.lane).tags for run in active] + [run.tags for run in queued]
    each = {group.id: group for tag in seen for group in tag_groups(tag, rules.tag_rules)}
    return {group.id: group for group in [*groups, *sorted(each.values(), key=lambda group: group.rule)]}.values()


def _listed(entry: QueueEntry) -> tuple[float, float]:
    return (
        math.inf if entry.forecast_position is None else entry.forecast_position,
        math.inf if entry.position is None else entry.position,
    )
