"""A real ``runyard dev`` in a directory of its own, steered over HTTP and by gates that its jobs wait at."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from .gates import Gates

JOBS = """
import pathlib, socket
import runyard as dg

HERE = pathlib.Path(__file__).parent

class Load(dg.Config):
    days: int
    table: str = "weather"

def wait_at_the_gate(context):
    # Returns once the test lets this run go, or is over.
    port = int((HERE / "gates").read_text())
    with socket.create_connection(("127.0.0.1", port)) as gate:
        gate.sendall(f"{context.run_id}\\n".encode())
        gate.recv(1)

@dg.op
def gated(context):
    context.log.info("at the gate")
    print("printed at the gate", flush=True)
    wait_at_the_gate(context)
    context.log.info("through the gate")
    print("printed behind the gate", flush=True)

@dg.job
def gate():
    gated()

@dg.op(pool="db")
def gated_in_pool(context):
    wait_at_the_gate(context)

@dg.job
def pooled():
    gated_in_pool()

@dg.op
def load(context, config: Load):
    context.log.info(f"loaded {config.days} days")

@dg.job
def report():
    load()

@dg.op
def broken():
    raise ValueError("the partner's file is empty")

@dg.job
def failing():
    broken()

@dg.op
def fetch():
    print("fetched 3 files", flush=True)
    return [1, 2, 3]

@dg.op(retry_policy=dg.RetryPolicy(max_retries=1, delay=0.05))
def parse(context, files):
    if not (HERE / "mended").exists():
        raise KeyError("precip_mm")
    return sum(files)

@dg.op
def publish(total):
    print(f"published {total}", flush=True)

@dg.job
def ingest():
    publish(parse(fetch()))

@dg.op
def chatty():
    for number in range(5000):
        print(f"line {number + 1}")

@dg.job
def printing():
    chatty()

@dg.schedule(cron_schedule="0 6 * * *", job=gate)
def every_morning():
    return dg.RunRequest()

defs = dg.Definitions(jobs=[gate, pooled, report, failing, ingest, printing], schedules=[every_morning])
"""

INSTANCE = """
concurrency:
  runs:
    max_concurrent_runs: 4
    tag_concurrency_limits:
      - {key: team, value: docs, limit: 1}
  pools:
    granularity: run
    limits: {db: 1}
"""


class DevYard:
    """Started by ``with``; ``url`` is where its pages are."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        home = directory / "home"
        home.mkdir()
        (home / "runyard.yaml").write_text(INSTANCE)
        (directory / "jobs.py").write_text(JOBS)
        self._gates = Gates()
        (directory / "gates").write_text(str(self._gates.port))
        self._env = {**os.environ, "RUNYARD_HOME": str(home), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
        self._said: list[str] = []
        self._moved = threading.Condition()
        self._client: httpx.Client | None = None
        self.url = ""

    def __enter__(self) -> DevYard:
        command = [sys.executable, "-m", "runyard.cli.main", "dev", "-f", "jobs.py", "-p", "0"]
        self._process = subprocess.Popen(
            command, cwd=self.directory, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url = self.wait_said(r"Page\s+(http://\S+)")[1]
            self.wait_said(r"Location\s+jobs\.py loaded")
        except AssertionError:
            self.__exit__()
            raise
        self._client = httpx.Client(base_url=f"{self.url}/api/v1", timeout=30)
        return self

    def __exit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._gates.close()
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        if self._client is not None:
            self._client.close()

    @property
    def client(self) -> httpx.Client:
        assert self._client is not None, "used outside of its with block"
        return self._client

    def wait_said(self, pattern: str) -> re.Match[str]:
        """The first line of its output that fits; fails with all of it after 30 s, or when the process ended."""
        with self._moved:
            self._moved.wait_for(lambda: self._found(pattern) or not self._reader.is_alive(), timeout=30)
            found = self._found(pattern)
        assert found, f"not said: {pattern}\n{''.join(self._said)}"
        return found

    def launch(self, job: str, *, run_config: dict[str, Any] | None = None, **tags: str) -> str:
        """Ask for a run; its id."""
        answer = self.client.post("/runs", json={"job_name": job, "run_config": run_config or {}, "tags": tags})
        assert answer.status_code == 201, answer.text
        run_id: str = answer.json()["run_id"]
        return run_id

    def launch_many(self, job: str, amount: int, **tags: str) -> None:
        """Ask for as many runs at once, at most 1,000."""
        answer = self.client.post("/runs/batch", json={"runs": [{"job_name": job, "tags": tags}] * amount})
        assert answer.status_code == 201, answer.text

    def command(self, *arguments: str) -> Any:
        """What a ``runyard`` command answers in JSON about this yard."""
        command = [sys.executable, "-m", "runyard.cli.main", *arguments, "--json"]
        done = subprocess.run(
            command, cwd=self.directory, env=self._env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def go(self, run_id: str) -> None:
        """Open the gate for this run."""
        self._gates.open(run_id)

    def run(self, run_id: str) -> dict[str, Any]:
        shape: dict[str, Any] = self.client.get(f"/runs/{run_id}").json()
        return shape

    def wait_status(self, run_id: str, *statuses: str) -> dict[str, Any]:
        """The run once it has one of ``statuses``, looked at whenever the event stream says that runs moved."""
        with httpx.Client(timeout=30) as client, client.stream("GET", f"{self.url}/api/v1/events") as stream:
            for line in stream.iter_lines():
                # The first event is the hello: whatever moves after it is heard.
                if line.startswith("event:") and (run := self.run(run_id))["status"] in statuses:
                    return run
        raise AssertionError(f"the event stream ended before run {run_id} was {' or '.join(statuses)}")

    def finish_everything(self) -> None:
        """Leave nothing waiting or running for the next test."""
        self.client.post("/runs/cancel", json={"all": True})
        active = {"status": ["STARTING", "STARTED", "CANCELING"], "limit": 100}
        for run in self.client.get("/runs", params=active).json():
            self.go(run["run_id"])
            self.wait_status(run["run_id"], "CANCELED", "SUCCESS", "FAILURE")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._moved:
                self._said.append(line)
                self._moved.notify_all()
        with self._moved:
            self._moved.notify_all()

    def _found(self, pattern: str) -> re.Match[str] | None:
        return next((found for line in self._said if (found := re.search(pattern, line))), None)
