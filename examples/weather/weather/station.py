"""The weather station: leaves one day's file in the landing directory every second or so.

``python -m weather.station`` goes on from the last day that landed, so it may be stopped and started at will.
It is a helper of the demonstration and knows nothing of Runyard.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from .days import Day, recorded, to_csv
from .paths import data_directory

FIRST_YEAR = 2013  # 2012 is history: the sensor old_months asks for it


def still_to_come(landing: Path) -> Iterator[Day]:
    """The recorded days after the last one in ``landing``, oldest first."""
    last = max((file.name for file in landing.glob("*.csv")), default="")
    return (day for day in recorded() if day.date.year >= FIRST_YEAR and day.file_name > last)


def deliver(day: Day, landing: Path) -> None:
    """Write one day's file. It appears under its name only when it is whole."""
    unfinished = landing / f".{day.file_name}.part"
    unfinished.write_text(to_csv(day), encoding="utf-8")
    unfinished.replace(landing / day.file_name)


def main() -> None:
    """Deliver until the record ends or somebody stops it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landing", type=Path, default=data_directory() / "landing", help="default: %(default)s")
    parser.add_argument("--every", type=float, default=1.0, metavar="SECONDS", help="default: %(default)s")
    parser.add_argument("--at-once", type=int, default=7, metavar="DAYS", help="held back so far, default: %(default)s")
    options = parser.parse_args()
    options.landing.mkdir(parents=True, exist_ok=True)
    for number, day in enumerate(still_to_come(options.landing), start=1):
        deliver(day, options.landing)
        if number >= options.at_once:
            time.sleep(options.every)


if __name__ == "__main__":
    main()
