"""A whole system of real processes in a directory of its own, driven from the test's process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import psutil
import pytest

from runyard.core.clock import SystemClock
from runyard.core.location import LocationRecord, LocationState
from runyard.core.run import FINISHED, Run, RunStatus
from runyard.locations.target import WorkspaceTarget
from runyard.operations.daemon_status import daemon_statuses
from runyard.operations.submit import SubmitRequest, submit
from runyard.settings.loading import load_settings
from runyard.storage.protocols import RunsFilter
from runyard.wiring import open_instance, open_workspace

T = TypeVar("T")

JOBS = """
import os, pathlib, time
import runyard as dg

HERE = pathlib.Path(__file__).parent

def mark(line):
    with (HERE / "marks").open("a") as file:
        file.write(line + "\\n")

@dg.op
def gated(context):
    mark(f"begin {context.run_id}")
    while not (HERE / f"go-{context.run_id}").exists() and not (HERE / "go-all").exists():
        time.sleep(0.01)
    mark(f"end {context.run_id}")

@dg.job
def gate():
    gated()

@dg.op
def quick(context):
    mark(f"begin {context.run_id}")

@dg.job
def tiny():
    quick()

defs = dg.Definitions(jobs=[gate, tiny])
"""


class Yard:
    """``start()`` runs the daemons; runs are asked for as the command line does, through the running host."""

    def __init__(self, directory: Path, *, instance: str = "", jobs: str = JOBS) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.home.mkdir()
        (self.home / "runyard.yaml").write_text(textwrap.dedent(instance))
        (directory / "jobs.py").write_text(jobs)
        self.workspace_file = directory / "workspace.yaml"
        self.workspace_file.write_text("load_from:\n  - python_file: jobs.py\n")
        # The test submits through the daemons' host, which it adopts only with the same environment.
        self._variables = pytest.MonkeyPatch()
        self._variables.setenv("RUNYARD_HOME", str(self.home))
        self.env = dict(os.environ)
        settings = load_settings(str(self.home), env=self.env)
        self.instance = open_instance(settings, clock=SystemClock())
        self.stores = self.instance.stores
        self._moved = threading.Condition()
        self._end_listening = self.stores.wakeups.listen(self._on_move)
        self._workspace: Any = None
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Yard:
        return self

    def __exit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        (self.directory / "go-all").touch()
        self.close_workspace()
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(30)
        for host in self.hosts():
            host.kill()
        self._end_listening()
        self.instance.close()
        self._variables.undo()

    def start(self) -> subprocess.Popen[bytes]:
        """Start ``runyard-daemon run`` and wait until every daemon lives and the location is loaded."""
        process = self.start_another()
        self.wait(self._all_healthy, seconds=30)
        return process

    def start_another(self) -> subprocess.Popen[bytes]:
        """Start ``runyard-daemon run`` and wait for nothing."""
        log = (self.directory / "daemon.log").open("ab")
        command = [sys.executable, "-m", "runyard.cli.daemon", "run", "-w", str(self.workspace_file)]
        process = subprocess.Popen(command, env=self.env, cwd=self.directory, stdout=log, stderr=log)
        log.close()
        self.processes.append(process)
        return process

    def log(self) -> str:
        return (self.directory / "daemon.log").read_text()

    def close_workspace(self) -> None:
        """Let go of the host that submitting uses."""
        if self._workspace is not None:
            self._workspace.stop(terminate_hosts=False)
            self._workspace = None

    # -- asking and looking -----------------------------------------------------------------------------------

    def submit(self, job: str = "gate", *, config: dict[str, Any] | None = None, **tags: Any) -> str:
        if self._workspace is None:
            self._workspace = open_workspace(
                self.instance, WorkspaceTarget(workspace_files=(str(self.workspace_file),))
            )
            self._workspace.start()
            assert self._workspace.wait_loaded(timeout=30)
        request = SubmitRequest(job_name=job, tags=tags, run_config=config or {})
        return submit(self.stores, self._workspace, request, clock=self.instance.clock).run_id

    def run(self, run_id: str) -> Run:
        run = self.stores.runs.get(run_id)
        assert run is not None
        return run

    def runs(self, *statuses: RunStatus) -> list[Run]:
        return list(self.stores.runs.list(RunsFilter(statuses=statuses), limit=1000))

    def launch_order(self, run_ids: Iterable[str]) -> list[str]:
        launched = [run for run in map(self.run, run_ids) if run.launch_seq is not None]
        return [run.run_id for run in sorted(launched, key=lambda run: run.launch_seq or 0)]

    def marks(self) -> list[str]:
        file = self.directory / "marks"
        return file.read_text().splitlines() if file.exists() else []

    def go(self, run_id: str) -> None:
        (self.directory / f"go-{run_id}").touch()

    def location(self, name: str = "jobs.py") -> LocationRecord | None:
        return self.stores.locations.get(name)

    # -- waiting ----------------------------------------------------------------------------------------------

    def wait(self, condition: Callable[[], T], *, seconds: float = 15.0) -> T:
        """Return the first true value of ``condition``, which is asked again whenever storage moves."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            left = deadline - time.monotonic()
            assert left > 0, f"not so within {seconds} s; runs: {self._summary()}\n{self.log()[-3000:]}"
            with self._moved:
                # Not everything pokes: the look is repeated at least this often.
                self._moved.wait(min(left, 0.05))
        return value

    def wait_status(self, run_id: str, *statuses: RunStatus, seconds: float = 15.0) -> Run:
        self.wait(lambda: self.run(run_id).status in statuses, seconds=seconds)
        return self.run(run_id)

    def wait_end(self, run_id: str, *, seconds: float = 15.0) -> Run:
        return self.wait_status(run_id, *FINISHED, seconds=seconds)

    def wait_mark(self, line: str) -> None:
        self.wait(lambda: line in self.marks())

    def leaders(self) -> dict[str, int]:
        """By daemon, the process that leads it and says so."""
        statuses = daemon_statuses(self.stores, self.instance.settings, clock=self.instance.clock)
        return {each.type.value: each.pid for each in statuses if each.live and each.pid is not None}

    def standbys(self) -> dict[str, list[int]]:
        statuses = daemon_statuses(self.stores, self.instance.settings, clock=self.instance.clock)
        return {each.type.value: [standby.pid for standby in each.standbys] for each in statuses if each.required}

    # -- processes --------------------------------------------------------------------------------------------

    def hosts(self) -> list[psutil.Process]:
        """Location hosts of this yard that are alive."""
        pids = [host.pid for host in self.stores.hosts.all()]
        return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]

    def everything(self) -> list[psutil.Process]:
        """Every process that carries this yard's home in its environment, the test itself left out."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            ours = process.environ().get("RUNYARD_HOME") == str(self.home)
            return ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def _all_healthy(self) -> bool:
        statuses = daemon_statuses(self.stores, self.instance.settings, clock=self.instance.clock)
        record = self.location()
        loaded = record is not None and record.state is not LocationState.LOADING
        return loaded and all(status.passes for status in statuses)

    def _on_move(self, topic: str) -> None:
        with self._moved:
            self._moved.notify_all()

    def _summary(self) -> list[tuple[str, str]]:
        return [(run.run_id[:8], run.status.value) for run in self.runs()]
