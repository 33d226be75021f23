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
    """One field without L and #."""
    found = set[int]()
    for part in text.upper().split(","):
        span, _, step = part.partition("/")
        if span == "*":
            first, last = low, high
        else:
            ends = [
                names.index(end) + (low if len(names) == 12 else 0) if end in names else int(end)
                for end in span.split("-")
            ]
            first, last = ends[0], ends[-1] if len(ends) == 2 or not step else high
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


@dataclass
class CronOracle:
    expression: str

    def __post_init__(self) -> None:
        minute, hour, day, month, weekday = self.expression.split()
        self.minutes, self.hours = numbers(minute, 0, 59), numbers(hour, 0, 23)
        self.months = numbers(month, 1, 12, tuple(MONTHS))
        self.day, self.weekday = day, weekday
        self.both = day.startswith("*") or weekday.startswith("*")
        self.real_time = minute.startswith("*") or hour.startswith("*") or len(self.hours) == 24

    def day_matches(self, local: datetime) -> bool:
        if self.day == "L":
            return local.day == calendar.monthrange(local.year, local.month)[1]
        return local.day in numbers(self.day, 1, 31)

    def weekday_matches(self, local: datetime) -> bool:
        ours = local.isoweekday() % 7
        if "#" in self.weekday:
            name, nth = self.weekday.split("#")
            return ours in numbers(name, 0, 7, tuple(DAYS)) and (local.day - 1) // 7 + 1 == int(nth)
        if self.weekday.endswith("L"):
            last = calendar.monthrange(local.year, local.month)[1]
            return ours == int(self.weekday[:-1]) % 7 and local.day + 7 > last
        return ours in {number % 7 for number in numbers(self.weekday, 0, 7, tuple(DAYS))}

    def matches(self, local: datetime) -> bool:
        if local.minute not in self.minutes or local.hour not in self.hours or local.month not in self.months:
            return False
        day, weekday = self.day_matches(local), self.weekday_matches(local)
        return (day and weekday) if self.both else (day or weekday)

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
