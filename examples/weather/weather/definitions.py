"""What the code location offers: workspace.yaml names this module."""

import runyard as dg

from .automation import new_day_files, old_months, report_every_minute
from .jobs import ingest_day, monthly_report, reprocess_month
from .paths import data_directory
from .resources import LandingDirectory, Pace, WeatherDatabase

defs = dg.Definitions(
    jobs=[ingest_day, reprocess_month, monthly_report],
    sensors=[new_day_files, old_months],
    schedules=[report_every_minute],
    resources={
        "landing": LandingDirectory(path=str(data_directory() / "landing")),
        "database": WeatherDatabase(path=str(data_directory() / "weather.db")),
        "pace": Pace(),
    },
)
