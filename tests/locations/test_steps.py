"""Steps in processes of their own."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from runyard.core.events import EventType
from runyard.core.policies import RunPolicies
from runyard.core.run import RunFailure, RunStatus
from runyard.core.step import first_seq
from runyard.core.tags import IS_RESUME_RETRY, PARENT_RUN_ID, STEP_SELECTION
from runyard.queue.rules import PoolRules, Rules

from .code import steps
from .yard import Yard

CHAIN = """
@dg.op
def first(context):
    context.log.info("from the first")
    print("printed by the first")
    return os.getpid()

@dg.op
def second(context, value):
    assert context.instance.get_run_by_id(context.run_id).status.value == "STARTED"
    context.log.info("another process" if value != os.getpid() else "the same process")
    return value

def body():
    second(first())
"""

#: Three steps of which each waits at a gate.
THREE = """
@dg.op(tags={"dagster/priority": "1"})
def low():
    gate("low")

@dg.op(tags={"dagster/priority": "3"})
def high():
    gate("high")

@dg.op(tags={"dagster/priority": "2"})
def middle():
    gate("middle")

def body():
    low(), high(), middle()
"""

#: A step that is done at once and one that waits and has the file ``cleaned`` written however it ends.
LONG = """
@dg.op
def quick():
    return 1

@dg.op
def long(value):
    try:
        gate("long")
    finally:
        (HERE / "cleaned").write_text("up")

def body():
    long(quick())
