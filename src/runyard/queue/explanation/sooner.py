"""What would start a run sooner: changes worth trying, and what each comes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ...core.queue import ActiveRun, QueueHead
from ...core.run import Run
from ...core.text import counted, duration
from ..names import shown_key, shown_tag
from ..rules import NO_LIMIT, Rules, TagRule
from .entries import Alternative, AlternativeKind, QueueEntry
from .explain import head_of, next_in_line
from .forecast import Forecast
from .reasons import Holder
from .state import QueueState


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One change to try: ``head`` is the run as it would stand in the queue, ``state`` what would be obeyed."""

    title: str
    state: QueueState
    head: QueueHead | None = None
    priority: int | None = None
    rule: str | None = None
    limit: int | None = None
    canceled: Holder | None = None


def trials(run: Run, entry: QueueEntry, forecast: Forecast, state: QueueState) -> list[Trial]:
    """What to try for a run of the forecast, whose reason says what keeps it back; nothing when nothing does."""
    if entry.forecast_position is None or entry.forecast_position <= forecast.immediate:
        return []
    found = []
    blocking = next_in_line(run, forecast, state)
    if blocking is not None:
        above = max(blocking.priority, run.priority) + 1
        moved = msgspec.structs.replace(head_of(run), priority=above)
        found.append(Trial(title=f"Priority {above}", state=state, head=moved, priority=above))
    rule, limit = entry.reason.rule, entry.reason.limit
    if rule is not None and limit is not None:
        raised = raise_limit(state.rules, rule)
        if raised is not None:
            changed = msgspec.structs.replace(state, rules=raised)
            found.append(Trial(title=f"{rule} limit {limit + 1}", state=changed, rule=rule, limit=limit + 1))
    if entry.reason.holder_details:
        found.append(_cancel(entry.reason.holder_details[0], state))
    return found


class Place(NamedTuple):
    """Where a run comes in a forecast: its position, counted from 1, when it starts, and how many runs end before."""

    position: int
    at: float | None
    ends: int

    @classmethod
    def of(cls, forecast: Forecast, run_id: str) -> Place | None:
        """None for a run that does not start, as far as the forecast looks."""
        index = forecast.find(run_id)
        if index is None:
            return None
        start = forecast.starts[index]
        return cls(index + 1, start.at, start.ends)

    @property
    def text(self) -> str:
        """Without a time there is the order."""
        first = f", once {counted(self.ends, 'run')} {'has' if self.ends == 1 else 'have'} ended"
        return f"position {self.position}{first if self.at is None and self.ends else ''}"


def told(trial: Trial | None, place: Place | None, before: Place, now: float) -> Alternative:
    """What a trial came to; None is how things are, which ``before`` says."""
    at = place.at if place else None
    saves = None if at is None or before.at is None else before.at - at
    what = trial or Trial(title="Now", state=QueueState(now=now))
    return Alternative(
        kind=_kind(trial),
        title=what.title,
        message=_message(trial, place, before, now),
        position=place.position if place else None,
        estimated_start=at,
        saves=None if trial is None else saves,
        priority=what.priority,
        rule=what.rule,
        limit=what.limit,
        run_id=what.canceled.run_id if what.canceled else None,
    )


def raise_limit(rules: Rules, rule: str) -> Rules | None:
    """Rules with one place more where people see ``rule``; None: it is no limit that somebody can set."""
    if rule == "max_concurrent_runs":
        limit = rules.max_concurrent_runs
        return None if limit == NO_LIMIT else msgspec.structs.replace(rules, max_concurrent_runs=limit + 1)
    if rule.startswith("pool "):
        name = rule.removeprefix("pool ")
        limits = rules.pools.limits | {name: (rules.pools.limit_of(name) or 0) + 1}
        return msgspec.structs.replace(rules, pools=msgspec.structs.replace(rules.pools, limits=limits))
    if not any(_is_called(one, rule) for one in rules.tag_rules):
        return None
    raised = (
        msgspec.structs.replace(one, limit=one.limit + 1) if _is_called(one, rule) else one for one in rules.tag_rules
    )
    return msgspec.structs.replace(rules, tag_rules=tuple(raised))


def _is_called(rule: TagRule, name: str) -> bool:
    if rule.value is not None:
        return name == shown_tag(rule.key, rule.value)
    key = shown_key(rule.key)
    return name.startswith(f"{key}=") if rule.per_unique_value else name == key


def _cancel(holder: Holder, state: QueueState) -> Trial:
    def others(runs: Sequence[ActiveRun]) -> tuple[ActiveRun, ...]:
        return tuple(run for run in runs if run.run_id != holder.run_id)

    changed = msgspec.structs.replace(
        state,
        active=others(state.active),
        holders=tuple(step for step in state.holders if step.run_id != holder.run_id),
    )
    return Trial(title=f"Cancel {holder.run_id[:8]}", state=changed, canceled=holder)


def _kind(trial: Trial | None) -> AlternativeKind:
    if trial is None:
        return "now"
    if trial.priority is not None:
        return "priority"
    return "limit" if trial.rule is not None else "cancel"


def _message(trial: Trial | None, place: Place | None, before: Place, now: float) -> str:
    if place is None:
        text = "not foreseeable"
    elif trial is None:
        text = place.text
    else:
        text = f"{'starts at once' if place.at == now else place.text}{_gain(place, before)}"
    if trial is not None and trial.canceled is not None:
        holder = trial.canceled
        return f"{text}; {holder.job_name} loses {duration(now - holder.since)} of work"
    return text


def _gain(place: Place, before: Place) -> str:
    """How much sooner than ``before``: by time where both times are known, else by the order."""
    if place.at is not None and before.at is not None:
        saves = before.at - place.at
        return f", {duration(saves)} sooner" if saves >= 1 else ", no sooner"
    if place.at is not None:
        return ""
    gains = place.ends < before.ends or place.position < before.position
    return f" (now: {before.text})" if gains else ", no sooner as far as is known"
