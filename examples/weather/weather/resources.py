"""What the jobs work with: a directory where files land, one database, and the pace of the demonstration."""

import datetime as dt
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, fields
from pathlib import Path

import runyard as dg

from .days import Day, parse
from .months import Month

SCHEMA = """
CREATE TABLE IF NOT EXISTS days (
    date TEXT PRIMARY KEY, precipitation REAL, temp_max REAL, temp_min REAL, wind REAL, weather TEXT);
CREATE TABLE IF NOT EXISTS months (
    name TEXT PRIMARY KEY, days INTEGER, rain REAL, rainy_days INTEGER, mean_high REAL, mean_low REAL);
"""


class LandingDirectory(dg.ConfigurableResource):
    """The directory in which the station leaves one file a day."""

    path: str

    def names(self, after: str = "") -> list[str]:
        """Names of the files that sort after ``after``, oldest day first."""
        return sorted(file.name for file in Path(self.path).glob("*.csv") if file.name > after)

    def read(self, name: str) -> Day:
        """The day in one file.

        Raises:
            FileNotFoundError: no such file has landed.
            ValueError: the file does not hold exactly one day.
        """
        with (Path(self.path) / name).open(encoding="utf-8", newline="") as file:
            days = list(parse(file))
        if len(days) != 1:
            raise ValueError(f"{name} holds {len(days)} days; a file of the station holds one.")
        return days[0]


class WeatherDatabase(dg.ConfigurableResource):
    """One SQLite file. Jobs that use it carry the tag ``database: weather``, which runyard.yaml limits."""

    path: str

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=20)) as connection, connection:
            connection.executescript(SCHEMA)
            yield connection

    def store_days(self, days: Iterable[Day]) -> None:
        """Insert days or replace those already there, all or none."""
        rows = [(day.date.isoformat(), *astuple(day)[1:]) for day in days]
        with self._transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?, ?)", rows)

    def days_of(self, month: str) -> list[Day]:
        """The stored days of a month such as ``2012-07``, in order."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT * FROM days WHERE date LIKE ? ORDER BY date", (f"{month}-%",)).fetchall()
        return [Day(dt.date.fromisoformat(date), *rest) for date, *rest in rows]

    def latest_month(self) -> str | None:
        """The month of the newest stored day, None while there is none."""
        with self._transaction() as connection:
            (newest,) = connection.execute("SELECT max(date) FROM days").fetchone()
        return newest[:7] if newest else None

    def store_month(self, month: Month) -> None:
        """Insert a month's figures or replace them."""
        with self._transaction() as connection:
            marks = ", ".join("?" for _ in fields(month))
            connection.execute(f"INSERT OR REPLACE INTO months VALUES ({marks})", astuple(month))  # noqa: S608 - only question marks

    def month(self, name: str) -> Month | None:
        """A month's stored figures, None when it has not been worked through."""
        with self._transaction() as connection:
            row = connection.execute("SELECT * FROM months WHERE name = ?", (name,)).fetchone()
        return Month(*row) if row else None


class Pace(dg.ConfigurableResource):
    """A few hundred lines of weather take no time at all: ops wait as long as a larger record would take.

    ``factor``: 1 for the demonstration, 0 to wait for nothing.
    """

    factor: float = 1.0

    def work_for(self, seconds: float) -> None:
        """Stand in for ``seconds`` of work."""
        time.sleep(seconds * self.factor)