"""


def at_most(count: int) -> str:
    return f'dg.multiprocess_executor.configured({{"max_concurrent": {count}}})'


def go(yard: Yard, *names: str) -> None:
    for name in names:
        (yard.code / f"go-{name}").write_text("")


def process(yard: Yard, name: str) -> psutil.Process:
    return psutil.Process(int(yard.file(name)))


def is_gone(found: psutil.Process) -> bool:
    try:
        return found.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_each_step_has_a_process_a_number_space_and_files_of_its_own(yard: Yard, start_method: str) -> None:
    location = yard.location(steps(CHAIN), start_method=start_method)
    run_id = yard.launch(location)
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    assert yard.lines(run_id) == ["from the first", "another process"]
    assert (yard.home / "logs" / run_id / "first.out").read_text() == "printed by the first\n"
    for number in (1, 2):
        seqs = [event.seq for event in yard.events(run_id) if event.seq and event.seq // first_seq(1) == number]
        assert seqs == [first_seq(number) + place for place in range(1, len(seqs) + 1)]
        assert seqs


def test_steps_run_side_by_side_up_to_the_limit_the_highest_priority_first(yard: Yard) -> None:
    location = yard.location(steps(THREE, executor=at_most(2)))
    run_id = yard.launch(location)
    assert process(yard, "high").pid != process(yard, "middle").pid
    assert not (yard.code / "low").exists()
    go(yard, "middle")
    yard.file("low")
    go(yard, "high", "low")
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    order = [key for _, key in yard.steps(run_id, EventType.STEP_WORKER_STARTING)]
    assert order == ["high", "middle", "low"]


def test_a_failed_step_skips_what_needs_it_and_nothing_else(yard: Yard) -> None:
    code = """
    @dg.op
    def bad():
        raise ValueError("no luck")

    @dg.op
    def after(value):
        pass

    @dg.op
    def other():
        gate("other")

    def body():
        after(bad()), other()
    """
    run_id = yard.launch(yard.location(steps(code)))
    yard.until(lambda: ("STEP_SKIPPED", "after") in yard.steps(run_id))
    go(yard, "other")
    run = yard.finished(run_id)
    assert run.status is RunStatus.FAILURE
    assert run.failure == RunFailure("ValueError", "no luck", "bad", by_step=True)
    assert ("STEP_SUCCESS", "other") in yard.steps(run_id)


def test_a_killed_step_fails_with_the_signal_named(yard: Yard) -> None:
    run_id = yard.launch(yard.location(steps(LONG)))
    yard.kill(process(yard, "long"))
    run = yard.finished(run_id)
    assert run.status is RunStatus.FAILURE
    assert run.failure is not None
    assert (run.failure.error_class, run.failure.step_key) == ("WorkerKilled", "long")
    assert "killed by signal 9 (SIGKILL)" in run.failure.message
    assert not run.failure.by_step
    assert yard.steps(run_id)[-1] == ("STEP_FAILURE", "long")


def test_a_killed_step_is_tried_again_as_its_policy_says(yard: Yard) -> None:
    code = """
    @dg.op(retry_policy=dg.RetryPolicy(max_retries=1))
    def dies(context):
        if context.retry_number == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        context.log.info("alive")

    @dg.op
    def other():
        pass

    def body():
        dies(), other()
    """
    run_id = yard.launch(yard.location(steps(code)))
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    assert yard.lines(run_id) == ["alive"]
    assert ("STEP_UP_FOR_RETRY", "dies") in yard.steps(run_id)


def test_subprocesses_of_a_killed_step_end_with_it(yard: Yard) -> None:
    code = """
    import subprocess

    @dg.op
    def starts():
        child = subprocess.Popen(["sleep", "600"])
        (HERE / "child").write_text(str(child.pid))
        os.kill(os.getpid(), signal.SIGKILL)

    @dg.op
    def other():
        pass

    def body():
        starts(), other()
    """
    run_id = yard.launch(yard.location(steps(code)))
    assert yard.finished(run_id).status is RunStatus.FAILURE
    child = int(yard.file("child"))
    yard.until(lambda: not psutil.pid_exists(child))


def test_steps_of_a_killed_run_worker_are_killed(yard: Yard) -> None:
    run_id = yard.launch(yard.location(steps(THREE, executor=at_most(3))))
    found = [process(yard, name) for name in ("low", "high", "middle")]
    pid = yard.run(run_id).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    run = yard.finished(run_id)
    assert run.failure is not None
    assert run.failure.error_class == "WorkerKilled"
    assert all(is_gone(step) for step in found)


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_cancel_lets_the_steps_clean_up(yard: Yard, start_method: str) -> None:
    location = yard.location(steps(LONG), start_method=start_method)
    run_id = yard.launch(location)
    yard.file("long")
    assert yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=False, timeout=5)
    assert yard.finished(run_id).status is RunStatus.CANCELED
    assert (yard.code / "cleaned").read_text() == "up"
    assert yard.steps(run_id)[-1] == ("STEP_FAILURE", "long")


def test_deaf_steps_of_a_canceled_run_are_killed_in_time(yard: Yard) -> None:
    code = """
    @dg.op
    def deaf():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        gate("deaf")

    @dg.op
    def other():
        pass

    def body():
        deaf(), other()
    """
    location = yard.location(steps(code))
    run_id = yard.launch(location)
    step = process(yard, "deaf")
    yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=False, timeout=5, kill_after=0.3)
    assert yard.finished(run_id).status is RunStatus.CANCELED
    assert is_gone(step)


def test_step_whose_zygote_dies_instead_of_starting_it_is_started_by_the_next(yard: Yard) -> None:
    code = """
    @dg.op
    def first():
        gate("first")

    @dg.op(ins={"after": dg.In(dg.Nothing)})
    def second(context):
        context.log.info("alive")

    def body():
        second(first())
    """
    run_id = yard.launch(yard.location(steps(code)))
    yard.file("first")
    zygote = yard.zygote()
    zygote.send_signal(signal.SIGSTOP)
    go(yard, "first")
    yard.until(lambda: ("STEP_WORKER_STARTING", "second") in yard.steps(run_id))
    yard.kill(zygote)
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    assert yard.lines(run_id) == ["alive"]


# -- the host's death -------------------------------------------------------------------------------------------------


def stop_and_kill_host(yard: Yard, *stopped: psutil.Process) -> psutil.Process:
    """Kill the host while these stand still, and wait until the next one listens."""
    old = yard.host()
    for one in stopped:
        one.send_signal(signal.SIGSTOP)
    yard.kill(old)
    yard.until(lambda: yard.host_record().pid != old.pid)
    return yard.host()


@pytest.mark.parametrize("late", ["run", "step", None])
def test_run_whose_host_is_killed_goes_on_whoever_finds_the_next_one_first(yard: Yard, late: str | None) -> None:
    run_id = yard.launch(yard.location(steps(LONG)))
    step, worker = process(yard, "long"), psutil.Process(yard.started(run_id).pid)
    stopped = [{"run": worker, "step": step}[late]] if late else []
    host = stop_and_kill_host(yard, *stopped)
    yard.until(lambda: adopted(yard, host) == 2 - len(stopped))
    for one in stopped:
        one.send_signal(signal.SIGCONT)
    go(yard, "long")
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    starts = yard.steps(run_id, EventType.STEP_START)
    assert starts == [("STEP_START", "quick"), ("STEP_START", "long")]


def adopted(yard: Yard, host: psutil.Process) -> int:
    """How many workers have found this host: connections of the socket that it listens on, itself left out."""
    mark = f".{yard.host_record().host_id[:8]}"
    return sum(str(connection.laddr).endswith(mark) for connection in host.net_connections("unix")) - 1


def test_step_that_ended_while_there_was_no_host_is_read_from_its_events(yard: Yard) -> None:
    code = """
    @dg.op
    def quick():
        gate("quick")
        return 1

    @dg.op
    def after(context, value):
        context.log.info(f"got {value}")

    def body():
        after(quick())
    """
    run_id = yard.launch(yard.location(steps(code), host_grace=20.0))
    step, worker = process(yard, "quick"), psutil.Process(yard.started(run_id).pid)
    worker.send_signal(signal.SIGSTOP)
    go(yard, "quick")
    # Committed by the first host, which cannot tell the run's worker any more.
    yard.until(lambda: ("STEP_SUCCESS", "quick") in yard.steps(run_id))
    yard.until(lambda: is_gone(step))
    stop_and_kill_host(yard)
    worker.send_signal(signal.SIGCONT)
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    assert yard.lines(run_id) == ["got 1"]
    assert yard.steps(run_id, EventType.STEP_START) == [("STEP_START", "quick"), ("STEP_START", "after")]


def test_step_killed_with_its_host_is_not_waited_for_for_ever(yard: Yard) -> None:
    run_id = yard.launch(yard.location(steps(LONG)))
    step = process(yard, "long")
    host = yard.host()
    host.send_signal(signal.SIGSTOP)
    yard.kill(step)
    yard.kill(host)
    run = yard.finished(run_id)
    assert run.failure is not None
    assert (run.failure.error_class, run.failure.step_key) == ("HostLost", "long")


# -- slots of pools ---------------------------------------------------------------------------------------------------

POOLED = """
@dg.op(pool="db")
def use(context):
    gate(context.run.tags["name"])

