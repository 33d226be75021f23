"""``start_method`` in the workspace is obeyed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from locations.code import one_op
from locations.yard import Yard
from runyard.core.run import RunStatus

THREAD = "threading.Thread(target=threading.Event().wait, name='poller', daemon=True).start()"


def test_fork_that_is_asked_for_is_obeyed_and_what_speaks_against_it_shown(yard: Yard) -> None:
    body = "context.log.info(str('poller' in [thread.name for thread in threading.enumerate()]))"
    location = yard.location(one_op(body, head=THREAD), start_method="fork")
    record = location.record()
    assert record.start_method == "fork"
    assert "poller" in str(record.start_method_reason)
    assert "start_method" in str(record.start_method_reason)
    run_id = yard.launch(location)
    assert yard.finished(run_id).status is RunStatus.SUCCESS
    # It stayed behind.
    assert yard.lines(run_id) == ["False"]


def test_fork_that_is_asked_for_and_safe_says_nothing(yard: Yard) -> None:
    record = yard.location(one_op("pass"), start_method="fork").record()
    assert (record.start_method, record.start_method_reason) == ("fork", None)


def test_spawn_that_is_asked_for_needs_no_reason(yard: Yard) -> None:
    record = yard.location(one_op("pass", head=THREAD), start_method="spawn").record()
    assert (record.start_method, record.start_method_reason) == ("spawn", None)


def test_connections_are_cut_in_a_worker_and_stay_whole_in_the_zygote(yard: Yard) -> None:
    head = """
    import socket
    near, far = socket.socketpair()
    statsd = socket.socket(type=socket.SOCK_DGRAM)
    collector = socket.socket(type=socket.SOCK_DGRAM)
    collector.bind(("127.0.0.1", 0))
    statsd.connect(collector.getsockname())
"""
    body = """
try:
    near.send(b"x")
except OSError as error:
    context.log.info(type(error).__name__)
context.log.info(str(far.recv(1)))
statsd.send(b"datagrams arrive whole")
context.log.info(str(collector.recv(100)))
"""
    location = yard.location(one_op(body, head=head.strip()), start_method="fork")
    assert "a pair of sockets" in str(location.record().start_method_reason)
    runs = [yard.launch(location) for _ in range(2)]
    for run_id in runs:
        assert yard.finished(run_id).status is RunStatus.SUCCESS, yard.run(run_id).failure
        assert yard.lines(run_id) == ["BrokenPipeError", "b''", "b'datagrams arrive whole'"]


def test_validating_code_says_how_workers_start_and_why(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(f"import threading\nimport runyard as dg\n{THREAD}\ndefs = dg.Definitions()")
    told = subprocess.run(
        [sys.executable, "-m", "runyard.cli.main", "definitions", "validate", "-f", "jobs.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "starts workers by spawn: The code starts a Python thread (poller)" in told.stdout
