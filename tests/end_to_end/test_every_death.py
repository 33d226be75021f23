"""Each way for a run to die, with daemons, hosts and workers that are real: what it comes to, why, and what is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from runyard.core.events import EventType
from runyard.core.run import ACTIVE, Run, RunStatus
from runyard.operations.cancel import cancel

from .memory_group import MemoryGroup, NoMemoryGroup
from .yard import Yard

#: Ops in a pool that start children of each kind and then end as their config says.
JOBS = """
import os, pathlib, signal, subprocess, sys, threading
import runyard as dg

HERE = pathlib.Path(__file__).parent

def tell(name, *pids):
    (HERE / f"{name}.new").write_text(" ".join(map(str, pids)))
    (HERE / f"{name}.new").rename(HERE / name)

def daemon():
    said, say = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(say, str(os.getpid()).encode())
            signal.pause()
        os._exit(0)
    os.wait()
    return int(os.read(said, 20))

def end(how):
    if how == "exception":
        raise ValueError("boom")
    if how == "sys.exit":
        sys.exit(3)
    if how == "os._exit":
        os._exit(3)
    if how == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if how == "memory":
        (HERE / "hungry").write_text("")
        while not (HERE / "fed").exists():
            threading.Event().wait(0.01)
        hoard = []
        while True:
            hoard.append(os.urandom(1 << 20))

@dg.op(pool="db", config_schema={"how": str})
def act(context):
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    tell(context.run_id, os.getpid(), child.pid, daemon())
    end(context.op_config["how"])
    while not (HERE / f"go-{context.run_id}").exists():
        threading.Event().wait(0.01)

@dg.op
def other():
    pass

@dg.job(executor_def=dg.in_process_executor)
def one():
    act()

@dg.job(executor_def=dg.multiprocess_executor)
def many():
    act()
    other()

defs = dg.Definitions(jobs=[one, many])
"""

#: Every run, its monitor and its pool.
INSTANCE = """
run_monitoring: {enabled: true, poll_interval_seconds: 1, cancel_timeout_seconds: 2}
concurrency: {pools: {granularity: op, default_limit: 10}}
"""
IN_TIME = 15.0
#: What a run that has ended by itself leaves behind has so long, in seconds.
GRACE = 15.0


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with Yard(tmp_path_factory.mktemp("deaths"), instance=INSTANCE, jobs=JOBS) as yard:
        yard.start()
        yield yard


@pytest.fixture
def system(shared: Yard) -> Iterator[Yard]:
    """One system for all deaths: each must leave it as it was."""
    yield shared
    assert not shared.runs(*ACTIVE)
    assert list(shared.stores.pool_slots.holders()) == []
    assert list(shared.stores.pool_slots.waiters()) == []


def begin(system: Yard, how: str, job: str = "one", **tags: str) -> tuple[str, list[psutil.Process]]:
    """A run whose op has started its children; the op's process comes first."""
    config = {"ops": {"act": {"config": {"how": how}}}}
    run_id = system.submit(job, config=config, **tags)
    file = system.directory / run_id
    system.wait(file.exists)
    return run_id, [found for pid in file.read_text().split() if (found := process_of(int(pid)))]


