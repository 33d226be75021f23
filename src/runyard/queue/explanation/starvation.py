"""Who starves whom: limits that the same holders keep full for long, and runs that others overtake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ...core.text import counted, duration
from .entries import QueueEntry, Starvation
from .overtaking import overtaken_message
from .reasons import Holder

#: Seconds that somebody holds a limit for, and another waits for it, before it is told.
HELD_FOR = 300.0
_TOLD: frozenset[str] = frozenset({"tag_limit", "pool", "overlap"})
_LINES = 10


def who_starves_whom(entries: Iterable[QueueEntry], *, now: float) -> tuple[Starvation, ...]:
    """At most 10 lines: first what was held longest, then who was overtaken most often."""
    listed = list(entries)
    waiting: defaultdict[str, list[QueueEntry]] = defaultdict(list)
    for entry in listed:
        if entry.reason.kind in _TOLD and entry.reason.rule and entry.reason.holder_details:
            waiting[entry.reason.rule].append(entry)
    held = [line for rule, waiters in waiting.items() if (line := _held_long(rule, waiters, now))]
    overtaken = sorted(
        (entry for entry in listed if entry.overtaken.starving), key=lambda entry: -entry.overtaken.total
    )
    lines = [*sorted(held, key=lambda line: line.since or 0.0), *(_overtaken(entry) for entry in overtaken)]
    return tuple(lines[:_LINES])


def _held_long(rule: str, waiters: Sequence[QueueEntry], now: float) -> Starvation | None:
    holders = waiters[0].reason.holder_details
    since = max(holder.since for holder in holders)
    longest = max(waiters, key=lambda entry: entry.waiting_seconds)
    if now - since < HELD_FOR or longest.waiting_seconds < HELD_FOR:
        return None
    return Starvation(
        kind="held_long",
        message=f"{_holding(rule, holders)} for {duration(now - since)}; {_waiting(waiters, longest)}",
        rule=rule,
        since=since,
        starves=tuple(entry.run_id for entry in waiters),
        by=tuple(dict.fromkeys(holder.run_id for holder in holders)),
    )


def _holding(rule: str, holders: Sequence[Holder]) -> str:
    """``reprocess_month has held both slots of team=archive``; since the last of them came."""
    jobs = dict.fromkeys(holder.job_name for holder in holders)
    who = next(iter(jobs)) if len(jobs) == 1 else counted(len({holder.run_id for holder in holders}), "run")
    verb = "have" if len(jobs) > 1 else "has"
    slots = sum(holder.slots for holder in holders)
    which = {1: rule, 2: f"both slots of {rule}"}.get(slots, f"all {slots} slots of {rule}")
    return f"{who} {verb} held {which}"


def _waiting(waiters: Sequence[QueueEntry], longest: QueueEntry) -> str:
    waited = duration(longest.waiting_seconds)
    if len(waiters) == 1:
        return f"{longest.job_name} has waited {waited} for it"
    own = " of its own" if len({entry.job_name for entry in waiters} | _jobs(longest)) == 1 else ""
    return f"{len(waiters)} runs{own} wait, {longest.job_name} for {waited}"


def _jobs(entry: QueueEntry) -> set[str]:
    return {holder.job_name for holder in entry.reason.holder_details}


def _overtaken(entry: QueueEntry) -> Starvation:
    return Starvation(
        kind="overtaken",
        message=overtaken_message(entry.job_name, entry.priority, entry.overtaken),
        since=entry.overtaken.since,
        starves=(entry.run_id,),
        by=entry.overtaken.examples,
    )
