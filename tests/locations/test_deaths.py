"""What a run comes to when a process that carries it dies."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from runyard.core.events import EventType
from runyard.core.launch import WorkerReport
from runyard.core.location import LocationState
from runyard.core.run import RunStatus
from runyard.locations.host.process_tree import ProcessTrees
from runyard.locations.host.run_worker import RunWorker, settle

from .code import WAITING, one_op, steps
from .yard import Yard

#: The body of an op that cannot be told to stop.
DEAF = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
(HERE / "started").write_text(str(os.getpid()))
threading.Event().wait()
"""


def worker_of(yard: Yard) -> psutil.Process:
    return psutil.Process(int(yard.file("started")))


def test_killed_worker_fails_its_run_and_the_signal_is_named(yard: Yard) -> None:
    run_id = yard.launch(yard.location(WAITING))
    yard.kill(worker_of(yard))
    run = yard.finished(run_id)
    assert run.status is RunStatus.FAILURE
    assert run.failure is not None
    assert run.failure.error_class == "WorkerKilled"
    assert "killed by signal 9 (SIGKILL)" in run.failure.message
    assert yard.lines(run_id) == ["before"]


def test_exit_code_of_a_worker_that_leaves_is_named(yard: Yard) -> None:
    run_id = yard.launch(yard.location(one_op("os._exit(3)")))
    run = yard.finished(run_id)
    assert run.status is RunStatus.FAILURE
    assert run.failure is not None
    assert run.failure.error_class == "WorkerExited"
    assert "exit code 3" in run.failure.message


def test_events_that_were_still_in_the_socket_are_kept(yard: Yard) -> None:
    body = """
for number in range(200):
    context.log.info(f"line {number}")
os.kill(os.getpid(), signal.SIGKILL)
"""
    run_id = yard.launch(yard.location(one_op(body)))
    run = yard.finished(run_id)
    assert run.failure is not None
    assert run.failure.error_class == "WorkerKilled"
    assert yard.lines(run_id) == [f"line {number}" for number in range(200)]
    assert yard.events(run_id)[-1].type is EventType.RUN_FAILURE


def test_subprocesses_of_a_killed_worker_end_with_it(yard: Yard) -> None:
    body = """
import subprocess
child = subprocess.Popen(["sleep", "600"])
(HERE / "child").write_text(str(child.pid))
os.kill(os.getpid(), signal.SIGKILL)
"""
    run_id = yard.launch(yard.location(one_op(body)))
    yard.finished(run_id)
    child = int(yard.file("child"))
    # Its parent is gone, so the host, as subreaper, reaps it too.
    yard.until(lambda: not psutil.pid_exists(child))


def test_a_wrong_token_keeps_user_code_from_being_called(yard: Yard) -> None:
    location = yard.location(one_op("(HERE / 'called').write_text('yes')"))
    spec = yard.claim()
    stale = type(spec)(**{name: getattr(spec, name) for name in spec.__struct_fields__} | {"token": "another"})
    [result] = location.launch([stale], timeout=10)
    assert result.pid is not None
    yard.until(lambda: location.load() == 0)
    assert not (yard.code / "called").exists()
    assert yard.run(spec.run_id).status is RunStatus.STARTING


def test_launching_twice_starts_one_worker(yard: Yard) -> None:
    location = yard.location(one_op("(HERE / f'called-{os.getpid()}').write_text('yes')"))
    spec = yard.claim()
    first, second = (location.launch([spec], timeout=10)[0] for _ in range(2))
    yard.finished(spec.run_id)
    third = location.launch([spec], timeout=10)[0]
    assert first.pid == second.pid == third.pid
    assert len(list(yard.code.glob("called-*"))) == 1


def test_dead_zygote_is_replaced_and_running_runs_go_on(yard: Yard) -> None:
    location = yard.location(WAITING)
    running = yard.launch(location)
    yard.file("started")
    old = yard.zygote()
    yard.kill(old)
    (yard.code / "go").write_text("")
    assert yard.finished(running).status is RunStatus.SUCCESS
    # The launch waits for the new zygote by itself.
    assert yard.finished(yard.launch(location)).status is RunStatus.SUCCESS
    assert yard.zygote().pid != old.pid


