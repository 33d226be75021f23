"""One day's weather and the CSV that it travels in."""

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

COLUMNS = ("date", "precipitation", "temp_max", "temp_min", "wind", "weather")


@dataclass(frozen=True)
class Day:
    """What was measured on one day."""

    date: dt.date
    precipitation: float  # mm
    temp_max: float  # degrees Celsius
    temp_min: float  # degrees Celsius
    wind: float  # m/s
    weather: str

    @property
    def file_name(self) -> str:
        """The name of the file that brings this day: names sort by date."""
        return f"{self.date.isoformat()}.csv"


def parse(text: Iterable[str]) -> Iterator[Day]:
    """The days in a CSV with a header line.

    Raises:
        ValueError: a column is missing, or a value is not what the column holds.
    """
    rows = csv.DictReader(text)
    missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
    if missing:
        raise ValueError(f"The file has no column {', '.join(missing)}.")
    for row in rows:
        yield Day(
            date=dt.date.fromisoformat(row["date"].replace("/", "-")),
            precipitation=float(row["precipitation"]),
            temp_max=float(row["temp_max"]),
            temp_min=float(row["temp_min"]),
            wind=float(row["wind"]),
            weather=row["weather"],
        )


def to_csv(day: Day) -> str:
    """One day as a CSV of its own, header included."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow((day.date, day.precipitation, day.temp_max, day.temp_min, day.wind, day.weather))
    return out.getvalue()


@lru_cache(maxsize=1)
def recorded() -> tuple[Day, ...]:
    """Seattle, 2012 to 2015, from the PyPI package vega_datasets, oldest first.

    The file is read by its path: importing the package would import pandas.

    Raises:
        ModuleNotFoundError: vega_datasets is not installed.
    """
    spec = find_spec("vega_datasets")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("The weather comes from the package vega_datasets: pip install 'runyard[examples]'")
    path = Path(spec.origin).with_name("_data") / "seattle-weather.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(sorted(parse(file), key=lambda day: day.date))
