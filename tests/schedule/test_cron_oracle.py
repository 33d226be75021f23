"""Cron times against brute force, around the changes of the clocks of all time zones."""

from __future__ import annotations

import functools
from itertools import takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cron_oracle import CronOracle, local_time
from hypothesis import given, settings
from hypothesis import strategies as st

from runyard.schedule.cron import next_times, previous_time

HOUR, DAY = 3600, 86_400
#: Years in which clocks changed in unusual ways too: Samoa and Tokelau lost a day, Lord Howe moves by 30 minutes.
START, END = 1_262_304_000, 1_830_297_600  # 2010-01-01 to 2028-01-01
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
DISTINCT = [
    "America/New_York",
    "Europe/London",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/St_Johns",
    "Africa/Casablanca",
    "America/Havana",
    "Asia/Gaza",
    "Asia/Tehran",
    "Antarctica/Troll",
    "America/Sao_Paulo",
    "Europe/Dublin",
    "America/Caracas",
    "Asia/Pyongyang",
]


@functools.cache
def changes(zone_name: str) -> list[int]:
    """When the clocks of a zone changed, to the minute."""
    zone = ZoneInfo(zone_name)
    found = []
    for day in range(START, END, DAY):
        low, high = day, day + DAY
        if local_time(low, zone).utcoffset() != local_time(high, zone).utcoffset():
            while high - low > 60:
                middle = (low + high) // 120 * 60
                same = local_time(middle, zone).utcoffset() == local_time(low, zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high)
    return found


def numbers(low: int, high: int, *, round_the_end: bool = True) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pairs = st.tuples(number, number).map(lambda pair: pair if round_the_end else tuple(sorted(pair)))
    span = pairs.map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.integers(1, 7)
    stepped = st.tuples(st.one_of(span, number, st.just("*")), step).map(lambda p: f"{p[0]}/{p[1]}")
    return st.lists(st.one_of(number.map(str), span, stepped), min_size=1, max_size=3).map(",".join)


#: Hours near midnight to four, when clocks change, come up more often than others.
minutes = st.one_of(st.just("*"), st.sampled_from(["*/15", "*/7", "0", "30", "0,30", "0/20"]), numbers(0, 59))
hours = st.one_of(st.just("*"), st.sampled_from(["*/2", "0", "1", "2", "3", "0-23", "1-3", "22-2"]), numbers(0, 23))
days = st.one_of(st.sampled_from(["*", "?"]), st.sampled_from(["L", "*/2", "1", "*/1", "L,3"]), numbers(1, 28))
months = st.one_of(st.just("*"), st.sampled_from(["mar-apr", "SEP,OCT,NOV", "oct-MAR"]), numbers(1, 12))
weekdays = st.one_of(
    st.sampled_from(["*", "?"]),
    st.sampled_from(["7", "sun", "MON-FRI", "FRI-mon", "sun#2", "0#1", "5L", "L5", "sat", "*/2", "1/2", "sat#1,2"]),
    numbers(0, 7),
)
crons = st.tuples(minutes, hours, days, months, weekdays).map(" ".join)


@st.composite
def windows(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and a moment, most often close to a change of its clocks."""
    zone = draw(st.sampled_from(DISTINCT) | st.sampled_from(ZONES))
    known = changes(zone)
    near = st.sampled_from(known) if known else st.integers(START // 60, END // 60).map(lambda minute: minute * 60)
    return zone, draw(near) + 60 * draw(st.integers(-180, 180))


def walked(expressions: list[str], zone: str, first: int, last: int) -> list[float]:
    return sorted({time for cron in expressions for time in CronOracle(cron).times(zone, first, last)})


@settings(max_examples=150, deadline=None)
@given(st.lists(crons, min_size=1, max_size=2), windows())
def test_next_times_equal_a_walk_minute_by_minute(expressions: list[str], window: tuple[str, int]) -> None:
    zone, after = window
    last = after + 30 * HOUR
    found = list(takewhile(lambda time: time <= last, next_times(expressions, zone, after)))
    assert found == walked(expressions, zone, after + 60, last)
    assert found == sorted(set(found))


@settings(max_examples=100, deadline=None)
@given(st.lists(crons, min_size=1, max_size=2), windows(), st.integers(0, 59))
def test_the_previous_time_equals_a_walk_minute_by_minute(
    expressions: list[str], window: tuple[str, int], seconds: int
) -> None:
    zone, until = window
    expected = walked(expressions, zone, until - 30 * HOUR, until)
    found = previous_time(expressions, zone, until + seconds)
    if expected:
        assert found == expected[-1]
    else:
        assert found is None or found < until - 30 * HOUR


@settings(max_examples=100, deadline=None)
@given(crons, windows(), st.integers(1, 40))
def test_where_one_starts_makes_no_difference(expression: str, window: tuple[str, int], steps: int) -> None:
    """Every time that is found is found again from the one before it, and backwards from itself."""
    zone, after = window
    times = next_times([expression], zone, after)
    before = None
    for time, _ in zip(times, range(steps), strict=False):
        assert previous_time([expression], zone, time) == time
        if before is not None:
            assert next(next_times([expression], zone, before)) == time
            assert previous_time([expression], zone, time - 1) == before
        before = time


@pytest.mark.parametrize("expression", ["30 1 * * *", "30 2 * * *", "15 * * * *"])
def test_every_change_of_the_clocks_of_every_zone(expression: str) -> None:
    seen = set()
    for zone in ZONES:
        for change in changes(zone)[-3:]:
            local = local_time(change, ZoneInfo(zone))
            kind = (local.utcoffset(), local.replace(tzinfo=None), local_time(change - 60, ZoneInfo(zone)).utcoffset())
            if kind in seen:
                continue
            seen.add(kind)
            after, last = change - 4 * HOUR, change + 28 * HOUR
            after -= after % 60
            found = list(takewhile(lambda time, last=last: time <= last, next_times([expression], zone, after)))
            assert found == walked([expression], zone, after + 60, last), (zone, change)
    assert len(seen) > 50
