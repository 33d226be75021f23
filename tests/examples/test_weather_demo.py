"""What `make demo` runs, as real processes: files land, runs queue, are overtaken and finish."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from weather_demo import demo

LIMIT = 60  # seconds without any sign of life


def runs(url: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/api/v1/runs?limit=1000", timeout=LIMIT) as answer:  # noqa: S310 - loopback
        found: list[dict[str, Any]] = json.load(answer)
    return found


def overtaken(found: list[dict[str, Any]]) -> bool:
    """Whether a day's run that was asked for later went before an old month and both sorts of run finished."""
    finished = {run["job_name"] for run in found if run["status"] == "SUCCESS"}
    months = [run for run in found if run["job_name"] == "reprocess_month"]
    days = [run for run in found if run["job_name"] == "ingest_day" and run["launch_seq"]]
    return finished >= {"ingest_day", "reprocess_month"} and any(
        day["queue_seq"] > month["queue_seq"] and day["launch_seq"] < month["launch_seq"]
        for day in days
        for month in months
        if month["launch_seq"]
    )


def test_demo_shows_runs_that_queue_are_overtaken_and_finish(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    most = 0
    with demo(home) as (process, url):
        family = psutil.Process(process.pid).children(recursive=True)
        with urllib.request.urlopen(f"{url}/api/v1/events", timeout=LIMIT) as stream:  # noqa: S310 - loopback
            while not overtaken(found := runs(url)):
                active = [run for run in found if run["status"] in ("STARTING", "STARTED", "CANCELING")]
                most = max(most, len(active))
                # Any event of the stream: something has changed.
                stream.readline()
    assert process.returncode == 0
    assert most == 2
    assert list((home / "data" / "landing").glob("2013-01-*.csv"))
    _, alive = psutil.wait_procs(family, timeout=LIMIT)
    assert alive == []