def test_code_whose_process_is_killed_while_it_loads_is_loaded_again(yard: Yard) -> None:
    loading = """
(HERE / "loading").write_text(str(os.getpid()))
while not (HERE / "load").exists():
    threading.Event().wait(0.01)
"""
    yard.write("jobs.py", one_op("pass", tail=loading.replace("\n", "\n    ")))
    workspace = yard.open(yard.spec(), wait=False)
    os.kill(int(yard.file("loading")), signal.SIGKILL)
    (yard.code / "load").write_text("")
    location = workspace.get("jobs")
    assert location is not None
    yard.until(lambda: location.record().state is LocationState.LOADED)
    assert yard.finished(yard.launch(location)).status is RunStatus.SUCCESS


def test_worker_killed_after_its_zygote_is_reaped_by_the_host(yard: Yard) -> None:
    run_id = yard.launch(yard.location(WAITING))
    worker = worker_of(yard)
    zygote = yard.zygote()
    yard.kill(zygote)
    yard.until(lambda: worker.ppid() == yard.host().pid)
    yard.kill(worker)
    failure = yard.finished(run_id).failure
    assert failure is not None
    assert "SIGKILL" in failure.message


def test_worker_whose_host_is_killed_finishes_with_the_next_host(yard: Yard) -> None:
    location = yard.location(WAITING)
    run_id = yard.launch(location)
    worker = worker_of(yard)
    old = yard.host()
    yard.kill(old)
    new = yard.until(lambda: host if (host := yard.host_record()).pid != old.pid else None)
    yard.until(lambda: yard.run(run_id).host_id == new.host_id)
    (yard.code / "go").write_text("")
    run = yard.finished(run_id)
    assert run.status is RunStatus.SUCCESS
    assert run.pid == worker.pid
    assert yard.lines(run_id) == ["before", "after"]
    numbers = [event.seq for event in yard.events(run_id) if event.seq is not None]
    assert numbers == list(range(1, len(numbers) + 1))
    assert [event.type for event in yard.events(run_id)].count(EventType.RUN_START) == 1


def test_worker_with_no_host_stops_itself_and_what_it_started(yard: Yard) -> None:
    body = """
import subprocess
child = subprocess.Popen(["sleep", "600"])
try:
    (HERE / "started").write_text(f"{os.getpid()} {child.pid}")
    threading.Event().wait()
finally:
    (HERE / "cleaned").write_text("up")
"""
    location = yard.location(one_op(body), host_grace=0.3, stop_grace=0.5)
    yard.launch(location)
    pids = [int(pid) for pid in yard.file("started").split()]
    host = yard.host()
    yard.workspaces[0].stop(terminate_hosts=False)
    yard.kill(host)
    yard.until(lambda: not yard.alive())
    assert yard.file("cleaned") == "up"
    # A process that dies loses its environment, by which ``alive`` knows it, a moment before it is a zombie.
    yard.until(lambda: not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids))


def test_nothing_outlives_a_host_with_a_deaf_worker(yard: Yard) -> None:
    body = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
(HERE / "started").write_text(str(os.getpid()))
while True:
    threading.Event().wait(10)
"""
    location = yard.location(one_op(body), host_grace=0.2, stop_grace=0.2)
    yard.launch(location)
    yard.file("started")
    host = yard.host()
    yard.workspaces[0].stop(terminate_hosts=False)
    yard.kill(host)
    yard.until(lambda: not yard.alive())


def test_idle_host_ends_by_itself(yard: Yard) -> None:
    yard.location(WAITING, linger=0.3)
    yard.workspaces[0].stop(terminate_hosts=False)
    yard.until(lambda: not yard.alive())
    assert yard.stores.hosts.all() == []


def test_host_stays_for_its_worker_and_commits_its_end(yard: Yard) -> None:
    location = yard.location(WAITING, linger=0.2)
    run_id = yard.launch(location)
    yard.file("started")
    yard.workspaces[0].stop(terminate_hosts=False)
    (yard.code / "go").write_text("")
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    yard.until(lambda: not yard.alive())


def test_cancel_lets_user_code_clean_up(yard: Yard) -> None:
    body = """
try:
    (HERE / "started").write_text(str(os.getpid()))
    threading.Event().wait()
finally:
    context.log.info("cleaning")
"""
    location = yard.location(one_op(body))
    run_id = yard.launch(location)
    yard.file("started")
    assert yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=False, timeout=5)
    assert yard.finished(run_id).status is RunStatus.CANCELED
    assert yard.lines(run_id) == ["cleaning"]


@pytest.mark.parametrize("how", ["raise ValueError", "return None"])
def test_a_cancel_that_user_code_has_caught_ends_the_run_before_the_next_step(yard: Yard, how: str) -> None:
    code = f"""