@dg.op
def other():
    pass

def body():
    use(), other()
"""


def waiting(yard: Yard) -> list[str]:
    return [waiter.run_id for waiter in yard.stores.pool_slots.waiters(["db"])]


def holding(yard: Yard) -> list[str]:
    return [holder.run_id for holder in yard.stores.pool_slots.holders(["db"])]


@pytest.mark.parametrize("executor", ["dg.multiprocess_executor", "dg.in_process_executor"])
def test_steps_of_several_runs_get_slots_of_a_pool_in_order_of_priority(yard: Yard, executor: str) -> None:
    yard.stores.limits.configure(Rules(pools=PoolRules(limits={"db": 1})))
    location = yard.location(steps(POOLED, executor=executor))
    first = yard.launch(location, tags={"name": "first"})
    yard.file("first")
    low = yard.launch(location, tags={"name": "low", "dagster/priority": "-1"})
    yard.until(lambda: low in waiting(yard))
    high = yard.launch(location, tags={"name": "high", "dagster/priority": "1"})
    yard.until(lambda: waiting(yard) == [high, low])
    go(yard, "first")
    yard.file("high")
    assert holding(yard) == [high]
    assert not (yard.code / "low").exists()
    go(yard, "high", "low")
    for run_id in (first, low, high):
        assert yard.finished(run_id).status is RunStatus.SUCCESS
    assert holding(yard) == waiting(yard) == []


def test_killed_run_worker_gives_the_slots_of_its_steps_to_whoever_waits(yard: Yard) -> None:
    yard.stores.limits.configure(Rules(pools=PoolRules(limits={"db": 1})))
    location = yard.location(steps(POOLED))
    first = yard.launch(location, tags={"name": "first"})
    yard.file("first")
    second = yard.launch(location, tags={"name": "second"})
    yard.until(lambda: second in waiting(yard))
    os.kill(yard.run(first).pid or 0, signal.SIGKILL)
    yard.file("second")
    go(yard, "second")
    assert yard.finished(second).status is RunStatus.SUCCESS


def test_step_that_takes_more_slots_than_there_are_fails(yard: Yard) -> None:
    yard.stores.limits.configure(Rules(pools=PoolRules(limits={"db": 1})))
    code = POOLED.replace('pool="db"', 'pool="db", pool_slots=2')
    assert code != POOLED
    run_id = yard.launch(yard.location(steps(code)), tags={"name": "x"})
    run = yard.finished(run_id)
    assert run.failure is not None
    assert run.failure.step_key == "use"
    assert ("STEP_SUCCESS", "other") in yard.steps(run_id)


def test_canceled_run_gives_up_its_place_in_the_line(yard: Yard) -> None:
    yard.stores.limits.configure(Rules(pools=PoolRules(limits={"db": 1})))
    location = yard.location(steps(POOLED))
    first = yard.launch(location, tags={"name": "first"})
    yard.file("first")
    second = yard.launch(location, tags={"name": "second"})
    yard.until(lambda: second in waiting(yard))
    yard.stores.runs.cancel_active(second, message="asked", now=yard.clock.now())
    location.terminate(second, attempt=1, force=False, timeout=5)
    assert yard.finished(second).status is RunStatus.CANCELED
    assert waiting(yard) == []
    go(yard, "first")
    assert yard.finished(first).status is RunStatus.SUCCESS


# -- carrying on ------------------------------------------------------------------------------------------------------

LEFT = """
@dg.op
def made():
    (HERE / f"made-{os.getpid()}").write_text("")
    return "value"

