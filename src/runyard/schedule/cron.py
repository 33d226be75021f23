"""Cron expressions: what is a valid one, and which instants it names in a time zone.

``cron_fields`` reads an expression, cronsim finds the local times that fit. Which instants these are around a change of
the clocks is decided here:

* A cron that names every hour follows real time: a local hour that is skipped does not fire, one that happens twice
  fires twice.
* Every other cron names times of day. A skipped time fires at the first instant after the gap, a doubled one at its
  second occurrence.
"""

from __future__ import annotations

import functools
import heapq
import math
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from ..core.text import quoted
from .cron_fields import CronFields, read_fields
from .errors import InvalidCron, UnknownTimezone

_DAY = 86_400
#: Where validation starts to look for a match: from here on, every date that ever matches does so within 50 years.
_SOME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - a local time of no zone is what cronsim is asked about


def validate_cron(expression: str) -> None:
    """Check one cron expression: five fields or an alias such as ``@daily``.

    Raises:
        InvalidCron: it cannot be read or no date ever matches; the message names the expression and the field.
    """
    if not isinstance(expression, str):
        raise InvalidCron(repr(expression), "a cron schedule is a string of five fields.")
    _valid_fields(expression)


@functools.lru_cache(maxsize=1024)
def _valid_fields(expression: str) -> CronFields:
    fields = read_fields(expression)
    if not _ever_fires(fields):
        _, _, day, month, weekday = expression.split()
        on = "" if fields.weekdays is None else f" on day of week {quoted(weekday)}"
        never = f"day of month {quoted(day)} never comes in month {quoted(month)}{on}, so it never fires."
        raise InvalidCron(expression, never)
    return fields


def validate_crons(expressions: Sequence[str]) -> None:
    """Check a schedule's list of cron expressions, of which it is the union.

    Raises:
        InvalidCron: the list is empty or one of them is invalid.
    """
    if not expressions:
        raise InvalidCron("[]", "an empty list never fires; give at least one cron expression.")
    for expression in expressions:
        validate_cron(expression)


def validate_timezone(name: str) -> None:
    """Check that ``name`` is an IANA time zone.

    Raises:
        UnknownTimezone: it is not; the message offers the nearest name.
    """
    _zone(name)


def next_times(crons: Sequence[str], timezone: str, after: float) -> Iterator[float]:
    """The instants after ``after`` at which any of ``crons`` fires, strictly increasing; one that several share once.

    Args:
        crons: expressions that ``validate_crons`` accepts.
        timezone: the IANA zone that the expressions are read in.
        after: seconds since the epoch, itself excluded.

    Raises:
        InvalidCron, UnknownTimezone: when the first instant is asked for.
    """
    zone = _zone(timezone)
    latest = after
    for instant in heapq.merge(*(_Cron(cron, zone).following(after) for cron in crons)):
        if instant > latest:
            latest = instant
            yield instant


def previous_time(crons: Sequence[str], timezone: str, until: float) -> float | None:
    """The last instant at or before ``until`` at which any of ``crons`` fires; None when there is none in 50 years.

    Args:
        crons: expressions that ``validate_crons`` accepts.
        timezone: the IANA zone that the expressions are read in.
        until: seconds since the epoch, itself included.

    Raises:
        InvalidCron, UnknownTimezone: an argument is not valid.
    """
    zone = _zone(timezone)
    found = (next(_Cron(cron, zone).preceding(until), None) for cron in crons)
    return max((instant for instant in found if instant is not None), default=None)


class _Cron:
    """One expression in one zone."""

    def __init__(self, expression: str, zone: tzinfo) -> None:
        fields = _valid_fields(expression)
        self._expression = fields.text()
        self._zone = zone
        self._instants = self._real_time if fields.every_hour() else self._time_of_day

    def following(self, after: float) -> Iterator[float]:
        """Instants after ``after``, increasing."""
        # Clocks that go back within the day show once more local times that lie behind.
        second = math.floor(after)
        start = _local(second, self._zone).replace(tzinfo=None) - _turned_back(second, second + _DAY, self._zone)
        moments = CronSim(self._expression, start)
        return (instant for instant in self._in_order(moments, sign=1) if instant > after)

    def preceding(self, until: float) -> Iterator[float]:
        """Instants at or before ``until``, decreasing."""
        second = math.floor(until)
        start = _local(second, self._zone).replace(tzinfo=None) + _turned_back(second - _DAY, second, self._zone)
        # cronsim leaves its start out; ours belongs to the answer.
        moments = CronSim(self._expression, start + timedelta(seconds=1), reverse=True)
        return (instant for instant in self._in_order(moments, sign=-1) if instant <= until)

    def _in_order(self, moments: Iterator[datetime], *, sign: int) -> Iterator[float]:
        """Instants of local times, which doubled hours put out of order, sorted (downwards when ``sign`` is -1).

        The first (last) instant that shows a local time grows with the local time, so everything beyond it that is
        known by now is final.
        """
        waiting: list[float] = []
        for moment in moments:
            shown = _shown_at(moment, self._zone)
            bound = min(sign * instant for instant in shown)
            while waiting and waiting[0] < bound:
                yield sign * heapq.heappop(waiting)
            for instant in self._instants(*shown):
                heapq.heappush(waiting, sign * instant)

    def _real_time(self, first: float, second: float) -> tuple[float, ...]:
        if first == second:
            return (first,)
        return (first, second) if first < second else ()

    def _time_of_day(self, first: float, second: float) -> tuple[float, ...]:
        return (second,) if first <= second else (_gap_end(second, first, self._zone),)


def _shown_at(moment: datetime, zone: tzinfo) -> tuple[float, float]:
    """When clocks show ``moment``: twice the same, the two of a doubled time, or the later before the earlier in a gap.

    (That order is what PEP 495 gives for a time that never is: by the offset before the gap, by the one after it.)
    """
    local = moment.replace(tzinfo=zone)
    return local.replace(fold=0).timestamp(), local.replace(fold=1).timestamp()


def _gap_end(before: float, after: float, zone: tzinfo) -> float:
    """The first instant after the gap that lies between ``before`` and ``after``, to the second."""
    low, high = int(before), int(after)
    offset = _local(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if _local(middle, zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return float(high)


def _local(instant: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(instant, zone)


def _turned_back(start: float, end: float, zone: tzinfo) -> timedelta:
    """By how much clocks went back between two instants a day apart."""
    offsets = [_local(instant, zone).utcoffset() or timedelta(0) for instant in (start, end)]
    return max(timedelta(0), offsets[0] - offsets[1])


def _ever_fires(fields: CronFields) -> bool:
    try:
        return next(CronSim(fields.text(), _SOME_DAY), None) is not None
    except CronSimError:
        return False


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        raise UnknownTimezone(str(name), available_timezones()) from None
