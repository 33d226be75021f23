"""Why a run waits, in words: the shape ``reason`` and its sentences."""

from __future__ import annotations

from typing import Literal

import msgspec

from ...core.text import counted, duration, sentence, utc_time
from ..admission.groups import RUN_SLOTS
from ..rules import Pause, RateRule

ReasonKind = Literal[
    "next",
    "max_concurrent_runs",
    "tag_limit",
    "pool",
    "paused",
    "held",
    "draining",
    "location_unavailable",
    "launcher_capacity",
    "no_queue_daemon",
    "fair_share",
    "rate_limit",
    "overlap",
    "weight",
]

_IDS_SHOWN = 3
#: Of so many holders a reason gives job and time; it names all of them by id.
DETAILS = 20


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds slots, and since when (seconds since the epoch). ``step_key``: it is this step that does."""

    run_id: str
    job_name: str
    since: float
    slots: int = 1
    step_key: str | None = None

    @property
    def name(self) -> str:
        """The first characters of its id, its job and its step."""
        step = f" \u203a {self.step_key}" if self.step_key else ""
        return f"{self.run_id[:8]} {self.job_name}{step}"


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a queued run has not started. ``rule`` to ``holder_details`` describe the limit, where one is the reason.

    ``kind`` ``next``: it is the next one to start, at once or as soon as one of the run slots in use is free.
    ``ahead``: how many runs that wait for the same start before it; with ``ahead_is_most`` no more than so many.
    ``until``: when that is known to be over, in seconds since the epoch. ``needs_action``: until somebody acts.
    """

    kind: ReasonKind
    message: str
    rule: str | None = None
    limit: int | None = None
    used: int | None = None
    holders: tuple[str, ...] = ()
    holder_details: tuple[Holder, ...] = ()
    ahead: int = 0
    ahead_is_most: bool = False
    until: float | None = None
    pause: Pause | None = None
    needs_action: bool = False


class Line(msgspec.Struct, frozen=True):
    """How many runs that wait for the same thing start before a run; ``is_most``: no more than so many."""

    ahead: int = 0
    is_most: bool = False

    @property
    def runs(self) -> str:
        return ("up to " if self.is_most else "") + counted(self.ahead, "run")

    @property
    def then(self) -> str:
        return f", then {self.runs} ahead" if self.ahead else ""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A limit as a run finds it: ``needs`` is what the run takes of it."""

    rule: str
    limit: int
    used: int
    needs: int = 1
    holders: tuple[str, ...] = ()
    details: tuple[Holder, ...] = ()

    @property
    def of(self) -> str:
        return f"{self.rule} {self.used} of {self.limit}"

    @property
    def wants(self) -> str:
        return f", needs {self.needs}" if self.needs > 1 else ""


def held(by: str | None, why: str | None) -> Reason:
    """A person keeps the run back."""
    who = f" by {by}" if by else ""
    message = f"{sentence(f'Held{who}{_said(why)}')} Starts only when released"
    return Reason(kind="held", message=message, needs_action=True)


def paused(pause: Pause, name: str, *, now: float) -> Reason:
    """What the run belongs to is paused or drained; ``name`` is what people call that."""
    is_queue = pause.scope == "queue"
    subject = "The queue" if is_queue else name
    until = "" if pause.until is None else f" until {utc_time(pause.until, now=now)}"
    verb = "drained" if pause.drain else "paused"
    return Reason(
        kind="draining" if pause.drain else "paused",
        message=f"{subject} is {verb} by {pause.by}{until}{_said(pause.reason)}",
        rule="queue" if is_queue else name,
        until=pause.until,
        pause=pause,
        needs_action=pause.until is None,
    )


def unavailable(location: str, why: str, *, until: float | None = None) -> Reason:
    """The run's code location cannot launch; ``why`` is a clause without its full stop."""
    message = f"Location {location} {why.rstrip('.')}"
    return Reason(kind="location_unavailable", message=message, rule=location, until=until, needs_action=until is None)


def no_daemon() -> Reason:
    message = "No run queue daemon is alive; starts once one runs: runyard-daemon run"
    return Reason(kind="no_queue_daemon", message=message, needs_action=True)


def launchable(line: Line) -> Reason:
    """No limit keeps the run back; those of the line, which none keeps back either, come before it."""
    if line.is_most and line.ahead:
        message = f"No limit keeps it back; {line.runs} {'comes' if line.ahead == 1 else 'come'} first"
    else:
        message = f"Starts at once, after {line.runs}" if line.ahead else "Next. Starts at once"
    return Reason(kind="next", message=message, ahead=line.ahead, ahead_is_most=line.is_most)


