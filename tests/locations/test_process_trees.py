"""What user code has started is found and ended with its worker, by control groups and without them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from runyard.core.clock import ManualClock
from runyard.core.ids import new_id
from runyard.locations.host.oom import WINDOW, MemoryKills, kill_counter
from runyard.locations.host.process_tree import ProcessTree, ProcessTrees
from runyard.locations.process_mark import MARK, mark_of, marked, roomy

linux = pytest.mark.skipif(sys.platform != "linux", reason="marks and control groups are Linux's")

#: A worker that enters its tree, starts a child of each kind, says their pids, and waits to be killed.
WORKER = """
import os, subprocess, sys, time
from runyard.core.launch import LaunchSpec
from runyard.locations.containment import enter_tree
from runyard.locations.messages import Setup
from runyard.locations.spec import LocationSpec

home, groups = sys.argv[1:]
spec = LocationSpec(name="jobs", kind="python_file", target="jobs.py", working_directory="/")
setup = Setup(spec=spec, worker_socket="", compute_logs_dir="", tree_home=home, groups=groups or None)
enter_tree(setup, LaunchSpec(run_id="run", attempt=1, token="", job_name="job", location_name="jobs"), None)
sys.stdin.readline()
said, say = os.pipe()

def told(pid):
    os.write(say, f"{pid} ".encode())

def wait():
    time.sleep(600)
    os._exit(0)

told(subprocess.Popen(["sleep", "600"]).pid)
told(subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
told(subprocess.Popen(["env", "-i", "sleep", "600"], start_new_session=True).pid)
if os.fork() == 0:
    # A daemon: its parent ends, it has a session of its own, and executes nothing.
    os.setsid()
    if os.fork() == 0:
        told(os.getpid())
        wait()
    os._exit(0)
os.wait()
pids = b""
while len(pids.split()) < 4 or not pids.endswith(b" "):
    pids += os.read(said, 100)
print(pids.decode(), flush=True)
wait()
"""


@pytest.fixture(params=["groups", "marks"])
def trees(request: pytest.FixtureRequest) -> Iterator[ProcessTrees]:
    made = ProcessTrees(new_id(), groups=request.param == "groups")
    if request.param == "groups" and made.groups is None:
        pytest.skip(f"no control group can be made here: {made.words}")
    yield made
    made.close([])
    assert made.groups is None or not made.groups.exists()


@pytest.fixture
def worker(trees: ProcessTrees) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, trees.home, str(trees.groups or "")],
        env={**os.environ, MARK: roomy(f"{trees.home}/code.1")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    placed = tree_of(trees).place(process.pid)
    assert placed is None or placed.result()
    process.stdin.write(b"go\n")
    process.stdin.close()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def started(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    assert worker.stdout is not None
    pids = [int(pid) for pid in worker.stdout.readline().split()]
    assert len(pids) == 4
    return [psutil.Process(pid) for pid in pids]


def gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that are still alive after a while."""
    return psutil.wait_procs(processes, timeout=10)[1]


def end(*processes: psutil.Process) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def tree_of(trees: ProcessTrees) -> ProcessTree:
    return trees.of("run", 1)


@linux
def test_nothing_survives_a_worker_that_died(trees: ProcessTrees, worker: subprocess.Popen[bytes]) -> None:
    children = started(worker)
    worker.kill()
    worker.wait()
    tree_of(trees).ended(worker.pid, well=False)
    # Without a group, what threw its environment away is found by the host that inherits it.
    bare = [] if trees.groups is not None else [children.pop(2)]
    assert gone(children) == []
    end(*bare)


@linux
def test_force_ends_the_worker_and_all_that_it_started(trees: ProcessTrees, worker: subprocess.Popen[bytes]) -> None:
    children = started(worker)
    tree_of(trees).stop(worker.pid, force=True)
    assert worker.wait(timeout=10) == -signal.SIGKILL
    if trees.groups is not None:
        assert gone(children) == []
    end(*children)


@linux
def test_forked_children_carry_the_worker_s_mark(trees: ProcessTrees, worker: subprocess.Popen[bytes]) -> None:
    plain, session, bare, daemon = started(worker)
    mark = tree_of(trees).mark
    assert [mark_of(process.pid) for process in (plain, session, daemon)] == [mark] * 3
    assert mark_of(bare.pid) is None
    assert {pid for pid, found in marked() if found == mark} == {worker.pid, plain.pid, session.pid, daemon.pid}
    end(plain, session, bare, daemon)


@linux
def test_orphans_stay_with_a_worker_that_has_no_group(trees: ProcessTrees, worker: subprocess.Popen[bytes]) -> None:
    *rest, daemon = started(worker)
    assert (daemon.ppid() == worker.pid) == (trees.groups is None)
    end(*rest, daemon)


@linux
def test_what_a_dead_host_left_is_ended_at_the_second_look(
    trees: ProcessTrees, worker: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    children = started(worker)
    successor = ProcessTrees.__new__(ProcessTrees)
    successor.__dict__.update(trees.__dict__, _dead_homes=set())
    monkeypatch.setattr("runyard.locations.host.process_tree._host_lives", lambda _: False)
    kept = [tree_of(trees).mark]
    for _ in range(3):
        successor.end_dead_homes(kept)
    assert all(process.is_running() for process in children), "its worker has found the next host"
    successor.end_dead_homes([])
    assert worker.wait(timeout=10) == -signal.SIGKILL
    if trees.groups is None:
        children.pop(2).kill()
    assert gone(children) == []


@linux
def test_nothing_is_ended_while_the_host_lives(trees: ProcessTrees, worker: subprocess.Popen[bytes]) -> None:
    children = started(worker)
    for _ in range(3):
        trees.end_dead_homes([])
    assert all(process.is_running() for process in children)
    assert worker.poll() is None
    end(*children)


@linux
def test_the_tree_of_a_found_worker_is_the_one_it_is_in(trees: ProcessTrees, worker: subprocess.Popen[bytes]) -> None:
    children = started(worker)
    found = trees.found(worker.pid, "run", 1)
    assert (found.mark, found.group) == (tree_of(trees).mark, tree_of(trees).group)
    end(*children)


def counter(file: Path, kills: int) -> None:
    file.write_text(f"oom 0\noom_kill {kills}\n")


def test_each_kill_of_the_kernel_explains_one_death(tmp_path: Path, clock: ManualClock) -> None:
    file = tmp_path / "events"
    counter(file, 3)
    kills = MemoryKills(file, clock)
    assert not kills.one()
    counter(file, 5)
    assert [kills.one() for _ in range(3)] == [True, True, False]
    clock.advance(1.0)
    counter(file, 6)
    kills.sample()
    assert kills.one()
    assert not kills.one()


def test_a_kill_of_long_ago_explains_nothing(tmp_path: Path, clock: ManualClock) -> None:
    file = tmp_path / "events"
    counter(file, 0)
    kills = MemoryKills(file, clock)
    counter(file, 1)
    for _ in range(3):
        kills.sample()
        clock.advance(WINDOW)
    assert not kills.one()
    counter(file, 2)
    assert kills.one()


def test_without_a_counter_no_death_is_explained(clock: ManualClock) -> None:
    assert not MemoryKills(None, clock).one()


@linux
def test_this_kernel_counts_its_kills(clock: ManualClock) -> None:
    file = kill_counter()
    assert file is not None
    assert not MemoryKills(file, clock).one()