def process_of(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def ended(
    system: Yard, run_id: str, processes: list[psutil.Process], *, seconds: float = IN_TIME, grace: float = 0.0
) -> Run:
    """The run's end; the op's process and what it has started are gone soon after, or after their grace."""
    run = system.wait_end(run_id, seconds=seconds)
    system.wait(lambda: not any(is_there(process) for process in processes), seconds=5.0 + grace)
    return run


def is_there(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def failed(run: Run, error_class: str, *words: str) -> None:
    assert run.status is RunStatus.FAILURE
    assert run.failure is not None
    assert run.failure.error_class == error_class
    assert "\n" not in run.failure.message
    for said in words:
        assert said in run.failure.message, run.failure.message


@pytest.mark.parametrize("job", ["one", "many"])
def test_code_that_ends_itself(system: Yard, job: str) -> None:
    begun = {how: begin(system, how, job) for how in ("exception", "sys.exit", "os._exit")}
    # A run that ends by its own word leaves its children a grace; one whose process is gone does not.
    runs = {how: ended(system, *begun[how], grace=0.0 if how == "os._exit" else GRACE) for how in reversed(begun)}
    failed(runs["exception"], "ValueError", "boom")
    failed(runs["sys.exit"], "SystemExit", "3")
    failed(runs["os._exit"], "WorkerExited", "ended with exit code 3")
    assert {run.failure.step_key for run in runs.values() if run.failure} == {"act"}
    assert [run.failure.by_step for run in runs.values() if run.failure] == [False, True, True]


@pytest.mark.parametrize("job", ["one", "many"])
def test_sigkill_of_the_process_that_runs_the_step(system: Yard, job: str) -> None:
    run_id, processes = begin(system, "wait", job)
    processes[0].kill()
    run = ended(system, run_id, processes)
    failed(run, "WorkerKilled", "was killed by signal 9 (SIGKILL)")
    assert run.failure is not None
    assert run.failure.step_key == "act"


def test_sigkill_of_the_worker_of_a_run_whose_steps_have_processes(system: Yard) -> None:
    run_id, processes = begin(system, "wait", "many")
    worker = psutil.Process(system.run(run_id).pid)
    assert worker.pid != processes[0].pid
    worker.kill()
    failed(ended(system, run_id, processes), "WorkerKilled", f"process {worker.pid}", "signal 9 (SIGKILL)")
    ends = [e.event for e in system.stores.events.of_run(run_id) if e.event.type is EventType.STEP_FAILURE]
    assert [event.step_key for event in ends] == ["act"], "no page shows it as running"


@pytest.mark.parametrize("job", ["one", "many"])
def test_sigkill_of_the_zygote_costs_no_run(system: Yard, job: str) -> None:
    run_id, processes = begin(system, "wait", job)
    [host] = system.hosts()
    zygote = next(child for child in host.children() if os.getsid(child.pid) == os.getsid(host.pid))
    zygote.kill()
    system.go(run_id)
    assert ended(system, run_id, processes, grace=GRACE).status is RunStatus.SUCCESS
    after, processes = begin(system, "wait", job)
    system.go(after)
    assert ended(system, after, processes, grace=GRACE).status is RunStatus.SUCCESS


@pytest.mark.parametrize("job", ["one", "many"])
def test_sigkill_of_the_host_costs_no_run(system: Yard, job: str) -> None:
    run_id, processes = begin(system, "wait", job)
    [host] = system.hosts()
    host.kill()
    system.wait(
        lambda: system.run(run_id).host_id in {h.host_id for h in system.stores.hosts.all() if h.pid != host.pid}
    )
    system.go(run_id)
    assert ended(system, run_id, processes, seconds=40.0, grace=GRACE).status is RunStatus.SUCCESS


def test_sigkill_of_host_and_worker_together(system: Yard) -> None:
    run_id, processes = begin(system, "wait")
    [host] = system.hosts()
    processes[0].suspend()
    host.kill()
    processes[0].kill()
    # Nobody saw the worker die, and its lease must run out before anybody says so: then its pid tells.
    failed(system.wait_end(run_id, seconds=40.0), "HostLost", "is gone, and with it the run's worker")
    # What it had started ends once the next host is sure that no worker is on its way to it: see tests/locations.
    for process in processes:
        if is_there(process):
            process.kill()


@pytest.mark.parametrize("job", ["one", "many"])
def test_a_run_past_its_time_is_stopped(system: Yard, job: str) -> None:
    run_id, processes = begin(system, "wait", job, **{"dagster/max_runtime": "1"})
    failed(ended(system, run_id, processes), "MaxRuntimeExceeded", "maximum runtime of 1 second")


@pytest.mark.parametrize("job", ["one", "many"])
def test_a_deaf_run_past_its_time_is_killed(system: Yard, job: str) -> None:
    run_id, processes = begin(system, "deaf", job, **{"dagster/max_runtime": "1"})
    failed(ended(system, run_id, processes), "MaxRuntimeExceeded", "maximum runtime of 1 second")


@pytest.mark.parametrize("job", ["one", "many"])
def test_a_deaf_worker_is_killed_when_its_run_is_canceled(system: Yard, job: str) -> None:
    run_id, processes = begin(system, "deaf", job)
    asked = system.instance.clock.now()
    cancel(system.stores, run_id, by="ops", clock=system.instance.clock)
    run = ended(system, run_id, processes)
    assert run.status is RunStatus.CANCELED
    assert run.ended_at is not None
    assert run.ended_at - asked >= 2.0, "it had its time to clean up"


def test_a_worker_that_the_kernel_kills_for_its_memory(system: Yard) -> None:
    try:
        group = MemoryGroup(limit=64 << 20)
    except NoMemoryGroup as error:
        if os.environ.get("CI") == "true" and error.should_be_possible:
            raise
        pytest.skip(str(error))
    with group:
        run_id, processes = begin(system, "memory")
        system.wait((system.directory / "hungry").exists)
        group.add(processes[0].pid)
        Path(system.directory / "fed").touch()
        run = ended(system, run_id, processes)
    failed(run, "OutOfMemory", "was killed by signal 9 (SIGKILL): the kernel was out of memory")
    assert run.failure is not None
    assert run.failure.step_key == "act"


def test_a_wave_of_deaths_leaves_nothing(system: Yard) -> None:
    begun = [begin(system, "wait", job) for job in ("one", "many") * 3]
    for _, processes in begun:
        processes[0].send_signal(signal.SIGKILL)
    for run_id, processes in begun:
        failed(ended(system, run_id, processes, seconds=30.0), "WorkerKilled", "signal 9")