@dg.op(retry_policy=dg.RetryPolicy(max_retries=5, delay=0.01))
def stubborn():
    (HERE / "started").write_text("yes")
    try:
        threading.Event().wait()
    except BaseException:
        {how}

@dg.op
def after(given):
    (HERE / "after").write_text("")

def body():
    after(stubborn())
"""
    location = yard.location(steps(code, executor="dg.in_process_executor"))
    run_id = yard.launch(location)
    yard.file("started")
    assert yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=False, timeout=5)
    assert yard.finished(run_id).status is RunStatus.CANCELED
    assert not (yard.code / "after").exists()
    ends = [kind for kind, key in yard.steps(run_id) if key == "stubborn"]
    assert ends[-1] in ("STEP_FAILURE", "STEP_SUCCESS")


def test_force_kills_and_the_cancel_stands(yard: Yard) -> None:
    location = yard.location(one_op(DEAF))
    run_id = yard.launch(location)
    yard.file("started")
    yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=True, timeout=5)
    assert yard.finished(run_id).status is RunStatus.CANCELED


def test_a_canceled_worker_that_does_not_stop_is_killed_and_that_is_said(yard: Yard) -> None:
    location = yard.location(one_op(DEAF))
    run_id = yard.launch(location)
    yard.file("started")
    yard.stores.runs.cancel_active(run_id, message="asked", now=yard.clock.now())
    assert location.terminate(run_id, attempt=1, force=False, timeout=5, kill_after=0.2)
    assert yard.finished(run_id).status is RunStatus.CANCELED
    last = [event for event in yard.events(run_id) if event.type is EventType.RUN_CANCELED][-1]
    assert "did not stop within 0.2 s of being told to, and was killed" in last.message


@pytest.mark.parametrize("rejected", [True, False])
@pytest.mark.parametrize("canceling", [True, False])
def test_a_second_worker_of_an_attempt_has_nothing_to_say_about_the_run(
    yard: Yard, rejected: bool, canceling: bool
) -> None:
    """Two hosts were asked, because the first had not answered in time: the attempt is the other's."""
    spec = yard.claim()
    begin = WorkerReport(run_id=spec.run_id, attempt=1, begin=spec.token, pid=101)
    assert yard.stores.runs.report([begin]) == [True]
    if canceling:
        yard.stores.runs.cancel_active(spec.run_id, message="asked", now=yard.clock.now())
    second = RunWorker(spec.run_id, 1, 102, -1, ProcessTrees("elsewhere", groups=False).of(spec.run_id, 1))
    second.rejected, second.code = rejected, 1
    assert settle(yard.stores.runs, second, yard.clock.now()) is None
    assert yard.run(spec.run_id).status is (RunStatus.CANCELING if canceling else RunStatus.STARTED)


def test_cancel_before_begin_ends_the_run(yard: Yard) -> None:
    location = yard.location(one_op("(HERE / 'called').write_text('yes')"))
    spec = yard.claim()
    yard.stores.runs.cancel_active(spec.run_id, message="asked", now=yard.clock.now())
    location.launch([spec], timeout=10)
    assert yard.finished(spec.run_id).status is RunStatus.CANCELED
    assert not (yard.code / "called").exists()


def test_sigterm_from_elsewhere_is_a_failure_and_says_so(yard: Yard) -> None:
    run_id = yard.launch(yard.location(WAITING))
    os.kill(worker_of(yard).pid, signal.SIGTERM)
    run = yard.finished(run_id)
    assert run.status is RunStatus.FAILURE
    assert run.failure is not None
    assert run.failure.error_class == "WorkerTerminated"


def test_terminate_finds_no_worker_of_another_attempt(yard: Yard) -> None:
    location = yard.location(WAITING)
    run_id = yard.launch(location)
    yard.file("started")
    assert not location.terminate(run_id, attempt=2, force=True, timeout=5)
    assert yard.run(run_id).status is RunStatus.STARTED


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_exit_functions_and_threads_of_user_code_are_waited_for(yard: Yard, start_method: str) -> None:
    body = """
import atexit
atexit.register(lambda: (HERE / "exit").write_text("ran"))
threading.Thread(target=lambda: (HERE / "thread").write_text("ran")).start()
print("no newline", end="")
"""
    location = yard.location(one_op(body), start_method=start_method)
    run_id = yard.launch(location)
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    assert (yard.file("exit"), yard.file("thread")) == ("ran", "ran")
    yard.until(lambda: (yard.home / "logs" / run_id / "act.out").read_text() == "no newline")
