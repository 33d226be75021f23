"""User code that closes or replaces its standard descriptors at import: its runs run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from runyard.core.location import LocationState
from runyard.core.run import RunStatus
from runyard.locations.spec import StartMethod
from runyard.storage.compute_logs import LocalComputeLogs

from .yard import Yard

JOB = """
import atexit, os, sys
{at_import}
import runyard as dg

@dg.op
def o(context):
    print("printed")
    os.system("echo by a program")
    context.log.info("logged")

@dg.op
def after(context, value):
    context.log.info("logged, too")

@dg.job
def job():
    after(o())
"""

AT_IMPORT = {
    "all closed": "for fd in (0, 1, 2): os.close(fd)",
    "output closed": "os.close(1)",
    "input closed": "os.close(0)",
    "closed and taken": "os.closerange(0, 3); kept = open(__file__)",
    "daemonized": "null = os.open(os.devnull, os.O_RDWR); [os.dup2(null, fd) for fd in (0, 1, 2)]",
    "streams are None": "sys.stdin = sys.stdout = sys.stderr = None",
    "the true ones, too": "sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None",
    "streams closed": "sys.stdout.close(); sys.stderr.close(); sys.stdout = sys.stderr = open(os.devnull, 'w')",
    "closed at exit": "atexit.register(os.close, 1); atexit.register(os.close, 2)",
    "closed with what was kept back": "sys.stdout.write('half a line'); os.close(1)",
}


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("case", AT_IMPORT)
def test_runs_of_such_code_run(case: str, method: StartMethod, yard: Yard) -> None:
    location = yard.location(JOB.format(at_import=AT_IMPORT[case]), start_method=method)
    assert location.record().state is LocationState.LOADED, location.record().error
    run_id = yard.launch(location)
    run = yard.finished(run_id)
    assert run.status is RunStatus.SUCCESS, run
    assert yard.lines(run_id) == ["logged", "logged, too"]


KEPT = """
import os, sys
from runyard.locations.standard_descriptors import keep_standard_descriptors
before = len(os.listdir("/dev/fd"))
with keep_standard_descriptors():
    {inside}
os.write(1, b"out "); os.write(2, b"err ")
assert os.read(0, 9) == b"in", "not the input of before"
assert len(os.listdir("/dev/fd")) == before
"""


@pytest.mark.parametrize("inside", ["pass", "os.close(1)", "os.closerange(0, 3)", "os.closerange(0, 400)"])
def test_what_was_closed_is_as_it_was_and_no_copy_is_left(inside: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KEPT.format(inside=inside)], input="in", capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("out ", "err ", 0)


def test_code_that_closes_the_copies_as_well_gets_descriptors_that_lead_nowhere() -> None:
    code = KEPT.format(inside="os.closerange(0, 2000)").replace(
        'assert os.read(0, 9) == b"in"', "assert not os.read(0, 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], input="in", capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_descriptors_that_were_closed_before_are_open_afterwards() -> None:
    code = (
        "import os, sys\nos.close(0)\n"
        "from runyard.locations.standard_descriptors import keep_standard_descriptors\n"
        "with keep_standard_descriptors(): pass\n"
        "os.fstat(0)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, env=os.environ).returncode == 0


CLOSING = """
import os
import runyard as dg

@dg.op
def closes(context):
    os.closerange(3, {last})
    kept = [os.open(os.devnull, os.O_RDWR) for _ in range(20)]
    print("printed")
    context.log.info("logged")

@dg.op
def after(context, value):
    print("printed, too")
    context.log.info("logged, too")

@dg.job(executor_def=dg.{executor})
def job():
    after(closes())
"""


@pytest.mark.parametrize("executor", ["in_process_executor", "multiprocess_executor"])
@pytest.mark.parametrize("last", [256, 5000])
def test_a_step_that_closes_every_descriptor_ends_and_so_does_its_run(last: int, executor: str, yard: Yard) -> None:
    location = yard.location(CLOSING.format(last=last, executor=executor))
    run_id = yard.launch(location)
    run = yard.finished(run_id)
    assert run.status is RunStatus.SUCCESS, run
    assert yard.lines(run_id) == ["logged", "logged, too"]
    for step, printed in (("closes", "printed\n"), ("after", "printed, too\n")):
        assert LocalComputeLogs(str(yard.home / "logs")).path(run_id, "out", step).read_text() == printed
