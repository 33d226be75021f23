"""Cron by brute force: every second that starts a local minute is looked at. Shares no code with runyard.schedule."""

from __future__ import annotations

import calendar
import functools
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@functools.cache
def numbers(text: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    """One field without L, # and ?. A range that ends before it starts goes on over the end of the field."""
    found = set[int]()
    for part in text.upper().split(","):
        span, _, step = part.partition("/")
        values = list(range(low, high + 1)) * 2
        if span != "*":
            first, *last = [number(end, low, names) for end in span.split("-")]
            start = (first - low) % (high - low + 1)
            end = last[0] - low if last else high - low if step else start
            if last and last[0] == first:
                end = start
            values = values[start : 1 + (end if end >= start else end + high - low + 1)]
        else:
            values = values[: high - low + 1]
        found.update(values[:: int(step or 1)])
    return frozenset(found)


def number(text: str, low: int, names: tuple[str, ...]) -> int:
    return names.index(text) + low if text in names else int(text)


@dataclass
class CronOracle:
    """The rule: a day field restricts unless it is ``*`` or ``?``; of two that restrict, either is enough."""

    expression: str

    def __post_init__(self) -> None:
        minute, hour, day, month, weekday = self.expression.split()
        self.minutes, self.hours = numbers(minute, 0, 59), numbers(hour, 0, 23)
        self.months = numbers(month, 1, 12, tuple(MONTHS))
        self.day, self.weekday = day, weekday
        self.real_time = len(self.hours) == 24

    def day_matches(self, local: datetime) -> bool:
        parts = self.day.split(",")
        last = "L" in parts and local.day == calendar.monthrange(local.year, local.month)[1]
        return last or any(local.day in numbers(part, 1, 31) for part in parts if part != "L")

    def weekday_matches(self, local: datetime) -> bool:
        return any(self.weekday_part_matches(part, local) for part in self.weekday.split(","))

    def weekday_part_matches(self, part: str, local: datetime) -> bool:
        ours = local.isoweekday() % 7
        if "#" in part:
            name, nth = part.split("#")
            return ours == number(name.upper(), 0, tuple(DAYS)) % 7 and (local.day - 1) // 7 + 1 == int(nth)
        if part.startswith("L") or part.endswith("L"):
            last = calendar.monthrange(local.year, local.month)[1]
            return ours == int(part.strip("L")) % 7 and local.day + 7 > last
        return ours in numbers(part, 0, 6, tuple(DAYS))

    def matches(self, local: datetime) -> bool:
        if local.minute not in self.minutes or local.hour not in self.hours or local.month not in self.months:
            return False
        restrictions = [
            matches(local)
            for field, matches in ((self.day, self.day_matches), (self.weekday, self.weekday_matches))
            if field not in ("*", "?")
        ]
        return any(restrictions) or not restrictions

    def times(self, zone_name: str, first: int, last: int) -> list[float]:
        """All instants in [first, last], both whole minutes of UTC, walking minute by minute of real time."""
        zone = ZoneInfo(zone_name)
        found = []
        before = local_time(first - 60, zone)
        for instant in range(first, last + 1, 60):
            local = local_time(instant, zone)
            if self.fires(local, before):
                found.append(float(instant))
            before = local
        return found

    def fires(self, local: datetime, before: datetime) -> bool:
        if self.real_time:
            return self.matches(local)
        wall, wall_before = local.replace(tzinfo=None), before.replace(tzinfo=None)
        minute = timedelta(minutes=1)
        skipped = wall_before + minute
        while skipped < wall:
            if self.matches(skipped):
                return True
            skipped += minute
        return self.matches(local) and not first_of_two(local)


def first_of_two(local: datetime) -> bool:
    """The clock will show this local time once more."""
    return local.replace(fold=1).astimezone(timezone.utc) > local.astimezone(timezone.utc)


def local_time(instant: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(instant, zone)
