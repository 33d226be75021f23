"""The data and the station: plain Python, no Runyard."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from pathlib import Path

import pytest
from weather.days import Day, parse, recorded, to_csv
from weather.months import summarise
from weather.station import deliver, still_to_come


def day(date: str, **figures: float) -> Day:
    given = {"precipitation": 0.0, "temp_max": 10.0, "temp_min": 2.0, "wind": 3.0, **figures}
    return Day(date=dt.date.fromisoformat(date), weather="sun", **given)


def test_the_record_holds_every_day_of_four_years() -> None:
    dates = [day.date for day in recorded()]
    first = dt.date(2012, 1, 1)
    assert dates == [first + dt.timedelta(days=n) for n in range(4 * 365 + 1)]


def test_the_record_holds_what_was_measured() -> None:
    fourth = recorded()[3]
    assert (fourth.precipitation, fourth.temp_max, fourth.weather) == (20.3, 12.2, "rain")


def test_a_day_survives_its_file() -> None:
    assert list(parse(to_csv(recorded()[500]).splitlines())) == [recorded()[500]]


def test_a_file_without_a_column_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no column temp_max, wind"):
        list(parse(["date,precipitation,temp_min,weather", "2013-01-01,0,1,sun"]))


def test_a_month_in_figures() -> None:
    month = summarise([day("2013-02-01", precipitation=4.5), day("2013-02-02", temp_max=20.0, temp_min=4.0)])
    assert month.line() == "| 2013-02 | 2 | 4.5 mm on 1 days | 3.0 to 15.0 °C |"


def test_the_station_goes_on_where_it_stopped(tmp_path: Path) -> None:
    for sent in islice(still_to_come(tmp_path), 3):
        deliver(sent, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["2013-01-01.csv", "2013-01-02.csv", "2013-01-03.csv"]
    assert next(still_to_come(tmp_path)).file_name == "2013-01-04.csv"
