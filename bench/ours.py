"""Runyard, as it is installed in the interpreter that runs the benchmark."""

from __future__ import annotations

import compileall
import datetime as dt
import http
import json
import re
import sys
from pathlib import Path
from typing import Any

from .contender import JOB, BenchError, Contender, RunTimes, Server

ROOT = Path(__file__).parents[1]


class Runyard(Contender):
    """This repository."""

    name = "runyard"
    package = "runyard"
    home_variable = "RUNYARD_HOME"

    def __init__(self) -> None:
        super().__init__(Path(sys.executable).parent)
        # As pip does with what it installs; an editable checkout is left as it is.
        compileall.compile_dir(str(ROOT / "src"), quiet=1)

    def command(self, *arguments: str) -> list[str]:
        """``runyard …``"""
        return [str(self.bin / "runyard"), *arguments]

    def write_instance_file(self, home: Path, runs: int) -> None:
        """SQLite, queued coordinator: the defaults."""
        text = f"concurrency:\n  runs:\n    max_concurrent_runs: {runs}\n"
        (home / "runyard.yaml").write_text(text, encoding="ascii")

    def start(self, home: Path) -> Server:
        """``runyard dev``."""
        return RunyardServer(self, home)


class RunyardServer(Server):
    """Driven through its REST interface."""

    def daemons_beat(self) -> bool:
        """Heartbeats of an earlier process do not count."""
        daemons = self._get("/api/v1/daemons")
        return all((_seconds(d["last_heartbeat"]) or 0) >= self.begun for d in daemons if d["required"])

    def code_loaded(self) -> bool:
        """Whether the job is listed."""
        return any(job["name"] == JOB for job in self._get("/api/v1/jobs"))

    def submit(self, job: str = JOB) -> str:
        """``POST /api/v1/runs``: the run goes through the queue."""
        status, body = self.request("POST", "/api/v1/runs", {"job_name": job})
        if status != http.HTTPStatus.CREATED:
            raise BenchError(f"POST /api/v1/runs answered {status}: {body.decode()}")
        return str(json.loads(body)["run_id"])

    def runs(self, count: int) -> list[RunTimes]:
        """Newest first."""
        return [
            RunTimes(run["run_id"], run["status"], _seconds(run["started_at"]), _seconds(run["ended_at"]))
            for run in self._get(f"/api/v1/runs?limit={count}")
        ]

    def _get(self, path: str) -> Any:
        status, body = self.request("GET", path)
        if status != http.HTTPStatus.OK:
            raise BenchError(f"GET {path} answered {status}: {body.decode()}")
        return json.loads(body)


def _seconds(time: str | None) -> float | None:
    """ISO 8601 in UTC as seconds since the epoch."""
    # Python 3.10 reads neither Z nor fractions of other than three or six digits.
    if time is None:
        return None
    whole, fraction = re.fullmatch(r"(.{19})(\.\d+)?(?:Z|\+00:00)", time).groups()  # type: ignore[union-attr]
    return dt.datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(fraction or 0)
