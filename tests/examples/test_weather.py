"""The example's jobs, sensors and schedule, run in this process without waiting."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from weather import automation, jobs
from weather.days import recorded
from weather.resources import LandingDirectory, Pace, WeatherDatabase
from weather.station import deliver

import runyard as dg

DAYS_2013 = [day for day in recorded() if day.date.year == 2013]


@pytest.fixture
def landing(tmp_path: Path) -> LandingDirectory:
    (tmp_path / "landing").mkdir()
    return LandingDirectory(path=str(tmp_path / "landing"))


@pytest.fixture
def database(tmp_path: Path) -> WeatherDatabase:
    return WeatherDatabase(path=str(tmp_path / "weather.db"))


@pytest.fixture
def resources(landing: LandingDirectory, database: WeatherDatabase) -> dict[str, Any]:
    return {"landing": landing, "database": database, "pace": Pace(factor=0)}


def land(landing: LandingDirectory, count: int) -> list[str]:
    for day in DAYS_2013[:count]:
        deliver(day, Path(landing.path))
    return [day.file_name for day in DAYS_2013[:count]]


def test_a_day_that_landed_is_stored(
    landing: LandingDirectory, database: WeatherDatabase, resources: dict[str, Any]
) -> None:
    land(landing, 1)
    config = dg.RunConfig(ops={"read_day": jobs.DayFile(file_name="2013-01-01.csv")})
    result = jobs.ingest_day.execute_in_process(run_config=config, resources=resources)
    assert result.success
    assert database.days_of("2013-01") == DAYS_2013[:1]


def test_an_unbelievable_day_fails_and_is_not_stored(
    landing: LandingDirectory, database: WeatherDatabase, resources: dict[str, Any]
) -> None:
    text = "date,precipitation,temp_max,temp_min,wind,weather\n2013-01-01,0,1,5,2,sun\n"
    (Path(landing.path) / "2013-01-01.csv").write_text(text, encoding="utf-8")
    config = dg.RunConfig(ops={"read_day": jobs.DayFile(file_name="2013-01-01.csv")})
    with pytest.raises(ValueError, match=r"the low 5.0 °C is above the high 1.0 °C"):
        jobs.ingest_day.execute_in_process(run_config=config, resources=resources)
    assert database.latest_month() is None


def test_an_old_month_is_worked_through_twice_with_the_same_outcome(
    database: WeatherDatabase, resources: dict[str, Any]
) -> None:
    config = dg.RunConfig(ops={"read_month": jobs.MonthToDo(year=2012, month=2)})
    for _ in range(2):
        assert jobs.reprocess_month.execute_in_process(run_config=config, resources=resources).success
    month = database.month("2012-02")
    assert month is not None
    assert month.days == len(database.days_of("2012-02")) == 29


def test_a_month_that_no_year_has_is_refused(resources: dict[str, Any]) -> None:
    config = {"ops": {"read_month": {"config": {"year": 2012, "month": 13}}}}
    with pytest.raises(Exception, match="month"):
        jobs.reprocess_month.execute_in_process(run_config=config, resources=resources)


def test_the_report_compares_with_the_same_month_of_2012(
    tmp_path: Path, database: WeatherDatabase, resources: dict[str, Any]
) -> None:
    database.store_days(DAYS_2013[:10])
    old = dg.RunConfig(ops={"read_month": jobs.MonthToDo(year=2012, month=1)})
    jobs.reprocess_month.execute_in_process(run_config=old, resources=resources)
    database.store_days(DAYS_2013[:10])
    config = dg.RunConfig(ops={"write_report": jobs.ReportOptions(directory=str(tmp_path / "reports"))})
    result = jobs.monthly_report.execute_in_process(run_config=config, resources=resources)
    report = Path(result.output_for_node("write_report"))
    assert report == tmp_path / "reports" / "2013-01.md"
    assert [line[:14] for line in report.read_text(encoding="utf-8").splitlines()[2:]] == [
        "| 2013-01 | 10",
        "| 2012-01 | 31",
    ]


def test_the_sensor_asks_once_for_each_new_file(landing: LandingDirectory) -> None:
    names = land(landing, 3)
    result = automation.new_day_files(dg.build_sensor_context(cursor=names[0]), landing=landing)
    assert [request.run_key for request in result.run_requests] == names[1:]
    assert result.cursor == names[-1]
    again = automation.new_day_files(dg.build_sensor_context(cursor=result.cursor), landing=landing)
    assert isinstance(again, dg.SkipReason)


def test_the_old_months_are_asked_for_once() -> None:
    result = automation.old_months(dg.build_sensor_context())
    assert [request.run_key for request in result.run_requests] == [f"2012-{month:02d}" for month in range(1, 13)]
    assert isinstance(automation.old_months(dg.build_sensor_context(cursor=result.cursor)), dg.SkipReason)


def test_the_schedule_waits_until_there_is_something_to_report(database: WeatherDatabase) -> None:
    context = dg.build_schedule_context(scheduled_execution_time=dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc))
    assert isinstance(automation.report_every_minute(context, database=database), dg.SkipReason)
    database.store_days(DAYS_2013[:1])
    assert isinstance(automation.report_every_minute(context, database=database), dg.RunRequest)


def test_every_job_shares_the_database_by_its_tag() -> None:
    tags = {job.name: job.tags for job in (jobs.ingest_day, jobs.reprocess_month, jobs.monthly_report)}
    assert {found["database"] for found in tags.values()} == {"weather"}
    priorities = {name: int(found.get("dagster/priority", "0")) for name, found in tags.items()}
    assert priorities == {"monthly_report": 5, "ingest_day": 0, "reprocess_month": -1}