@dg.op
def bad(context, value):
    if not (HERE / "mended").exists():
        raise ValueError("no luck")
    context.log.info(f"got {value}")
    return value

@dg.op
def last(context, value):
    context.log.info(f"and {value}")

def body():
    last(bad(made()))
"""


def times_made(yard: Yard) -> int:
    return len(list(yard.code.glob("made-*")))


@pytest.mark.parametrize("executor", ["dg.multiprocess_executor", "dg.in_process_executor"])
def test_what_is_left_of_a_failed_run_is_done_with_its_outputs(yard: Yard, executor: str) -> None:
    location = yard.location(steps(LEFT, executor=executor))
    parent = yard.launch(location)
    assert yard.finished(parent).status is RunStatus.FAILURE
    (yard.code / "mended").write_text("")
    tags = {PARENT_RUN_ID: parent, IS_RESUME_RETRY: "true"}
    child = yard.launch(location, tags=tags)
    assert yard.finished(child).status is RunStatus.SUCCESS
    assert times_made(yard) == 1
    assert yard.lines(child) == ["got value", "and value"]
    # What it took over is its own now.
    grandchild = yard.launch(location, tags={PARENT_RUN_ID: child, STEP_SELECTION: "last"})
    assert yard.finished(grandchild).status is RunStatus.SUCCESS
    assert yard.lines(grandchild) == ["and value"]


def test_a_step_whose_output_is_gone_is_done_again(yard: Yard) -> None:
    location = yard.location(steps(LEFT))
    parent = yard.launch(location)
    yard.finished(parent)
    for kept in (yard.home / "outputs" / parent).rglob("*"):
        if kept.is_file():
            kept.unlink()
    (yard.code / "mended").write_text("")
    child = yard.launch(location, tags={PARENT_RUN_ID: parent, IS_RESUME_RETRY: "true"})
    assert yard.finished(child).status is RunStatus.SUCCESS
    assert times_made(yard) == 2


def test_selecting_a_step_that_is_not_there_fails_the_run_with_the_nearest(yard: Yard) -> None:
    run_id = yard.launch(yard.location(steps(LEFT)), tags={STEP_SELECTION: "mad"})
    failure = yard.finished(run_id).failure
    assert failure is not None
    assert "No step named 'mad'" in failure.message
    assert "made" in failure.message


def test_resumed_attempt_goes_on_where_the_lost_worker_was(yard: Yard) -> None:
    yard.stores.policies.configure(RunPolicies(max_resumes=1))
    location = yard.location(steps(LONG.replace("return 1", "(HERE / f'made-{os.getpid()}').write_text(''); return 1")))
    spec = yard.claim()
    yard.accepted(location.launch([spec], timeout=30))
    step = process(yard, "long")
    (yard.code / "long").unlink()
    os.kill(yard.run(spec.run_id).pid or 0, signal.SIGKILL)
    run = yard.until(lambda: found if (found := yard.run(spec.run_id)).attempt == 2 else None)
    assert run.status is RunStatus.STARTING
    assert is_gone(step)
    assert run.launch_token is not None
    again = type(spec)(
        run_id=run.run_id,
        attempt=2,
        token=run.launch_token,
        job_name="job",
        location_name="jobs",
        resumed=True,
    )
    yard.accepted(location.launch([again], timeout=30))
    yard.file("long")
    go(yard, "long")
    assert yard.finished(spec.run_id).status is RunStatus.SUCCESS
    assert times_made(yard) == 1


@pytest.mark.parametrize("executor", ["dg.multiprocess_executor", "dg.in_process_executor"])
def test_a_step_that_waits_for_its_pool_names_who_holds_it(yard: Yard, executor: str) -> None:
    yard.stores.limits.configure(Rules(pools=PoolRules(limits={"db": 1})))
    location = yard.location(steps(POOLED, executor=executor))
    first = yard.launch(location, tags={"name": "first"})
    yard.file("first")
    second = yard.launch(location, tags={"name": "second"})
    [event] = yard.until(lambda: [event for event in yard.events(second) if "waiting_for_pool" in event.data])
    assert (event.step_key, event.data["waiting_for_pool"]) == ("use", "db")
    assert event.message == (
        f"Step 'use' waits for 1 slot of pool 'db': 1 of 1 in use, held by run {first[:8]} step 'use'."
    )
    go(yard, "first", "second")
    for run_id in (first, second):
        assert yard.finished(run_id).status is RunStatus.SUCCESS


FAILS_WHEN_STOPPED = """
@dg.op(retry_policy=dg.RetryPolicy(max_retries=3))
def stubborn():
    try:
        gate("stubborn")
    except BaseException:
        raise ValueError("the clean-up failed.")

@dg.op(retry_policy=dg.RetryPolicy(max_retries=3))
def asking():
    try:
        gate("asking")
    except BaseException:
        raise dg.RetryRequested(max_retries=3)

def body():
    stubborn(), asking()
"""


@pytest.mark.parametrize("executor", ["dg.multiprocess_executor", "dg.in_process_executor"])
def test_no_step_of_a_canceled_run_is_tried_again(yard: Yard, executor: str) -> None:
    location = yard.location(steps(FAILS_WHEN_STOPPED, executor=executor))
    run_id = yard.launch(location)
    began = ["stubborn", "asking"] if "multi" in executor else ["stubborn"]
    for name in began:
        yard.file(name)
    yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=False, timeout=5)
    assert yard.finished(run_id).status is RunStatus.CANCELED
    ends = yard.steps(run_id, EventType.STEP_UP_FOR_RETRY, EventType.STEP_FAILURE)
    assert sorted(ends) == sorted(("STEP_FAILURE", name) for name in began)
