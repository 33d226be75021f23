"""However a run ends, what its code has started ends with it, by control groups and where none can be made."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from runyard.core.run import Run, RunStatus
from runyard.locations.api import Location

from .code import steps
from .yard import Yard

#: Starts a plain child, one with a session of its own, one that is a daemon and one that has neither parent nor
#: environment, tells their pids, and ends as it is told.
CHILDREN = """
import subprocess, sys

def children(name):
    pids = []
    pids.append(subprocess.Popen(["sleep", "600"]).pid)
    pids.append(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
    said, say = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(say, str(os.getpid()).encode())
            signal.pause()
        os._exit(0)
    os.wait()
    pids.append(int(os.read(said, 20)))
    bare = "setsid env -i sleep 600 >/dev/null 2>&1 & echo $!"
    pids.append(int(subprocess.run(["sh", "-c", bare], capture_output=True, check=True).stdout))
    (HERE / f"{name}.new").write_text(" ".join(map(str, pids)))
    (HERE / f"{name}.new").rename(HERE / name)

def end(how):
    if how == "exception":
        raise ValueError("boom")
    if how == "sys.exit":
        sys.exit(3)
    if how == "os._exit":
        os._exit(3)
    if how == "SIGKILL":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "SIGSEGV":
        os.kill(os.getpid(), signal.SIGSEGV)
    if how == "wait":
        signal.pause()

@dg.op(config_schema={"how": str})
def leave(context):
    children(context.op_config["how"])
    end(context.op_config["how"])

def body():
    leave()
"""

#: How a run ends, and what its failure says.
ENDS = {
    "well": None,
    "exception": ("ValueError", "boom"),
    "sys.exit": ("SystemExit", "3"),
    "os._exit": ("WorkerExited", "ended with exit code 3 before it had said how the "),
    "SIGKILL": ("WorkerKilled", "was killed by signal 9 (SIGKILL)"),
    "SIGSEGV": ("WorkerKilled", "was killed by signal 11 (SIGSEGV)"),
}


@pytest.fixture(params=[True, False], ids=["groups", "marks"])
def by_groups(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def launch(yard: Yard, location: Location, how: str) -> str:
    return yard.launch(location, config={"ops": {"leave": {"config": {"how": how}}}})


def children_of(yard: Yard, name: str) -> list[psutil.Process]:
    found = []
    for pid in yard.file(name).split():
        with suppress(psutil.NoSuchProcess):  # ended with its run already
            found.append(psutil.Process(int(pid)))
    return found


def all_gone(yard: Yard, processes: list[psutil.Process]) -> None:
    """Within 5 s: two looks of the host's housekeeping, and patience for a busy machine."""
    yard.until(lambda: not any(is_there(process) for process in processes), patience=5.0)


def is_there(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def nothing_held(yard: Yard) -> None:
    assert list(yard.stores.pool_slots.holders()) == []
    assert list(yard.stores.pool_slots.waiters()) == []


def check_end(run: Run, how: str) -> None:
    said = ENDS[how]
    if said is None:
        assert run.status is RunStatus.SUCCESS, run.failure
        return
    assert run.status is RunStatus.FAILURE
    assert run.failure is not None
    assert (run.failure.error_class, run.failure.step_key) == (said[0], "leave")
    assert said[1] in run.failure.message
    assert "\n" not in run.failure.message


@pytest.mark.parametrize("executor", ["dg.in_process_executor", "dg.multiprocess_executor"])
def test_nothing_outlives_its_run(yard: Yard, by_groups: bool, executor: str) -> None:
    code = CHILDREN if executor == "dg.in_process_executor" else f"{CHILDREN}\n    alone()\n{ALONE}"
    location = yard.location(steps(code, executor=executor), cgroups=by_groups, stop_grace=0.5)
    runs = {how: launch(yard, location, how) for how in ENDS}
    for how, run_id in runs.items():
        check_end(yard.finished(run_id), how)
        all_gone(yard, children_of(yard, how))
    nothing_held(yard)
    host = yard.host()
    # No child of a dead worker is left to the host either, not even as a zombie.
    yard.until(lambda: {child.pid for child in host.children(recursive=True)} <= own(yard))


#: A second step, so that each has a process of its own.
ALONE = """
@dg.op
def alone():
    pass
"""


def own(yard: Yard) -> set[int]:
    zygote = yard.zygote()
    return {zygote.pid, *(child.pid for child in zygote.children())}


def test_what_a_cancelled_run_started_ends_with_it(yard: Yard, by_groups: bool) -> None:
    location = yard.location(steps(CHILDREN, executor="dg.in_process_executor"), cgroups=by_groups)
    run_id = launch(yard, location, "wait")
    children = children_of(yard, "wait")
    assert len(children) == 4
    yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=False, timeout=5)
    assert yard.finished(run_id).status is RunStatus.CANCELED
    all_gone(yard, children)


def test_what_a_worker_without_a_host_started_ends_with_it(yard: Yard, by_groups: bool) -> None:
    location = yard.location(
        steps(CHILDREN, executor="dg.in_process_executor"), cgroups=by_groups, host_grace=0.3, stop_grace=0.3
    )
    launch(yard, location, "wait")
    children = children_of(yard, "wait")
    host = yard.host()
    yard.workspaces[0].stop(terminate_hosts=False)
    yard.kill(host)
    all_gone(yard, children)


def test_what_died_between_two_hosts_leaves_nothing(yard: Yard, by_groups: bool) -> None:
    location = yard.location(
        steps(CHILDREN, executor="dg.in_process_executor"), cgroups=by_groups, host_grace=0.5, stop_grace=0.2
    )
    run_id = launch(yard, location, "wait")
    children = children_of(yard, "wait")
    worker = psutil.Process(yard.started(run_id).pid)
    host = yard.host()
    # Nobody may take the worker over before it is dead.
    worker.suspend()
    yard.kill(host)
    yard.kill(worker)
    # Without a group nobody is left to know the one that threw its environment away.
    yard.until(lambda: not any(is_there(child) for child in (children if by_groups else children[:3])), patience=10.0)
    for child in children:
        if is_there(child):
            child.kill()


def test_what_code_starts_when_it_is_imported_ends_with_a_reload(yard: Yard, by_groups: bool) -> None:
    head = "import subprocess; Popen = subprocess.Popen(['sleep', '600'], start_new_session=True)"
    yard.write("jobs.py", steps(f"{head}\n{CHILDREN}\n(HERE / f'code-{{os.getpid()}}').write_text(str(Popen.pid))"))
    location = yard.open(yard.spec(), cgroups=by_groups).get("jobs")
    assert location is not None
    [file] = yard.code.glob("code-*")
    child = psutil.Process(int(file.read_text()))
    assert is_there(child)
    location.reload(timeout=30)
    all_gone(yard, [child])


def test_a_kill_of_the_kernel_is_told_from_others(yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter is a file here; a real one is made to rise in the end-to-end tests where that can be done."""
    counter = tmp_path / "vmstat"
    counter.write_text("oom_kill 0\n")
    site = yard.write(
        "site/sitecustomize.py",
        f"""
        import pathlib, sys
        if sys.argv[:1] == ["-m"]:
            import runyard.locations.host.oom as oom
            oom._VMSTAT = pathlib.Path({str(counter)!r})
    """,
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(site.parent), os.environ.get("PYTHONPATH")])))
    location = yard.location(steps(CHILDREN, executor="dg.in_process_executor"))
    first, second = launch(yard, location, "wait"), None
    worker = psutil.Process(yard.started(first).pid)
    yard.file("wait")
    counter.write_text("oom_kill 1\n")
    yard.kill(worker)
    failure = yard.finished(first).failure
    assert failure is not None
    assert failure.error_class == "OutOfMemory"
    assert failure.message.endswith("was killed by signal 9 (SIGKILL): the kernel was out of memory.")
    second = launch(yard, location, "SIGKILL")
    failure = yard.finished(second).failure
    assert failure is not None
    assert failure.error_class == "WorkerKilled", "each of the kernel's kills explains one death"