def run_slots(taken: Taken, line: Line, *, priority: int = 0, first: str | None = None) -> Reason:
    """All run slots are in use, or will be by those of the line.

    Args:
        taken: the run slots.
        line: who starts before it.
        priority: said when it is negative: then it is why others go first.
        first: the run that is expected to end first.
    """
    kind: ReasonKind = "max_concurrent_runs" if line.ahead or not taken.limit else "next"
    if taken.limit == 0:
        return _limited(kind, taken, line, f"{RUN_SLOTS} is 0: nothing starts until it is raised")
    state = _slots_in_use(taken)
    if line.ahead == 0:
        which = f", first {first[:8]}" if first else ""
        message = f"Next. {state[0].upper()}{state[1:]}; starts when one ends{which}"
    else:
        start = f"Priority {priority}: behind" if priority < 0 else "Behind"
        message = f"{start} {line.runs} in order; {state}"
    return _limited(kind, taken, line, message)


def fair_share(taken: Taken, line: Line, *, name: str, used: float, weight: float) -> Reason:
    """All run slots are in use and others of the run's priority go first, because they hold less for their weight."""
    share = f"{name} holds {counted(round(used), 'slot')} for weight {weight:g}"
    first = f"{line.runs} with less {'goes' if line.ahead == 1 else 'go'} first" if line.ahead else "others go first"
    message = f"Fair share: {share}; {first}; {_slots_in_use(taken)}"
    return _limited("fair_share", taken, line, message)


def tag_limit(taken: Taken, line: Line) -> Reason:
    """A tag rule keeps the run back."""
    if taken.limit == 0:
        message = f"{taken.rule} has limit 0: nothing of it starts until the limit is raised"
    else:
        message = f"{taken.of}{_held_by(taken, line)}{taken.wants}{line.then}"
    return _limited("tag_limit", taken, line, message)


def pool(taken: Taken, line: Line, *, every_root: bool = False) -> Reason:
    """A pool is full; ``every_root``: every step that the run begins with is in a full pool, this is one of these."""
    if taken.limit == 0:
        message = f"{taken.rule} has limit 0: nothing that needs it starts until the limit is raised"
    else:
        others = ", as are the other pools that it begins in" if every_root else ""
        message = f"{taken.of}{_held_by(taken, line)}{taken.wants}{others}{line.then}"
    return _limited("pool", taken, line, message)


def overlap(taken: Taken, line: Line, *, policy: str) -> Reason:
    """Another run of the job is active, and its overlap policy allows one at a time."""
    message = f"{taken.rule} runs one at a time (overlap: {policy}){_held_by(taken, line)}{line.then}"
    return _limited("overlap", taken, line, message)


def rate_limit(taken: Taken, line: Line, rate: RateRule, *, free_at: float | None, now: float) -> Reason:
    """So many were launched within the rule's period; ``free_at`` is when the next launch is allowed."""
    if rate.limit == 0:
        message = f"{taken.rule} may launch 0 per {duration(rate.seconds)}: nothing of it starts until that is raised"
        return _limited("rate_limit", taken, line, message)
    when = "" if free_at is None else f", next launch allowed in {duration(free_at - now)}"
    message = f"{taken.rule} launched {taken.used} of {rate.limit} per {duration(rate.seconds)}{when}{line.then}"
    return msgspec.structs.replace(_limited("rate_limit", taken, line, message), until=free_at)


def launcher_capacity(taken: Taken, line: Line) -> Reason:
    """As many runs as the location's launcher takes at a time are STARTING."""
    name = f"{taken.rule[0].upper()}{taken.rule[1:]}"
    message = f"{name} is starting {counted(taken.used, 'run')}, as many as it takes at a time{line.then}"
    return _limited("launcher_capacity", taken, line, message)


def weight(taken: Taken) -> Reason:
    """The run takes more slots than the limit has: it can never start as things are."""
    message = (
        f"Takes {taken.needs} slots of {taken.rule}, whose limit is {taken.limit}, and so cannot start. "
        "Raise the limit, or cancel the run and launch it with fewer"
    )
    return msgspec.structs.replace(_limited("weight", taken, Line(), message), needs_action=True)


def _limited(kind: ReasonKind, taken: Taken, line: Line, message: str) -> Reason:
    return Reason(
        kind=kind,
        message=message,
        rule=taken.rule,
        limit=taken.limit,
        used=taken.used,
        holders=taken.holders,
        holder_details=taken.details[:DETAILS],
        ahead=line.ahead,
        ahead_is_most=line.is_most,
        needs_action=taken.limit == 0 and kind != "launcher_capacity",
    )


def _slots_in_use(taken: Taken) -> str:
    limit, used = taken.limit, taken.used
    if used == limit:
        state = "the only run slot is in use" if limit == 1 else f"all {limit} run slots in use"
    else:
        state = f"{used} of {limit} run slots in use"
    return state + taken.wants


def _held_by(taken: Taken, line: Line) -> str:
    if not taken.holders:
        return ""
    if len(taken.details) == 1 == len(taken.holders) and (taken.details[0].step_key or not line.ahead):
        return f", held by {taken.details[0].name}"
    shown = ", ".join(dict.fromkeys(run_id[:8] for run_id in taken.holders[:_IDS_SHOWN]))
    more = len(taken.holders) - _IDS_SHOWN
    return f", held by {shown}" + (f" and {more} more" if more > 0 else "")


def _said(why: str | None) -> str:
    return f": “{why}”" if why else ""
