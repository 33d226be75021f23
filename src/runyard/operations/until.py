"""Until when and since when: times as people write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from ..core.errors import UserError
from ..core.text import quoted

ACCEPTED = "an ISO 8601 time such as 2030-01-31T18:00 or 2030-01-31T18:00Z, a time of day such as 18:00, or 2h, in 90m"
ACCEPTED_PAST = (
    "an ISO 8601 time such as 2030-01-31T18:00 or 2030-01-31T18:00Z, a time of day such as 18:00, or 2h ago, or now"
)

_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_PART = r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)"
_SPAN = re.compile(rf"(?:in\s+)?({_PART}(?:\s*{_PART})*)", re.IGNORECASE)
_DAYTIME = re.compile(r"(\d{1,2}):(\d{2})")
_LONGEST = 100 * 365 * 86400
_MOST_CHARACTERS = 200


class InvalidTime(UserError):
    """Text that is no time, or a time that is over."""

    def __init__(self, text: str, fault: str, accepted: str = ACCEPTED) -> None:
        super().__init__(f"{quoted(text)} {fault}; write {accepted}.")


def parse_until(text: str, *, now: float) -> float:
    """Seconds since the epoch for ``18:00``, ``2h``, ``in 1h 30m`` or an ISO 8601 time.

    A time of day is the next one; times without an offset are of this machine's zone.

    Raises:
        InvalidTime: none of these, or not after ``now``.
    """
    stripped = _readable(text)
    until = _span(stripped, now) or _time_of_day(stripped, now) or _iso(stripped)
    if until is None:
        raise InvalidTime(text, "is no time")
    if until <= now:
        raise InvalidTime(text, "is over already")
    if until - now > _LONGEST:
        raise InvalidTime(text, "is more than a hundred years away")
    return until


def parse_past(text: str, *, now: float) -> float:
    """Seconds since the epoch for ``18:00``, ``2h``, ``1h 30m ago``, ``now`` or an ISO 8601 time.

    A time of day is the last one; times without an offset are of this machine's zone.

    Raises:
        InvalidTime: none of these, after ``now``, or too long ago for any run.
    """
    stripped = re.sub(r"\s+ago$", "", _readable(text), flags=re.IGNORECASE)
    if stripped.lower() == "now":
        return now
    ahead = _span(stripped, now)
    past = 2 * now - ahead if ahead is not None else _time_of_day(stripped, now, later=False) or _iso(stripped)
    if past is None:
        raise InvalidTime(text, "is no time", ACCEPTED_PAST)
    if past > now:
        raise InvalidTime(text, "has not come yet", ACCEPTED_PAST)
    if now - past > _LONGEST:
        raise InvalidTime(text, "is more than a hundred years ago", ACCEPTED_PAST)
    return past


def _readable(text: str) -> str:
    """No time that a person writes is this long, and patterns take their time over a text that is."""
    return text.strip() if len(text) <= _MOST_CHARACTERS else ""


def _span(text: str, now: float) -> float | None:
    if not _SPAN.fullmatch(text):
        return None
    parts = re.findall(_PART, text, re.IGNORECASE)
    return now + sum(float(number) * _SECONDS[unit.lower()] for number, unit in parts)


def _time_of_day(text: str, now: float, *, later: bool = True) -> float | None:
    """The next time of day after ``now``; the last one that is not, unless ``later``."""
    match = _DAYTIME.fullmatch(text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        return None
    # Without a zone while the day is chosen, so that a day on which the clock changes keeps its wall time.
    today = datetime.fromtimestamp(now).astimezone().replace(tzinfo=None, second=0, microsecond=0)
    wanted = today.replace(hour=int(match[1]), minute=int(match[2]))
    moments = [moment for days in (-1, 0, 1) for moment in _moments(wanted + timedelta(days=days))]
    return min(one for one in moments if one > now) if later else max(one for one in moments if one <= now)


def _moments(wall: datetime) -> tuple[float, float]:
    """When this machine's clock shows it: twice where it is put back, and once it has moved where it leaps over it."""
    first, second = (wall.replace(fold=fold).timestamp() for fold in (0, 1))
    return first, max(first, second)


def _iso(text: str) -> float | None:
    # Python 3.10 does not read the Z.
    try:
        return datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text)).astimezone().timestamp()
    except (ValueError, OverflowError):
        return None
