"""The five fields of a cron expression: how they are written, and the numbers that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ..core.text import counted, did_you_mean, listing, quoted
from .errors import InvalidCron, tidy

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_ANY = "*"
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SPAN = re.compile(r"(?P<first>\w{1,9})(?:-(?P<last>\w{1,9}))?(?:/(?P<step>\d{1,9}))?\Z", re.ASCII)
_ANY_STEP = re.compile(r"\*/(\d{1,9})\Z", re.ASCII)
_NO_STEP = re.compile(r".*/0+\Z", re.ASCII)
_NTH = re.compile(r"(\w{1,9})#([1-5])\Z", re.ASCII)
_LAST = re.compile(r"L(\w{1,9})\Z|(\w{1,9})L\Z", re.ASCII)


class _Field(NamedTuple):
    """``low`` to ``high`` without a gap, read round and round; ``top`` is the highest number that may be written."""

    name: str
    low: int
    high: int
    top: int
    names: tuple[str, ...]
    takes: str


_MINUTE = _Field("minute", 0, 59, 59, (), "0 to 59")
_HOUR = _Field("hour", 0, 23, 23, (), "0 to 23")
_DAY = _Field("day of month", 1, 31, 31, (), "1 to 31, L for the last day, or ? for any")
_MONTH = _Field("month", 1, 12, 12, _MONTHS, "1 to 12 or JAN to DEC")
_WEEKDAY = _Field(
    "day of week",
    0,
    6,
    7,
    _DAYS,
    "0 to 7 (0 and 7 are Sunday), SUN to SAT, MON#1 for the first Monday, L5 for the last Friday, or ? for any",
)
_FIELDS = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)


class CronFields(NamedTuple):
    """What an expression names. A day field is None when it restricts nothing.

    ``days`` are numbers and ``L``; ``weekdays`` are numbers from 0, Sunday, ``5#2`` for the second Friday and ``5L``
    for the last. When both restrict, a date that fits either is a match.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[str] | None
    months: frozenset[int]
    weekdays: frozenset[str] | None

    def every_hour(self) -> bool:
        return len(self.hours) == _HOUR.high + 1

    def text(self) -> str:
        """The same without ranges, steps and names: numbers, and ``*`` for a field that restricts nothing."""
        times = [(self.minutes, _MINUTE), (self.hours, _HOUR), (self.months, _MONTH)]
        minute, hour, month = (None if len(found) > field.high - field.low else found for found, field in times)
        fields = (minute, hour, self.days, month, self.weekdays)
        return " ".join(_ANY if field is None else ",".join(sorted(map(str, field))) for field in fields)


def read_fields(expression: str) -> CronFields:
    """Read an expression of five fields, or an alias such as ``@daily``.

    Raises:
        InvalidCron: it cannot be read; the message names the field and what may be written there.
    """
    minute, hour, day, month, weekday = _five(expression)
    return CronFields(
        minutes=frozenset(map(int, _terms(expression, _MINUTE, minute))),
        hours=frozenset(map(int, _terms(expression, _HOUR, hour))),
        days=_restriction(expression, _DAY, day),
        months=frozenset(map(int, _terms(expression, _MONTH, month))),
        weekdays=_restriction(expression, _WEEKDAY, weekday),
    )


def _five(expression: str) -> list[str]:
    fields = expression.split()
    if fields and fields[0].startswith("@"):
        return _alias(expression).split()
    if len(fields) == len(_FIELDS):
        return fields
    names = ", ".join(field.name for field in _FIELDS)
    if len(fields) == len(_FIELDS) + 1:
        raise InvalidCron(expression, f"it has 6 fields and needs five: {names}. Leave the seconds out.")
    raise InvalidCron(expression, f"it has {counted(len(fields), 'field')} and needs five: {names}.")


def _alias(expression: str) -> str:
    name = tidy(expression).lower()
    if name not in ALIASES:
        meant = did_you_mean(name, ALIASES)
        raise InvalidCron(expression, f"there is no such alias.{meant} Known: {listing(ALIASES)}.")
    return ALIASES[name]


def _restriction(expression: str, field: _Field, text: str) -> frozenset[str] | None:
    """A day field that is ``?``, or that is or lists ``*``, restricts nothing; one with a step does, even ``*/1``."""
    if text == "?":
        return None
    terms = frozenset(_terms(expression, field, text))
    return None if _ANY in text.split(",") else terms


def _terms(expression: str, field: _Field, text: str) -> Iterator[str]:
    for part in text.split(","):
        terms = list(_term(field, part.upper()))
        if not terms:
            shown = f"{quoted(part)} in {quoted(text)}" if part not in ("", text) else quoted(text)
            takes = "a step is a number from 1 up" if _NO_STEP.match(part) else f"it takes {field.takes}"
            raise InvalidCron(expression, f"{field.name} {shown} is not valid; {takes}.")
        yield from terms


def _term(field: _Field, part: str) -> Iterator[str]:
    """The numbers and special days that one part of a list names; none when it cannot be read."""
    if part == _ANY:
        yield from map(str, range(field.low, field.high + 1))
    elif part == "L" and field is _DAY:
        yield part
    elif field is _WEEKDAY and (special := _special_weekday(part)):
        yield special
    elif every := _ANY_STEP.match(part):
        yield from _stepped(field, field.low, field.high, int(every[1]))
    elif span := _SPAN.match(part):
        yield from _span(field, span["first"], span["last"], span["step"])


def _special_weekday(part: str) -> str | None:
    nth, last = _NTH.match(part), _LAST.match(part)
    if nth is None and last is None:
        return None
    day = _number(_WEEKDAY, nth[1] if nth else next(filter(None, last.groups() if last else ())))
    if day is None:
        return None
    return f"{day % 7}#{nth[2]}" if nth else f"{day % 7}L"


def _span(field: _Field, first: str, last: str | None, step: str | None) -> Iterator[str]:
    """``5``, ``5-10``, ``5-10/2``, and ``5/2`` up to the end. ``22-2`` goes over the end of the field."""
    start = _number(field, first)
    end = _number(field, last) if last is not None else start if step is None else field.high
    if start is None or end is None:
        return
    if end < start:
        end += field.high - field.low + 1
    yield from _stepped(field, start, end, int(step or 1))


def _stepped(field: _Field, start: int, end: int, step: int) -> Iterator[str]:
    size = field.high - field.low + 1
    for number in range(start, end + 1, step) if step else ():
        yield str((number - field.low) % size + field.low)


def _number(field: _Field, text: str) -> int | None:
    if text in field.names:
        return field.names.index(text) + field.low
    return int(text) if text.isdecimal() and field.low <= int(text) <= field.top else None
