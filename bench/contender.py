"""What both systems must offer to be measured."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import processes

JOB = "stamp"
CODE_FILE = "stamp_job.py"
#: The same file for both but for the name of the package. Its op notes when user code was reached.
CODE = """\
import os
import time

import {package} as dg


@dg.op
def note(context):
    path = os.path.join(os.environ["RUNYARD_BENCH_STAMPS"], context.run_id)
    with open(path + ".part", "w") as file:
        file.write(repr(time.time()))
    os.replace(path + ".part", path)


@dg.job(executor_def=dg.in_process_executor)
def {job}():
    note()


@dg.op
def tiny():
    pass


@dg.job(executor_def=dg.multiprocess_executor)
def {many_steps}():
    for number in range({steps}):
        tiny.alias("tiny_%d" % number)()


defs = dg.Definitions(jobs=[{job}, {many_steps}])
"""
#: A job of so many steps that do nothing, each in a process of its own.
MANY_STEPS, STEPS = "many_steps", 50
#: Code that takes some 200 MB of Python objects when it is imported, and a run that waits until it is let go.
HEAVY_CODE = """\
import os
import time

import {package} as dg

TABLE = {{number: [str(number), float(number)] for number in range(780_000)}}


@dg.op
def wait(context):
    stamps = os.environ["RUNYARD_BENCH_STAMPS"]
    assert TABLE[len(context.run_id)]
    with open(os.path.join(stamps, context.run_id), "w") as file:
        file.write(repr(time.time()))
    while not os.path.exists(os.path.join(stamps, "..", "go")):
        time.sleep(0.25)


@dg.job(executor_def=dg.in_process_executor)
def {job}():
    wait()


defs = dg.Definitions(jobs=[{job}])
"""
START_LIMIT = 180.0
STOP_LIMIT = 30.0
#: PYTHONDONTWRITEBYTECODE would have a checkout compiled anew by every process; an installed package never is.
_NOT_PASSED_ON = ("DAGSTER_", "RUNYARD_", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
FINISHED = ("SUCCESS", "FAILURE", "CANCELED")


class BenchError(Exception):
    """A contender did not do what is measured; the message says what and where its log is."""


@dataclass(frozen=True)
class RunTimes:
    """Seconds since the epoch, as the contender recorded them."""

    run_id: str
    status: str
    started_at: float | None
    ended_at: float | None


class Contender(ABC):
    """One of the two systems: where its programs are and how it is set up."""

    name: str
    package: str
    home_variable: str

    def __init__(self, bin_directory: Path) -> None:
        self.bin = bin_directory

    @property
    def python(self) -> str:
        """The interpreter that has the package."""
        return str(self.bin / "python")

    @abstractmethod
    def command(self, *arguments: str) -> list[str]:
        """Its command line."""

    @abstractmethod
    def write_instance_file(self, home: Path, runs: int) -> None:
        """Defaults, but ``runs`` at a time."""

    @abstractmethod
    def start(self, home: Path) -> Server:
        """Start its development server on a home made by :meth:`prepare`."""

    def version(self) -> str:
        """Of the installed package."""
        code = f"from importlib.metadata import version; print(version({self.package!r}))"
        return subprocess.run([self.python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()

    def prepare(self, home: Path, code: str = CODE, runs: int = 10) -> Path:
        """A new home with the instance file and the jobs' code."""
        (home / "stamps").mkdir(parents=True)
        named = code.format(package=self.package, job=JOB, many_steps=MANY_STEPS, steps=STEPS)
        (home / CODE_FILE).write_text(named, encoding="utf-8")
        self.write_instance_file(home, runs)
        return home

    def environment(self, home: Path, mark: str = "") -> dict[str, str]:
        """Ours without whatever points at another home or environment, or keeps bytecode from being used."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_PASSED_ON)}
        return {
            **kept,
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            self.home_variable: str(home),
            "RUNYARD_BENCH_STAMPS": str(home / "stamps"),
            processes.MARK: mark,
        }


class Server(ABC):
    """A running development server: pages and daemons."""

    def __init__(self, contender: Contender, home: Path) -> None:
        self.home = home
        self.mark = uuid.uuid4().hex
        self.port = _free_port()
        self.log = home / "server.log"
        arguments = ("dev", "-f", str(home / CODE_FILE), "-h", "127.0.0.1", "-p", str(self.port))
        self.begun = time.time()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                contender.command(*arguments),
                env=contender.environment(home, self.mark),
                cwd=home,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @abstractmethod
    def daemons_beat(self) -> bool:
        """Whether every daemon that is on had a heartbeat since the start."""

    @abstractmethod
    def code_loaded(self) -> bool:
        """Whether a run of the job can be asked for."""

    @abstractmethod
    def submit(self, job: str = JOB) -> str:
        """Ask for a run of the job over HTTP; returns its id."""

    @abstractmethod
    def runs(self, count: int) -> list[RunTimes]:
        """The newest runs, up to ``count``."""

    def stamp(self, run_id: str) -> float | None:
        """When the run reached user code, None before that."""
        file = self.home / "stamps" / run_id
        return float(file.read_text(encoding="ascii")) if file.exists() else None

    def wait(self, what: str, condition: Callable[[], bool], limit: float = START_LIMIT, every: float = 0.05) -> float:
        """Seconds until it holds.

        Raises:
            BenchError: it took longer than ``limit`` seconds, or the server ended.
        """
        begun = time.monotonic()
        while not condition():
            if self._process.poll() is not None:
                raise BenchError(f"The server ended with {self._process.returncode}; see {self.log}")
            if time.monotonic() - begun > limit:
                raise BenchError(f"No {what} within {limit:.0f} s; see {self.log}")
            time.sleep(every)
        return time.monotonic() - begun

    def wait_until_ready(self) -> float:
        """Seconds from the start of the process until the page answers and every daemon beats."""
        self.wait("page", self._page_answers)
        self.wait("heartbeats", self.daemons_beat)
        return time.time() - self.begun

    def wait_until_usable(self) -> float:
        """Seconds from the start of the process until it is ready and has loaded the code."""
        self.wait_until_ready()
        self.wait("loaded code", self.code_loaded)
        return time.time() - self.begun

    def run_once(self) -> None:
        """One run from end to end, so that what follows finds everything warm."""
        run_id = self.submit()
        self.wait("first run", lambda: any(run.run_id == run_id and run.status in FINISHED for run in self.runs(5)))

    def _page_answers(self) -> bool:
        try:
            return self.request("GET", "/")[0] == http.HTTPStatus.OK
        except OSError:
            return False

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body. A connection for each: a kept one would be closed during the pauses."""
        content = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def stop(self) -> None:
        """Ctrl-C, as a person would; what is left after a while is killed."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        processes.kill_marked(self.mark)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
