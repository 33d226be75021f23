"""A month in figures."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from .days import Day


@dataclass(frozen=True)
class Month:
    """``name`` is ``2012-07``; temperatures in degrees Celsius, rain in mm."""

    name: str
    days: int
    rain: float
    rainy_days: int
    mean_high: float
    mean_low: float

    def line(self) -> str:
        """One row of the report's table."""
        return (
            f"| {self.name} | {self.days} | {self.rain:.1f} mm on {self.rainy_days} days "
            f"| {self.mean_low:.1f} to {self.mean_high:.1f} °C |"
        )


def month_name(date: dt.date) -> str:
    """``2012-07``: names sort by time."""
    return f"{date:%Y-%m}"


def summarise(days: Sequence[Day]) -> Month:
    """The figures of one month, from at least one day of it."""
    return Month(
        name=month_name(days[0].date),
        days=len(days),
        rain=sum(day.precipitation for day in days),
        rainy_days=sum(day.precipitation > 0 for day in days),
        mean_high=fmean(day.temp_max for day in days),
        mean_low=fmean(day.temp_min for day in days),
    )
