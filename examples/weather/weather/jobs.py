"""The three jobs. They share one database, and each says so with a tag that runyard.yaml limits."""

from pathlib import Path

import runyard as dg
from pydantic import Field

from .days import Day, recorded
from .months import Month, month_name, summarise
from .resources import LandingDirectory, Pace, WeatherDatabase

USES_DATABASE = {"database": "weather"}


class DayFile(dg.Config):
    """Which file to store."""

    file_name: str = Field(description="A file in the landing directory, such as 2013-01-31.csv")


@dg.op(description="Read one day's file and look whether its figures can be true.")
def read_day(context: dg.OpExecutionContext, config: DayFile, landing: LandingDirectory, pace: Pace) -> Day:
    """Raises ValueError for a file that does not hold one believable day."""
    day = landing.read(config.file_name)
    if day.temp_min > day.temp_max:
        raise ValueError(f"{config.file_name}: the low {day.temp_min} °C is above the high {day.temp_max} °C.")
    pace.work_for(0.5)
    context.log.info(f"{day.date}: {day.weather}, {day.temp_min} to {day.temp_max} °C, {day.precipitation} mm")
    return day


@dg.op(description="Store the day.", retry_policy=dg.RetryPolicy(max_retries=2, delay=1))
def store_day(day: Day, database: WeatherDatabase, pace: Pace) -> None:
    """The retry policy is for a database that is busy."""
    pace.work_for(0.5)
    database.store_days([day])


@dg.job(tags=USES_DATABASE, description="Store one day's file.")
def ingest_day() -> None:
    """Asked for by the sensor ``new_day_files``, once for each file that lands."""
    store_day(read_day())


class MonthToDo(dg.Config):
    """Which month to work through."""

    year: int = Field(ge=2012, le=2015)
    month: int = Field(ge=1, le=12)


@dg.op(description="Read a whole month from the record.")
def read_month(context: dg.OpExecutionContext, config: MonthToDo, pace: Pace) -> list[Day]:
    """The days as they were recorded, whatever was stored of them earlier."""
    days = [day for day in recorded() if (day.date.year, day.date.month) == (config.year, config.month)]
    pace.work_for(1.5)
    context.log.info(f"{len(days)} days of {month_name(days[0].date)}")
    return days


@dg.op(description="Store the month's days and its figures.")
def store_month(context: dg.OpExecutionContext, days: list[Day], database: WeatherDatabase, pace: Pace) -> None:
    """Storing a month twice leaves the same rows."""
    month = summarise(days)
    pace.work_for(1.5)
    database.store_days(days)
    database.store_month(month)
    context.log.info(month.line())


# Below the default of 0: a day's file that lands later goes first all the same.
@dg.job(tags={**USES_DATABASE, "dagster/priority": "-1"}, description="Work through an old month again.")
def reprocess_month() -> None:
    """Asked for by the sensor ``old_months``, or by you in the Launchpad."""
    store_month(read_month())


class ReportOptions(dg.Config):
    """Where the report goes."""

    directory: str = Field(description="Made when it does not exist")


@dg.op(description="The month that the newest stored day is in, and the same month of 2012.")
def compare_months(context: dg.OpExecutionContext, database: WeatherDatabase, pace: Pace) -> list[Month]:
    """The second is left out until ``reprocess_month`` has done it."""
    name = database.latest_month()
    if name is None:
        raise ValueError("Nothing is stored yet: a report needs at least one day.")
    pace.work_for(0.5)
    before = database.month(f"2012-{name[5:]}")
    if before is None:
        context.log.warning(f"2012-{name[5:]} has not been worked through yet: nothing to compare {name} with.")
    return [summarise(database.days_of(name)), *([before] if before else [])]


@dg.op(description="Write the comparison as a Markdown table.")
def write_report(context: dg.OpExecutionContext, config: ReportOptions, months: list[Month]) -> str:
    """Returns the path of the report."""
    lines = ["| month | days | rain | low to high |", "| --- | --- | --- | --- |", *(month.line() for month in months)]
    report = Path(config.directory) / f"{months[0].name}.md"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text("\n".join(lines) + "\n", encoding="utf-8")
    context.log.info(f"{report}\n" + "\n".join(lines))
    return str(report)


# A person waits for it, so it passes everything else in the queue.
@dg.job(tags={**USES_DATABASE, "dagster/priority": "5"}, description="Report the newest month.")
def monthly_report() -> None:
    """Asked for by the schedule ``report_every_minute``."""
    write_report(compare_months())
