"""Real processes: runs that take too long, that go on after their worker was lost, that are retried or done again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from runyard.core.run import RunStatus
from runyard.operations.reexecute import Reexecution, Reexecutor, Strategy

from .yard import Yard

JOBS = """
import os, pathlib, signal, time
import runyard as dg

HERE = pathlib.Path(__file__).parent

def mark(line):
    with (HERE / "marks").open("a") as file:
        file.write(line + "\\n")

@dg.op
def load(context):
    mark(f"load {context.run_id}")
    return 7

@dg.op
def write(context, n):
    mark(f"write {context.run_id} {n}")
    while not (HERE / "go").exists():
        time.sleep(0.01)
    if (HERE / "fail").exists():
        raise ValueError("not today")
    mark(f"end {context.run_id}")

@dg.job(executor_def=dg.in_process_executor)
def chain():
    write(load())

@dg.op
def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    mark(f"deaf {os.getpid()}")
    while True:
        time.sleep(0.01)

@dg.job(executor_def=dg.in_process_executor)
def stubborn():
    deaf()

defs = dg.Definitions(jobs=[chain, stubborn])
"""


Make = Callable[..., Yard]


def started(make_yard: Make, instance: str) -> Yard:
    yard = make_yard(instance=instance, jobs=JOBS)
    yard.start()
    return yard


def test_a_run_past_its_time_fails_once_its_worker_is_gone(make_yard: Make) -> None:
    system = started(make_yard, "run_monitoring: {enabled: true, cancel_timeout_seconds: 1}")
    run = system.wait_end(system.submit("stubborn", **{"dagster/max_runtime": 1}))
    assert run.status is RunStatus.FAILURE
    assert run.failure is not None
    assert (run.failure.error_class, run.failure.message) == (
        "MaxRuntimeExceeded",
        "Exceeded maximum runtime of 1 seconds.",
    )
    assert run.ended_at is not None
    assert run.started_at is not None
    assert 2 <= run.ended_at - run.started_at < 10
    (pid,) = [int(line.split()[1]) for line in system.marks()]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_run_whose_worker_was_killed_goes_on_where_it_was(make_yard: Make) -> None:
    system = started(make_yard, "run_monitoring: {enabled: true, max_resume_run_attempts: 1}")
    run_id = system.submit("chain")
    system.wait_mark(f"write {run_id} 7")
    pid = system.run(run_id).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    system.wait(lambda: system.marks().count(f"write {run_id} 7") == 2, seconds=30)
    (system.directory / "go").touch()
    run = system.wait_end(run_id)
    assert (run.status, run.attempt, run.resumes) == (RunStatus.SUCCESS, 2, 1)
    assert system.marks() == [f"load {run_id}", f"write {run_id} 7", f"write {run_id} 7", f"end {run_id}"]


def test_a_failed_run_is_retried_from_its_failure_and_done_again_by_hand(make_yard: Make) -> None:
    system = started(make_yard, "run_retries: {enabled: true, max_retries: 1}")
    for name in ("go", "fail"):
        (system.directory / name).touch()
    first = system.wait_end(system.submit("chain"))
    assert first.tags["dagster/will_retry"] == "true"
    second = system.wait_end(first.tags["dagster/auto_retry_run_id"])
    assert (second.status, second.parent_run_id) == (RunStatus.FAILURE, first.run_id)
    (system.directory / "fail").unlink()
    again = Reexecutor(system.stores, system._workspace, clock=system.instance.clock)
    third = again.one(Reexecution(run_id=second.run_id, strategy=Strategy.FROM_FAILURE))
    assert system.wait_end(third.run_id).status is RunStatus.SUCCESS
    fourth = again.one(Reexecution(run_id=third.run_id, strategy=Strategy.SELECTED, steps=("write",)))
    assert system.wait_end(fourth.run_id).status is RunStatus.SUCCESS
    assert [line for line in system.marks() if line.startswith("load")] == [f"load {first.run_id}"]
    for run in (second, third, fourth):
        assert f"write {run.run_id} 7" in system.marks()
