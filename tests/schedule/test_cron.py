"""Cron expressions: what is refused and how it is said, and the times that people are surprised by."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from runyard.core.errors import InvalidDefinition
from runyard.core.text import quoted
from runyard.schedule.cron import next_times, previous_time, validate_cron, validate_crons, validate_timezone
from runyard.schedule.errors import InvalidCron, UnknownTimezone


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def local(crons: str | list[str], after: str, count: int, zone: str = "UTC") -> list[str]:
    """The next times as clocks of the zone show them, with the offset."""
    expressions = [crons] if isinstance(crons, str) else crons
    times = islice(next_times(expressions, zone, at(after, zone)), count)
    return [datetime.fromtimestamp(time, ZoneInfo(zone)).strftime("%m-%d %H:%M %z") for time in times]


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "0 9 * * MON-FRI",
        "0 0 * * mon#1",
        "0 0 L * *",
        "0 0 * * 7",
        "*/90 * * * *",
        "0 0 29 2 *",
        "0 0 * * 5L",
        "0 9 ? * MON",
        "0 9 1 * ?",
        "0 0 ? * ?",
        "0 9 * * L5",
        "0 9 * * 1,L5",
        "0 9 * * 6-0",
        "0 22-2 * * *",
        "0 0 1 11-2 *",
        "0 0 1 NOV-feb *",
        "0 0 30 2 1",
        "0\n9 * *\t*",
        "@hourly",
        "@daily",
        "@midnight",
        "@weekly",
        "@monthly",
        "@yearly",
        "@annually",
        "@Daily",
        "  0 0  1 jan *  ",
    ],
)
def test_accepted(expression: str) -> None:
    validate_cron(expression)
    assert next(next_times([expression], "UTC", at("2024-01-01"))) > at("2024-01-01")


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("* * * * * *", "it has 6 fields and needs five: minute, hour, day of month, month, day of week"),
        ("", "it has 0 fields"),
        ("61 * * * *", "minute '61' is not valid; it takes 0 to 59"),
        ("* 24 * * *", "hour '24' is not valid"),
        ("0 0 32 * *", "day of month '32' is not valid"),
        ("0 0 0 * *", "day of month '0' is not valid"),
        ("0 0 * 13 *", "month '13' is not valid"),
        ("0 0 * * 8", "day of week '8' is not valid"),
        ("0 0 * * mon#6", "day of week 'mon#6' is not valid"),
        ("0 0 * * MOO", "day of week 'MOO' is not valid"),
        ("*/0 * * * *", "minute '*/0' is not valid; a step is a number from 1 up"),
        ("0 0 15W * *", "day of month '15W' is not valid; it takes 1 to 31, L for the last day, or ? for any"),
        ("0 0 L-3 * *", "day of month 'L-3' is not valid"),
        ("0 0 ?/2 * *", "day of month '?/2' is not valid"),
        ("0 0 ?,5 * *", "day of month '?' in '?,5' is not valid"),
        ("0 ? * * *", "hour '?' is not valid; it takes 0 to 23"),
        ("0 9 * * L", "day of week 'L' is not valid; it takes 0 to 7 (0 and 7 are Sunday), SUN to SAT, MON#1 for"),
        ("0 0 * * monday", "day of week 'monday' is not valid"),
        ("0 0 * * 1#1,mon#0", "day of week 'mon#0' in '1#1,mon#0' is not valid"),
        ("H H * * *", "minute 'H' is not valid"),
        ("-1 * * * *", "minute '-1' is not valid"),
        (f"*/{'9' * 5000} * * * *", "is not valid"),
        ("\u0665 * * * *", "minute '\u0665' is not valid"),
        ("nonsense", "it has 1 field and needs five"),
        ("* * * * * 0", "Leave the seconds out"),
        ("1,,2 * * * *", "minute '1,,2' is not valid"),
        ("0 0 30 2 *", "day of month '30' never comes in month '2'"),
        ("0 0 31 2 *", "day of month '31' never comes in month '2'"),
        ("0 0 31 4,6,9,11 *", "day of month '31' never comes in month '4,6,9,11'"),
        ("@dayly", "there is no such alias. Did you mean '@daily'?"),
        ("@reboot", "there is no such alias"),
    ],
)
def test_refused_naming_expression_and_field(expression: str, said: str) -> None:
    with pytest.raises(InvalidCron) as refusal:
        validate_cron(expression)
    assert str(refusal.value).startswith(f"Cron schedule {quoted(expression)}: ")
    assert said in str(refusal.value)
    assert isinstance(refusal.value, InvalidDefinition)


def test_a_cron_that_is_no_string_is_refused() -> None:
    with pytest.raises(InvalidCron, match="Cron schedule '5': a cron schedule is a string of five fields"):
        validate_cron(5)  # type: ignore[arg-type] # what a user's code may pass


@pytest.mark.parametrize(
    "expression",
    [f"{','.join(['1'] * 20_000)},60 * * * *", "0 0 * * " + "x" * 20_000, "0 0 30" + "0" * 20_000 + " 2 *"],
)
def test_a_long_cron_is_cut_where_it_is_repeated(expression: str) -> None:
    with pytest.raises(InvalidCron) as caught:
        validate_cron(expression)
    assert len(str(caught.value)) < 600


def test_a_long_time_zone_is_cut_where_it_is_repeated() -> None:
    with pytest.raises(UnknownTimezone) as caught:
        validate_timezone("x" * 100_000)
    assert len(str(caught.value)) < 300


def test_an_empty_list_is_refused_and_each_member_is_checked() -> None:
    with pytest.raises(InvalidCron, match="an empty list never fires"):
        validate_crons([])
    with pytest.raises(InvalidCron, match="hour '25'"):
        validate_crons(["0 0 * * *", "0 25 * * *"])


def test_time_zones() -> None:
    validate_timezone("Europe/Zurich")
    with pytest.raises(UnknownTimezone, match=r"No time zone named 'Europe/Zurch'. Did you mean 'Europe/Zurich'\?"):
        validate_timezone("Europe/Zurch")
    for name in ("", "America", "/etc/passwd", "../UTC"):
        with pytest.raises(UnknownTimezone):
            validate_timezone(name)


def test_the_field_s_aliases_and_special_days() -> None:
    assert local("@hourly", "2024-05-05T10:20", 2) == ["05-05 11:00 +0000", "05-05 12:00 +0000"]
    assert local("@daily", "2024-05-05T10:20", 1) == ["05-06 00:00 +0000"]
    assert local("@weekly", "2024-05-05T10:20", 1) == ["05-12 00:00 +0000"]
    assert local("@monthly", "2024-05-05T10:20", 1) == ["06-01 00:00 +0000"]
    assert local("@yearly", "2024-05-05T10:20", 1) == ["01-01 00:00 +0000"]
    assert local("0 0 L * *", "2024-02-01", 2) == ["02-29 00:00 +0000", "03-31 00:00 +0000"]
    assert local("0 0 * * mon#1", "2024-05-08", 1) == ["06-03 00:00 +0000"]
    assert local("0 0 * * 7", "2024-05-06", 1) == local("0 0 * * SUN", "2024-05-06", 1) == ["05-12 00:00 +0000"]
    assert local("5-5/2 * * * *", "2024-05-05T10:20", 2) == ["05-05 11:05 +0000", "05-05 12:05 +0000"]


def test_the_29th_of_february_comes_in_leap_years_only() -> None:
    years = [
        datetime.fromtimestamp(time, timezone.utc).year
        for time in islice(next_times(["0 0 29 2 *"], "UTC", at("2023-01-01")), 3)
    ]
    assert years == [2024, 2028, 2032]


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 9 */2 * 1", "1 3 5 7 8 9 11"),
        ("0 9 13 * */2", "2 4 6 7 9 11 13"),
        ("0 9 1 * */1", "1 2 3 4 5 6 7"),
        ("0 9 1-31 * 1", "1 2 3 4 5 6 7"),
        ("0 9 * * 1", "1 8 15 22 29 5 12"),
        ("0 9 ? * 1", "1 8 15 22 29 5 12"),
        ("0 9 *,5 * 1", "1 8 15 22 29 5 12"),
        ("0 9 10 * ?", "10 10 10 10 10 10 10"),
        ("0 9 13 * 5#2", "12 13 9 13 8 13 12"),
        ("0 9 L * L1", "29 31 26 29 25 31 29"),
        ("0 9 * * 1/2", "1 3 5 8 10 12 15"),
        ("0 9 * * 6/2", "6 13 20 27 3 10 17"),
        ("0 9 * * 5-2/3", "1 5 8 12 15 19 22"),
        ("0 9 * * 3-3", "3 10 17 24 31 7 14"),
    ],
)
def test_a_day_field_restricts_unless_it_is_a_star_and_of_two_either_is_enough(expression: str, days: str) -> None:
    """From 1 January 2024, a Monday."""
    found = [time.split()[0].partition("-")[2] for time in local(expression, "2023-12-31T12:00", 7)]
    assert found == [day.zfill(2) for day in days.split()]


def test_a_range_goes_on_over_the_end_of_its_field_and_so_does_its_step() -> None:
    assert [time[6:11] for time in local("0 22-2 * * *", "2024-05-05T12:00", 6)] == [
        "22:00",
        "23:00",
        "00:00",
        "01:00",
        "02:00",
        "22:00",
    ]
    assert [time[6:11] for time in local("0 20-3/3 * * *", "2024-05-05T12:00", 4)] == [
        "20:00",
        "23:00",
        "02:00",
        "20:00",
    ]
    assert [time[:5] for time in local("0 0 1 11-2 *", "2024-05-05T12:00", 5)] == [
        "11-01",
        "12-01",
        "01-01",
        "02-01",
        "11-01",
    ]


def test_white_space_of_any_kind_separates_fields_and_is_not_in_messages() -> None:
    assert local("0\n9 *\t*  *", "2024-05-05", 1) == ["05-05 09:00 +0000"]
    with pytest.raises(InvalidCron) as refusal:
        validate_cron("0 99\n* * *")
    assert str(refusal.value) == "Cron schedule '0 99 * * *': hour '99' is not valid; it takes 0 to 23."


def test_a_list_is_the_union_and_a_shared_time_comes_once() -> None:
    assert local(["0 0 * * *", "0 */12 * * *"], "2024-05-05T10:20", 3) == [
        "05-05 12:00 +0000",
        "05-06 00:00 +0000",
        "05-06 12:00 +0000",
    ]


def test_hourly_over_the_hour_that_is_skipped() -> None:
    assert local("0 * * * *", "2024-03-10T00:30", 3, "America/New_York") == [
        "03-10 01:00 -0500",
        "03-10 03:00 -0400",
        "03-10 04:00 -0400",
    ]


def test_hourly_over_the_hour_that_comes_twice() -> None:
    assert local("0 * * * *", "2024-11-03T00:30", 3, "America/New_York") == [
        "11-03 01:00 -0400",
        "11-03 01:00 -0500",
        "11-03 02:00 -0500",
    ]
    assert local("30 * * * *", "2024-11-03T00:45", 2, "America/New_York") == ["11-03 01:30 -0400", "11-03 01:30 -0500"]


def test_daily_at_a_skipped_time_runs_when_the_gap_ends_on_that_day_only() -> None:
    assert local("30 2 * * *", "2024-03-09T00:00", 3, "America/New_York") == [
        "03-09 02:30 -0500",
        "03-10 03:00 -0400",
        "03-11 02:30 -0400",
    ]


@pytest.mark.parametrize("expression", ["30 1 * * *", "30 1 * * sun", "30 1 3 * *"])
def test_at_a_doubled_time_only_the_second_occurrence_counts(expression: str) -> None:
    assert local(expression, "2024-11-02T12:00", 1, "America/New_York") == ["11-03 01:30 -0500"]


def test_daily_keeps_its_local_time_over_both_changes() -> None:
    assert local("0 9 * * *", "2024-03-09T00:00", 2, "America/New_York") == ["03-09 09:00 -0500", "03-10 09:00 -0400"]
    assert local("0 9 * * *", "2024-11-02T00:00", 2, "America/New_York") == ["11-02 09:00 -0400", "11-03 09:00 -0500"]


def test_quarter_hours_in_sydney_go_from_1_45_to_3_00() -> None:
    assert local("*/15 * * * *", "2024-10-06T01:40", 2, "Australia/Sydney") == [
        "10-06 01:45 +1000",
        "10-06 03:00 +1100",
    ]


def test_a_change_by_half_an_hour() -> None:
    assert local("0 * * * *", "2024-04-07T01:10", 2, "Australia/Lord_Howe") == [
        "04-07 02:00 +1030",
        "04-07 03:00 +1030",
    ]
    assert local("45 1 * * *", "2024-04-06T12:00", 1, "Australia/Lord_Howe") == ["04-07 01:45 +1030"]
    assert local("0 0 * * *", "2024-05-05T10:00", 1, "Asia/Kathmandu") == ["05-06 00:00 +0545"]


def test_a_day_that_never_was() -> None:
    """Samoa went from 29 to 31 December 2011: what was due on the 30th comes as the 31st begins."""
    assert local("0 12 30 12 *", "2011-12-29T00:00", 1, "Pacific/Apia") == ["12-31 00:00 +1400"]


def test_the_start_is_excluded_forwards_and_included_backwards_to_the_fraction() -> None:
    noon = at("2024-05-05T12:00")
    assert next(next_times(["@hourly"], "UTC", noon)) == noon + 3600
    assert next(next_times(["@hourly"], "UTC", noon - 1e-6)) == noon
    assert next(next_times(["@hourly"], "UTC", noon + 0.3)) == noon + 3600
    assert previous_time(["@hourly"], "UTC", noon) == noon
    assert previous_time(["@hourly"], "UTC", noon - 1e-6) == noon - 3600
    assert previous_time(["@hourly"], "UTC", noon + 0.3) == noon
