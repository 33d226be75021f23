"""Commands as real processes, in a directory with code and a home."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from click.testing import CliRunner, Result

from runyard.cli import daemon, main
from runyard.locations.runtime_dir import runtime_dir

JOBS = """
import pathlib, time
import runyard as dg

HERE = pathlib.Path(__file__).parent

class Count(dg.Config):
    n: int = 1

@dg.op
def say(context, config: Count):
    context.log.info(f"said {config.n}")

@dg.job(description="Says a number.")
def talk():
    say()

@dg.op
def fail():
    raise ValueError("no such number")

@dg.job
def broken():
    fail()

@dg.op
def wait():
    (HERE / "waiting").touch()
    while not (HERE / "go").exists():
        time.sleep(0.01)

@dg.job
def endless():
    wait()

@dg.schedule(cron_schedule="0 0 1 1 *", job=talk)
def yearly():
    return dg.RunRequest()

@dg.sensor(job=talk)
def watch(context):
    context.log.info("looked")
    return dg.SkipReason("nothing new")

defs = dg.Definitions(jobs=[talk, broken, endless], schedules=[yearly], sensors=[watch])
"""


def wait_until(look: Callable[[], object]) -> None:
    """For what tells nobody that it has changed; the test's own time limit is the deadline."""
    while not look():
        threading.Event().wait(0.02)


class Program:
    """A command that runs until it is told to stop; what it prints is read line by line."""

    def __init__(self, args: list[str], *, cwd: Path, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            args, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read on to the first line that ``pattern`` is found in; the test's own time limit is the deadline."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"ended without '{pattern}':\n{''.join(self.lines)}")

    def read_all(self, *patterns: str) -> list[re.Match[str]]:
        """Read on until each pattern has been found in some line, in whatever order."""
        found: dict[str, re.Match[str]] = {}
        while missing := [pattern for pattern in patterns if pattern not in found]:
            self.read_until("|".join(missing))
            found |= {p: match for p in missing if (match := re.search(p, self.lines[-1]))}
        return [found[pattern] for pattern in patterns]

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.lines += self.process.stdout.readlines()
        return self.process.wait()


class Place:
    """A directory with code and a home, and a program's environment."""

    def __init__(self, directory: Path, *, home: bool) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.home.mkdir()
        (directory / "jobs.py").write_text(JOBS)
        hidden = ("RUNYARD_HOME", "DAGSTER_HOME")
        self.env = {key: value for key, value in os.environ.items() if key not in hidden}
        self.env |= {"RUNYARD_HOME": str(self.home)} if home else {"TMPDIR": str(directory)}
        self.programs: list[Program] = []

    def start(self, module: str, *args: str) -> Program:
        program = Program([sys.executable, "-m", f"runyard.cli.{module}", *args], cwd=self.directory, env=self.env)
        self.programs.append(program)
        return program

    def command(self, *args: str, code: int = 0) -> str:
        """A short command as a process of its own; all that it prints."""
        command = [sys.executable, "-m", "runyard.cli.main", *args]
        done = subprocess.run(command, cwd=self.directory, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run(self, *args: str, code: int = 0, module: str = "main") -> Result:
        """A short command; its own process would only import everything again."""
        root = daemon.cli if module == "daemon" else main.cli
        result = CliRunner(env={"DAGSTER_HOME": None, "RUNYARD_HOME": self.env.get("RUNYARD_HOME")}).invoke(root, args)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def json(self, *args: str, code: int = 0, module: str = "main") -> Any:
        return json.loads(self.run(*args, "--json", code=code, module=module).stdout)

    def take_down(self) -> None:
        for program in self.programs:
            if program.process.poll() is None:
                program.process.kill()
                program.process.wait()
            assert program.process.stdout is not None
            program.process.stdout.close()
        for process in psutil.process_iter():
            if self._is_ours(process):
                process.kill()
        # Of the processes that were killed.
        shutil.rmtree(runtime_dir(str(self.home)), ignore_errors=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return bool(process.pid != os.getpid() and process.environ().get("RUNYARD_HOME") == str(self.home))
        except psutil.Error:
            return False
