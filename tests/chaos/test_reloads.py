"""Many reloads of code that starts processes when it is imported, then Ctrl-C: nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from end_to_end.yard import Yard

RELOADS = int(os.environ.get("RUNYARD_SOAK_RELOADS", "60"))

JOBS = """
import subprocess, time
import runyard as dg

subprocess.Popen(["sleep", "600"], start_new_session=True)

@dg.op
def wait():
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    while True:
        time.sleep(0.05)

@dg.job
def gate():
    wait()

defs = dg.Definitions(jobs=[gate])
"""
#: Host, two zygotes while one takes over, tick workers, the run's worker, a child of each zygote and of the run; what
#: ended in the last two seconds is still to be tidied away.
MOST_AT_ONCE = 60


@pytest.mark.timeout(120 + 3 * RELOADS)
def test_reloads_and_the_end_of_dev_leave_no_child(tmp_path: Path) -> None:
    with Yard(tmp_path, jobs=JOBS) as yard:
        command = [sys.executable, "-m", "runyard.cli.main", "dev", "-w", str(yard.workspace_file), "-p", "0"]
        dev = subprocess.Popen(command, env=yard.env, cwd=tmp_path, stdout=subprocess.DEVNULL)
        try:
            run_until_ended(yard, dev)
        finally:
            dev.kill()
            dev.wait()


def run_until_ended(yard: Yard, dev: subprocess.Popen[bytes]) -> None:
    (yard.directory / "daemon.log").touch()
    yard.wait(lambda: (record := yard.location()) and record.definitions, seconds=30)
    run_id = yard.submit()
    yard.wait(lambda: yard.run(run_id).started_at, seconds=30)
    location = yard._workspace.get("jobs.py")
    for _ in range(RELOADS):
        location.reload(timeout=30)
        assert len(yard.everything()) < MOST_AT_ONCE
    # A child at import makes workers fresh interpreters: those of zygote, tick worker and run, and that of the op.
    yard.wait(lambda: children(yard) <= 4, seconds=10)
    yard.close_workspace()
    dev.send_signal(signal.SIGINT)
    assert dev.wait(60) == 0
    wait_gone(yard)


def children(yard: Yard) -> int:
    """What user code has started."""
    found = 0
    for process in yard.everything():
        with suppress(psutil.NoSuchProcess):  # ended since
            found += process.name() == "sleep"
    return found


def wait_gone(yard: Yard) -> None:
    psutil.wait_procs(yard.everything(), timeout=10)
    assert yard.everything() == []
