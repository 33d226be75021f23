"""Parts of a host whose callbacks come in an awkward order."""

from __future__ import annotations

import os
import socket
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from runyard.core.clock import ManualClock, SystemClock
from runyard.core.ids import new_id
from runyard.core.launch import LaunchSpec
from runyard.core.step import StepEnd, StepOrder, StepStatus
from runyard.locations.host.loop import READ, Loop
from runyard.locations.host.process_tree import ProcessTrees
from runyard.locations.host.run_worker import RunWorker
from runyard.locations.host.run_workers import RunWorkers
from runyard.locations.host.step_run import StepsOfRun
from runyard.locations.host.step_worker import StepWorker
from runyard.locations.host.worker_process import WorkerProcesses
from runyard.locations.host.zygote_process import OnWorker
from runyard.locations.messages import Hello, StartStep
from runyard.locations.processes import exit_descriptor

KEY = ("r", 1)
ORDER = StepOrder(step_key="a", number=1)
LAUNCH = LaunchSpec(run_id="r", attempt=1, token=new_id(), job_name="job", location_name="jobs")


def workers_with(**parts: Any) -> RunWorkers:
    names = ["loop", "processes", "trees", "steps", "slots", "committer", "runs", "wakeups", "clock"]
    names += ["host_id", "start", "on_query", "leftovers"]
    return RunWorkers(**{name: parts.get(name) for name in names})  # type: ignore[arg-type]  # what the test needs of it


def test_the_end_of_a_run_is_told_of_also_when_its_steps_are_ended_twice() -> None:
    asked: list[OnWorker] = []
    services: Any = SimpleNamespace(loop=Loop(SystemClock()), start=lambda launch, order, then: asked.append(then))
    steps = StepsOfRun(KEY, services)
    run: Any = SimpleNamespace(launch=LAUNCH, asked_before=frozenset(), send=lambda message: None)
    steps.request(run, StartStep(id=1, order=ORDER))
    told: list[str] = []
    steps.end(lambda: told.append("worker gone"))
    steps.end(lambda: told.append("alone for too long"))
    asked[0]("the location's process ended")
    assert told == ["worker gone", "alone for too long"]


def test_a_launch_that_was_answered_as_the_host_ended_is_not_answered_again() -> None:
    asked: list[OnWorker] = []
    trees = ProcessTrees("here", groups=False)
    workers = workers_with(trees=trees, start=lambda launch, then: asked.append(then))
    launch = workers.launch(LAUNCH)
    workers.close()
    asked[0]("the location's process ended")
    assert launch.result(0).error == "The location's host was stopped."


def test_a_run_whose_end_cannot_be_stored_is_left_to_the_monitor() -> None:
    class Broken:
        def get(self, run_id: str) -> None:
            raise ValueError("broken")

    workers = workers_with(runs=Broken(), clock=SystemClock())
    nothing: Any = None
    worker = RunWorker(*KEY, os.getpid(), -1, nothing)
    workers._settling.add(KEY)
    with pytest.raises(ValueError, match="broken"):
        workers._settle(worker)
    assert workers.keys() == ()


def test_a_run_that_comes_from_another_host_may_hold_slots() -> None:
    committer = SimpleNamespace(claimants=set(), after=lambda action: None)
    trees = SimpleNamespace(found=lambda pid, run_id, attempt: None)
    processes = SimpleNamespace(watch=lambda worker, on_gone: os.close(worker.exit_fd))
    workers = workers_with(committer=committer, trees=trees, processes=processes)
    connection: Any = None
    workers.welcome(Hello(run_id="r", attempt=1, pid=os.getpid()), os.getpid(), connection)
    assert committer.claimants == {"r"}


def test_a_descriptor_that_was_closed_and_came_again_is_not_taken_for_the_old_one() -> None:
    loop = Loop(SystemClock())
    seen: list[str] = []
    pairs = [socket.socketpair() for _ in range(3)]
    first, second, stranger = (pair[0] for pair in pairs)

    def callback(name: str, other: socket.socket) -> None:
        # Both are ready: whichever comes first closes the other, whose number the stranger gets.
        seen.append(name)
        loop.unwatch(other.fileno())
        os.dup2(stranger.fileno(), other.fileno())
        loop.watch(other.fileno(), READ, lambda: seen.append("stranger"))
        loop.stop()

    loop.watch(first.fileno(), READ, lambda: callback("first", second))
    loop.watch(second.fileno(), READ, lambda: callback("second", first))
    for _, end in pairs[:2]:
        end.send(b"x")
    loop.run()
    for pair in pairs:
        for end in pair:
            end.close()
    assert len(seen) == 1


class NoKills:
    def one(self) -> bool:
        return False


def gone_of(*, said: bool) -> tuple[list[int | None], ManualClock]:
    """A killed child whose zygote is slow to say so, and its host's clock; the codes with which it was gone."""
    clock = ManualClock()
    loop = Loop(clock)
    child = subprocess.Popen(["sleep", "60"])
    exit_fd = exit_descriptor(child.pid)
    child.kill()
    child.wait()
    zygote: Any = object()
    tree: Any = None
    worker = StepWorker(KEY, ORDER, child.pid, exit_fd, tree, zygote)
    worker.end = StepEnd(step_key="a", number=1, status=StepStatus.SUCCESS) if said else None
    processes = WorkerProcesses(loop, NoKills())  # type: ignore[arg-type]  # the one method that it calls
    codes: list[int | None] = []
    processes.watch(worker, lambda: codes.append(worker.code))

    def late() -> None:
        clock.advance(1.0)
        loop.soon(lambda: processes.exit_reported(child.pid, -9))
        loop.soon(loop.stop)

    # Behind the exit descriptor, which is ready.
    loop.soon(lambda: loop.soon(late))
    loop.run()
    return codes, clock


def test_how_a_process_was_killed_is_waited_for_when_its_zygote_is_busy() -> None:
    assert gone_of(said=False)[0] == [-9]


def test_nobody_waits_long_for_the_status_of_a_process_that_has_said_its_end() -> None:
    assert gone_of(said=True)[0] == [None]
