"""Which missed time runs, which are recorded, and when to look again."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import takewhile

from hypothesis import given
from hypothesis import strategies as st

from runyard.schedule import catchup
from runyard.schedule.catchup import Due, Skipped, due
from runyard.schedule.cron import next_times

HOUR, DAY = 3600.0, 86_400.0
NOON = datetime(2024, 5, 5, 12, tzinfo=timezone.utc).timestamp()


def hourly(since: float, now: float, *, including_since: bool = False) -> Due:
    return due(["@hourly"], "UTC", since=since, now=now, including_since=including_since)


def test_nothing_is_due_between_two_times() -> None:
    assert hourly(NOON, NOON + 600) == Due(None, None, NOON + HOUR)


def test_a_time_is_due_as_it_comes() -> None:
    assert hourly(NOON, NOON + HOUR) == Due(NOON + HOUR, None, NOON + 2 * HOUR)


def test_of_several_missed_times_the_latest_runs_and_the_others_are_told() -> None:
    skipped = Skipped(NOON + HOUR, NOON + 3 * HOUR, 3)
    assert hourly(NOON, NOON + 4.5 * HOUR) == Due(NOON + 4 * HOUR, skipped, NOON + 5 * HOUR)


def test_of_two_missed_times_one_is_skipped() -> None:
    assert hourly(NOON + 1, NOON + 2 * HOUR).skipped == Skipped(NOON + HOUR, NOON + HOUR, 1)


def test_started_exactly_on_a_boundary_fires() -> None:
    assert hourly(NOON, NOON, including_since=True).time == NOON
    assert hourly(NOON, NOON).time is None
    assert hourly(NOON + 0.2, NOON + 0.4, including_since=True).time is None
    assert hourly(NOON, NOON + 2 * HOUR, including_since=True).skipped == Skipped(NOON, NOON + HOUR, 2)


def test_a_clock_that_went_back_decides_nothing_twice() -> None:
    assert hourly(NOON, NOON - 3 * HOUR) == Due(None, None, NOON + HOUR)


def test_missed_members_of_a_union_collapse_to_the_latest() -> None:
    found = due(["0 0 * * *", "0 6 * * *"], "UTC", since=NOON, now=NOON + DAY)
    assert (found.time, found.skipped) == (NOON + 0.75 * DAY, Skipped(NOON + 0.5 * DAY, NOON + 0.5 * DAY, 1))


def test_a_very_long_absence_is_counted_as_at_least() -> None:
    found = due(["* * * * *"], "UTC", since=NOON, now=NOON + 400 * DAY)
    assert found.time == NOON + 400 * DAY
    assert found.skipped == Skipped(NOON + 60, NOON + 400 * DAY - 60, catchup.COUNTED, exact=False)


@given(
    st.sampled_from([["*/7 * * * *"], ["@hourly"], ["30 1 * * *", "0 3 * * sun"], ["@weekly"]]),
    st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe"]),
    st.lists(st.integers(1, 200_000), min_size=1, max_size=6),
)
def test_passes_one_after_the_other_leave_no_time_undecided(crons: list[str], zone: str, steps: list[int]) -> None:
    """Fires and recorded skips together are exactly the times of the schedule."""
    begin = since = datetime(2024, 11, 2, tzinfo=timezone.utc).timestamp()
    decided: list[float] = []
    for step in steps:
        now = since + step
        found = due(crons, zone, since=since, now=now)
        if found.skipped:
            missed = list(takewhile(lambda time, end=found.time: time < end, next_times(crons, zone, since)))
            assert (missed[0], missed[-1], len(missed)) == (
                found.skipped.first,
                found.skipped.last,
                found.skipped.count,
            )
            decided += missed
        decided += [found.time] if found.time is not None else []
        assert found.next_at is not None
        assert found.next_at > now
        since = now
    assert decided == list(takewhile(lambda time: time <= since, next_times(crons, zone, begin)))
