"""Times as people write them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.operations.until import InvalidTime, parse_past, parse_until

NOW = datetime(2026, 11, 22, 5, 30, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", 7200),
        ("in 2h", 7200),
        ("  In 90M ", 5400),
        ("1h 30m", 5400),
        ("1h30min", 5400),
        ("1.5h", 5400),
        ("45s", 45),
        ("3d", 3 * 86400),
        ("1w", 7 * 86400),
        ("2026-11-22T06:30Z", 3600),
        ("2026-11-22T06:30:00.5+00:00", 3600.5),
        ("2026-11-22T08:30+02:00", 3600),
    ],
)
def test_what_is_understood(text: str, seconds: float) -> None:
    assert parse_until(text, now=NOW) == NOW + seconds


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 4 * 10**9))
def test_a_time_of_day_is_the_next_one(hour: int, minute: int, now: int) -> None:
    until = parse_until(f"{hour}:{minute:02}", now=now)
    local = datetime.fromtimestamp(until).astimezone()
    assert (local.hour, local.minute) == (hour, minute)
    # A day on which the clock is put back has 25 hours.
    assert 0 < until - now <= 25 * 3600


def test_a_time_without_an_offset_is_of_this_machine() -> None:
    wanted = datetime(2030, 1, 31, 18, 0).astimezone().timestamp()
    assert parse_until("2030-01-31T18:00", now=NOW) == wanted
    assert parse_until("2030-01-31 18:00", now=NOW) == wanted


@pytest.mark.parametrize(
    "text", ["", "soon", "2", "h", "24:00", "18:60", "2 hours", "in", "tomorrow", "1e9h", "-2h", "9999-99-99", "0h"]
)
def test_what_is_not_says_what_would_be(text: str) -> None:
    with pytest.raises(InvalidTime, match=r"write an ISO 8601 time such as .* a time of day such as 18:00, or 2h"):
        parse_until(text, now=NOW)


@pytest.mark.parametrize("text", ["2020-01-01", "2026-11-22T05:30Z"])
def test_a_time_that_is_over_is_refused(text: str) -> None:
    with pytest.raises(InvalidTime, match="is over already"):
        parse_until(text, now=NOW)


@given(st.text(max_size=30))
def test_any_text_is_a_later_time_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidTime):
        assert parse_until(text, now=NOW) > NOW


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def _utc(month: int, day: int, hour: int, minute: int = 0) -> float:
    return datetime(2026, month, day, hour, minute, tzinfo=timezone.utc).timestamp()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("now", "text", "following", "last"),
    [
        # From 3:00 the clock goes back to 2:00: every time of that hour comes twice.
        (_utc(10, 25, 0, 30), "2:45", _utc(10, 25, 0, 45), _utc(10, 24, 0, 45)),
        (_utc(10, 25, 0, 50), "2:45", _utc(10, 25, 1, 45), _utc(10, 25, 0, 45)),
        (_utc(10, 25, 1, 30), "2:45", _utc(10, 25, 1, 45), _utc(10, 25, 0, 45)),
        (_utc(10, 25, 1, 50), "2:45", _utc(10, 26, 1, 45), _utc(10, 25, 1, 45)),
        # At 2:00 it goes on to 3:00: what there is not is meant by the offset of before.
        (_utc(3, 29, 0, 30), "2:30", _utc(3, 29, 1, 30), _utc(3, 28, 1, 30)),
        (_utc(3, 29, 1, 40), "2:30", _utc(3, 30, 0, 30), _utc(3, 29, 1, 30)),
    ],
)
def test_a_time_of_day_while_the_clock_changes(now: float, text: str, following: float, last: float) -> None:
    assert parse_until(text, now=now) == following
    assert parse_past(text, now=now) == last


@pytest.mark.parametrize("text", ["0002-01-01", "1900-01-01T00:00Z", "99999999999d", "40000d ago"])
def test_a_past_that_no_record_reaches_is_refused(text: str) -> None:
    with pytest.raises(InvalidTime, match=r"is more than a hundred years ago|is no time"):
        parse_past(text, now=NOW)
