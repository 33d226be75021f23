"""What a step leaves behind holds up neither the next step nor the run's end; it gets a grace, is named, and killed."""

from __future__ import annotations

import psutil
import pytest

from runyard.core.events import Event, EventType
from runyard.core.run import RunStatus

from .code import steps
from .yard import Yard

#: Longer than a test waits: what waits for it would fail the test.
LONG = 600.0
SHORT = 0.3

#: A first step that leaves something behind, and a second one that needs it.
LEAVES = """
import asyncio, atexit, concurrent.futures, multiprocessing, subprocess, sys

KEPT = []
FORK = multiprocessing.get_context("fork")

def wait():
    while not (HERE / "release").exists():
        threading.Event().wait(0.02)

def deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait()

def leave_thread():
    threading.Thread(target=wait, name="poller").start()

def leave_odd_thread():
    threading.Thread(target=wait, name="po\\udcffller").start()

def leave_process():
    FORK.Process(target=wait, name="feeder").start()

def leave_daemon():
    FORK.Process(target=deaf, name="deaf", daemon=True).start()

def leave_idle_threads():
    pool = concurrent.futures.ThreadPoolExecutor(2)
    pool.submit(int).result()
    KEPT.append(pool)

def leave_busy_threads():
    pool = concurrent.futures.ThreadPoolExecutor(2, thread_name_prefix="busy")
    pool.submit(wait)
    KEPT.append(pool)

def leave_busy_processes():
    pool = concurrent.futures.ProcessPoolExecutor(1, mp_context=FORK)
    pool.submit(wait)
    KEPT.append(pool)

def leave_joining_pool():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    pool.submit(wait)
    atexit.register(pool.shutdown, wait=True)

def leave_exit_function():
    atexit.register(wait)

def leave_child():
    subprocess.Popen(["sleep", "601"], stdout=subprocess.DEVNULL)

def leave_async():
    async def main():
        asyncio.get_running_loop().run_in_executor(None, wait)
    return main()

def leave_failing_exit_function():
    atexit.register(int, "no number")

def leave_nothing():
    pass

@dg.op(config_schema={"how": str}, pool="narrow")
async def first_async(context):
    (HERE / f"pid-{context.op_config['how']}").write_text(str(os.getpid()))
    await leave_async()

@dg.op(config_schema={"how": str}, pool="narrow")
def first(context):
    how = context.op_config["how"]
    (HERE / f"pid-{how}").write_text(str(os.getpid()))
    globals()[f"leave_{how}"]()

@dg.op(pool="narrow", ins={"start": dg.In(dg.Nothing)})
def second():
    pass

def body():
    second(start=first())

async_job = dg.job(name="async_job", executor_def=EXECUTOR)(lambda: second(start=first_async()))
"""
EXECUTORS = ["dg.in_process_executor", "dg.multiprocess_executor"]
#: What is left, and how the warning names it.
LEFT = {
    "thread": "thread 'poller' (HERE/jobs.py:LINE)",
    "odd_thread": "thread 'po\\udcffller' (HERE/jobs.py:LINE)",
    "process": "process PID (multiprocessing, 'feeder')",
    "daemon": "process PID (multiprocessing, 'deaf')",
    "busy_threads": "thread 'busy_0' (HERE/jobs.py:LINE)",
    "busy_processes": "process PID (multiprocessing, 'ForkProcess-1')",
    "joining_pool": "thread 'ThreadPoolExecutor-0_0' (HERE/jobs.py:LINE)",
    "exit_function": "an exit function (HERE/jobs.py:LINE)",
    "child": "process PID (sleep 601)",
    "async": "thread 'asyncio_0' (HERE/jobs.py:LINE)",
}
HARMLESS = ["idle_threads", "failing_exit_function", "nothing"]


def code(executor: str) -> str:
    defs = "defs = dg.Definitions(jobs=[job, async_job])"
    return steps(LEAVES.replace("EXECUTOR", executor), executor=executor).replace(
        "defs = dg.Definitions(jobs=[job])", defs
    )


def launch(yard: Yard, how: str) -> str:
    op, job = ("first_async", "async_job") if how == "async" else ("first", "job")
    location = yard.workspaces[0].get("jobs")
    assert location is not None
    return yard.launch(location, job, config={"ops": {op: {"config": {"how": how}}}})


def warnings(yard: Yard, run_id: str) -> list[Event]:
    return [event for event in yard.events(run_id) if "left_behind" in event.data]


def process_of(yard: Yard, how: str) -> psutil.Process | None:
    try:
        return psutil.Process(int(yard.file(f"pid-{how}")))
    except psutil.NoSuchProcess:
        return None


def gone(process: psutil.Process | None) -> bool:
    try:
        return process is None or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.parametrize("executor", EXECUTORS)
