"""Processes that user code forks in an op: they have what the worker has, and must not speak for it."""

from __future__ import annotations

import pytest

from runyard.core.events import EventType
from runyard.core.run import RunStatus
from runyard.storage.compute_logs import LocalComputeLogs

from .code import one_op, steps
from .yard import Yard

POOL = """
from multiprocessing import get_context

def work(number):
    dg.get_dagster_logger().info(f"child {number}")

@dg.op
def act(context):
    with get_context("fork").Pool(3) as pool:
        pool.map(work, range(30))
    for number in range(30):
        context.log.info(f"parent {number}")

@dg.op
def second():
    pass

def body():
    act()
    second()
"""

EXECUTORS = pytest.mark.parametrize("executor", ["dg.multiprocess_executor", "dg.in_process_executor"])


def printed(yard: Yard, run_id: str, step: str | None = None) -> str:
    return LocalComputeLogs(str(yard.home / "logs")).path(run_id, "err", step).read_text()


@EXECUTORS
def test_lines_of_a_forked_process_cost_the_step_none_of_its_own(yard: Yard, executor: str) -> None:
    location = yard.location(steps(POOL, executor=executor))
    run_id = yard.launch(location)
    run = yard.finished(run_id)
    assert run.status is RunStatus.SUCCESS, run.failure
    assert yard.lines(run_id) == [f"parent {number}" for number in range(30)]
    told = printed(yard, run_id, "act")
    assert sorted(line for line in told.splitlines() if "child" in line) == sorted(f"INFO child {n}" for n in range(30))
    assert "Traceback" not in told, told


@EXECUTORS
def test_a_forked_process_that_leaves_the_op_ends_nothing(yard: Yard, executor: str) -> None:
    code = """
@dg.op
def act(context):
    child = os.fork()
    if not child:
        raise SystemExit(4)
    os.waitpid(child, 0)
    context.log.info("the child is gone")

@dg.op
def second():
    pass

def body():
    act()
    second()
"""
    location = yard.location(steps(code, executor=executor))
    run_id = yard.launch(location)
    run = yard.finished(run_id)
    assert run.status is RunStatus.SUCCESS, run.failure
    assert yard.lines(run_id) == ["the child is gone"]
    ends = yard.steps(run_id, EventType.STEP_SUCCESS, EventType.STEP_FAILURE)
    assert sorted(ends) == [("STEP_SUCCESS", "act"), ("STEP_SUCCESS", "second")]


def test_a_forked_process_is_told_that_it_cannot_ask_the_instance(yard: Yard) -> None:
    body = """
child = os.fork()
if not child:
    try:
        context.instance.get_runs_count()
    except Exception as error:
        (HERE / "asked").write_text(str(error))
    os._exit(0)
os.waitpid(child, 0)
"""
    location = yard.location(one_op(body))
    run_id = yard.launch(location)
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    assert "forked" in yard.file("asked")


def test_a_pool_in_the_clean_up_of_a_canceled_run_comes_to_its_end(yard: Yard) -> None:
    body = """
try:
    (HERE / "started").write_text("yes")
    threading.Event().wait()
finally:
    from multiprocessing import get_context
    with get_context("fork").Pool(2) as pool:
        (HERE / "cleaned").write_text(str(pool.map(abs, [-1, -2])))
"""
    location = yard.location(one_op(body))
    run_id = yard.launch(location)
    yard.file("started")
    assert yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=False, timeout=5)
    assert yard.finished(run_id).status is RunStatus.CANCELED
    assert yard.file("cleaned") == "[1, 2]"
