"""Catch-up: which of the times that came since the last decision is run, and which are only recorded as missed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from .cron import next_times, previous_time

#: Missed times are counted one by one up to this many; beyond it the count is a lower bound.
COUNTED = 10_000


class Skipped(msgspec.Struct, frozen=True):
    """Missed times that are not run: ``count`` of them from ``first`` to ``last``, or more when not ``exact``."""

    first: float
    last: float
    count: int
    exact: bool = True


class Due(msgspec.Struct, frozen=True):
    """What a schedule has to do. ``time`` None: nothing is due; ``next_at`` is when to ask again."""

    time: float | None
    skipped: Skipped | None
    next_at: float | None


def due(crons: Sequence[str], timezone: str, *, since: float, now: float, including_since: bool = False) -> Due:
    """Decide about every time of a schedule up to ``now``: the most recent one is run, those before it are skipped.

    Args:
        crons: valid cron expressions; the schedule is their union.
        timezone: the IANA zone that they are read in.
        since: seconds since the epoch up to which everything is decided already.
        now: seconds since the epoch, itself included.
        including_since: a time exactly at ``since`` is still to be decided: a schedule that was started on a boundary
            fires at once.

    Raises:
        InvalidCron, UnknownTimezone: an argument is not valid.
    """
    next_at = next(next_times(crons, timezone, max(since, now)), None)
    start = _just_before(math.ceil(since)) if including_since else since
    latest = previous_time(crons, timezone, now)
    if latest is None or latest <= start:
        return Due(None, None, next_at)
    return Due(latest, _skipped(crons, timezone, start, latest), next_at)


def _skipped(crons: Sequence[str], timezone: str, after: float, before: float) -> Skipped | None:
    """The times between ``after`` and ``before``, both excluded."""
    missed = list(islice(_until(next_times(crons, timezone, after), before), COUNTED))
    if not missed:
        return None
    last = previous_time(crons, timezone, _just_before(before)) or missed[-1]
    return Skipped(missed[0], last, len(missed), exact=last == missed[-1])


def _until(times: Iterator[float], end: float) -> Iterator[float]:
    for instant in times:
        if instant >= end:
            return
        yield instant


def _just_before(instant: float) -> float:
    """Cron times are whole seconds, so nothing lies between half a second before ``instant`` and itself."""
    return instant - 0.5
