"""Why a run waits, in words: the shape ``reason`` and its sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from .groups import RUN_SLOTS
from .slots import Use

ReasonKind = Literal[
    "next",
    "max_concurrent_runs",
    "tag_limit",
    "held",
    "location_unavailable",
    "launcher_capacity",
    "no_queue_daemon",
]

_IDS_SHOWN = 3


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a queued run has not started. ``rule`` to ``holders`` describe the limit, where one is the reason.

    ``kind`` ``next``: it is the next one to start, at once or as soon as one of the run slots in use is free.
    """

    kind: ReasonKind
    message: str
    rule: str | None = None
    limit: int | None = None
    used: int | None = None
    holders: tuple[str, ...] = ()


def held(by: str | None, why: str | None) -> Reason:
    """A person keeps the run back."""
    who = f" by {by}" if by else ""
    said = f": “{why}”" if why else ""
    return Reason(kind="held", message=f"Held{who}{said}. Starts only when released")


def unavailable(location: str, why: str) -> Reason:
    """The run's code location cannot launch; ``why`` is a clause without its full stop."""
    return Reason(kind="location_unavailable", message=f"Location {location} {why.rstrip('.')}", rule=location)


def launchable(ahead: int, *, daemon_alive: bool) -> Reason:
    """No limit keeps the run back; ``ahead`` others that none keeps back either come before it."""
    if not daemon_alive:
        message = "No run queue daemon is alive; starts once one runs: runyard-daemon run"
        return Reason(kind="no_queue_daemon", message=message)
    return Reason(kind="next", message=f"Starts at once, after {_runs(ahead)}" if ahead else "Next. Starts at once")


def run_slots(use: Use, ahead: int) -> Reason:
    """All run slots are in use, or will be by the ``ahead`` runs that come before this one in that line."""
    limit = use.group.limit or 0
    kind: ReasonKind = "max_concurrent_runs" if ahead or not limit else "next"
    return _limited(kind, use, _run_slots_message(limit, len(use.holders), ahead))


def _run_slots_message(limit: int, used: int, ahead: int) -> str:
    if limit == 0:
        return f"{RUN_SLOTS} is 0: nothing starts until it is raised"
    state = _slots_in_use(limit, used)
    if ahead == 0:
        return f"Next. {state[0].upper()}{state[1:]}; starts when one ends"
    return f"Behind {_runs(ahead)} in order; {state}"


def _slots_in_use(limit: int, used: int) -> str:
    if used == limit:
        return "the only run slot is in use" if limit == 1 else f"all {limit} run slots in use"
    return f"{used} of {limit} run slots in use"


def tag_limit(use: Use, ahead: int) -> Reason:
    """A tag rule keeps the run back; ``ahead`` others that wait for the same come before it."""
    rule, limit = use.group.rule, use.group.limit
    if limit == 0:
        message = f"{rule} has limit 0: nothing of it starts until the limit is raised"
    else:
        message = f"{rule} {len(use.holders)} of {limit}{_held_by(use.holders)}{_then(ahead)}"
    return _limited("tag_limit", use, message)


def launcher_capacity(use: Use, ahead: int) -> Reason:
    """As many runs as the location's launcher takes at a time are STARTING."""
    rule, limit = use.group.rule, use.group.limit
    message = f"{rule[0].upper()}{rule[1:]} is starting {len(use.holders)} of {limit} runs at a time{_then(ahead)}"
    return _limited("launcher_capacity", use, message)


def _limited(kind: ReasonKind, use: Use, message: str) -> Reason:
    return Reason(
        kind=kind,
        message=message,
        rule=use.group.rule,
        limit=use.group.limit,
        used=len(use.holders),
        holders=use.holders,
    )


def _held_by(holders: Sequence[str]) -> str:
    if not holders:
        return ""
    shown = " ".join(run_id[:8] for run_id in holders[:_IDS_SHOWN])
    more = len(holders) - _IDS_SHOWN
    return f", held by {shown}" + (f" and {more} more" if more > 0 else "")


def _then(ahead: int) -> str:
    return f", then {_runs(ahead)} ahead" if ahead else ""


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"
