"""What asks for runs: two sensors and a schedule. All are on from the start."""

import runyard as dg

from .jobs import DayFile, MonthToDo, ReportOptions, ingest_day, monthly_report, reprocess_month
from .paths import data_directory
from .resources import LandingDirectory, WeatherDatabase


@dg.sensor(
    job=ingest_day,
    minimum_interval_seconds=1,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A run for each file that lands.",
)
def new_day_files(context: dg.SensorEvaluationContext, landing: LandingDirectory) -> dg.SensorResult | dg.SkipReason:
    """The cursor is the last file seen. The run key makes sure of one run a file, even if the cursor is set back."""
    names = landing.names(after=context.cursor or "")
    if not names:
        return dg.SkipReason(f"No file after {context.cursor or 'the start'} in {landing.path}")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=name, run_config=dg.RunConfig(ops={"read_day": DayFile(file_name=name)}))
            for name in names
        ],
        cursor=names[-1],
    )


@dg.sensor(
    job=reprocess_month,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks once for every month of 2012.",
)
def old_months(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Twelve runs at once, at priority -1: they fill the room that new files leave."""
    if context.cursor == "2012":
        return dg.SkipReason("Every month of 2012 has been asked for.")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(
                run_key=f"2012-{month:02d}",
                run_config=dg.RunConfig(ops={"read_month": MonthToDo(year=2012, month=month)}),
                tags={"month": f"2012-{month:02d}"},
            )
            for month in range(1, 13)
        ],
        cursor="2012",
    )


@dg.schedule(
    job=monthly_report,
    cron_schedule="* * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="A report every minute, once there is something to report.",
)
def report_every_minute(
    context: dg.ScheduleEvaluationContext, database: WeatherDatabase
) -> dg.RunRequest | dg.SkipReason:
    """Priority 5 comes from the job's tags."""
    if database.latest_month() is None:
        return dg.SkipReason(f"Nothing is stored yet at {context.scheduled_execution_time:%H:%M}.")
    options = ReportOptions(directory=str(data_directory() / "reports"))
    return dg.RunRequest(run_config=dg.RunConfig(ops={"write_report": options}))