def test_nothing_that_a_step_leaves_holds_up_its_run(yard: Yard, executor: str) -> None:
    yard.location(code(executor), stop_grace=LONG)
    runs = {how: launch(yard, how) for how in [*LEFT, *HARMLESS]}
    for how, run_id in runs.items():
        assert yard.finished(run_id).status is RunStatus.SUCCESS, how
        assert ("STEP_SUCCESS", "second") in yard.steps(run_id), how
    assert list(yard.stores.pool_slots.holders()) == []
    for how in HARMLESS:
        yard.until(lambda how=how: gone(process_of(yard, how)))  # type: ignore[misc]  # bound default
        assert warnings(yard, runs[how]) == []
    yard.write("release", "")
    for how in LEFT:
        # All but the child of another program end by themselves, now that they may.
        yard.until(lambda how=how: gone(process_of(yard, how)))  # type: ignore[misc]  # bound default
        assert warnings(yard, runs[how]) == [], "what ends within its grace is not worth a word"


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("cgroups", [True, False], ids=["groups", "marks"])
def test_what_is_left_after_the_grace_is_named_and_killed(yard: Yard, executor: str, cgroups: bool) -> None:
    yard.location(code(executor), stop_grace=SHORT, cgroups=cgroups)
    runs = {how: launch(yard, how) for how in LEFT}
    for how, run_id in runs.items():
        [warning] = yard.until(lambda run_id=run_id: warnings(yard, run_id))  # type: ignore[misc]  # bound default
        assert yard.finished(run_id).status is RunStatus.SUCCESS
        assert (warning.type, warning.level) == (EventType.ENGINE_EVENT, "WARNING")
        step = None if "in_process" in executor else ("first_async" if how == "async" else "first")
        assert warning.step_key == step
        named = [one for one in warning.data["left_behind"] if pattern_of(one, yard) == LEFT[how]]
        assert named, (how, warning.message)
        assert warning.message.startswith("The run left behind " if step is None else f"Step '{step}' left behind ")
        assert warning.message.endswith(" after 0.3 s and was killed.") or "were killed." in warning.message
        for one in warning.data["left_behind"]:
            yard.until(lambda one=one: one["pid"] is None or not alive(one["pid"]))  # type: ignore[misc]  # bound
        yard.until(lambda how=how: gone(process_of(yard, how)))  # type: ignore[misc]  # bound default


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pattern_of(one: dict[str, object], yard: Yard) -> str:
    from runyard.core.leftovers import Leftover  # noqa: PLC0415

    fields = {**one, "pid": "PID"}
    if one["where"]:
        file, _, line = str(one["where"]).rpartition(":")
        assert line.isdigit()
        fields["where"] = f"{file.replace(str(yard.code), 'HERE')}:LINE"
    return Leftover(**fields).words  # type: ignore[arg-type]  # placeholders


NATIVE = """
import ctypes

def block():
    gate("waiting", go="block")
    # PyDLL keeps the interpreter's lock: nothing else of this process runs any more.
    ctypes.PyDLL(None).sleep(600)

@dg.op
def leave():
    threading.Thread(target=block).start()

def body():
    leave()
"""


def test_a_worker_that_does_not_respond_is_ended_by_its_host(yard: Yard) -> None:
    location = yard.location(steps(NATIVE), stop_grace=4.0)
    run_id = yard.launch(location)
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    pid = int(yard.file("waiting"))
    yard.write("block", "")
    [warning] = yard.until(lambda: warnings(yard, run_id))
    assert warning.message == (
        f"The run left behind its own process {pid}, which does not respond. It had not ended after 4 s and was killed."
    )
    yard.until(lambda: not alive(pid))


LINGERS = """
def wait():
    gate("lingers")

@dg.op
def first():
    threading.Thread(target=wait).start()
    return os.getpid()

@dg.op
def second(context, pid):
    (HERE / "first").write_text(str(pid))
    gate("second")

def body():
    second(first())
"""


def test_a_canceled_run_takes_along_what_its_earlier_steps_left(yard: Yard) -> None:
    location = yard.location(steps(LINGERS), stop_grace=LONG)
    run_id = yard.launch(location)
    yard.file("second")
    left = psutil.Process(int(yard.file("first")))
    yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=False, timeout=5)
    assert yard.finished(run_id).status is RunStatus.CANCELED
    yard.until(lambda: gone(left))


def test_a_killed_run_takes_along_what_its_earlier_steps_left(yard: Yard) -> None:
    location = yard.location(steps(LINGERS), stop_grace=LONG)
    run_id = yard.launch(location)
    yard.file("second")
    left = psutil.Process(int(yard.file("first")))
    psutil.Process(yard.started(run_id).pid).kill()
    assert yard.finished(run_id).status is RunStatus.FAILURE
    yard.until(lambda: gone(left))


@pytest.mark.parametrize("when", ["while the run runs", "after the run's end"])
def test_what_is_left_ends_also_when_its_host_dies_meanwhile(yard: Yard, when: str) -> None:
    location = yard.location(steps(LINGERS), stop_grace=5.0)
    run_id = yard.launch(location)
    yard.file("second")
    left = psutil.Process(int(yard.file("first")))
    host = yard.host()
    if when == "after the run's end":
        yard.write("go-second", "")
        assert yard.finished(run_id).status is RunStatus.SUCCESS
    yard.kill(host)
    yard.until(lambda: yard.host_record().pid != host.pid)
    yard.write("go-second", "")
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    yard.until(lambda: gone(left))
