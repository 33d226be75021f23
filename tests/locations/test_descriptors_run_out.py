"""Two descriptors of the host and one of the zygote are held for each worker."""

from __future__ import annotations

import errno
import resource
import select
import socket
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runyard.core.run import RunStatus
from runyard.locations.framing import FrameBuffer
from runyard.locations.messages import Setup, StartWorker, WorkerNotStarted
from runyard.locations.spec import LocationSpec
from runyard.locations.zygote import zygote as module
from runyard.locations.zygote.zygote import Zygote

from .code import WAITING
from .yard import Yard


def test_a_host_has_more_workers_than_the_usual_limit_of_descriptors_allows(yard: Yard) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (80, hard))
    try:
        location = yard.location(WAITING)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    specs = [yard.claim() for _ in range(40)]
    yard.accepted(location.launch(specs, timeout=20))
    for spec in specs:
        yard.started(spec.run_id)
    (yard.code / "go").write_text("")
    assert {yard.finished(spec.run_id).status for spec in specs} == {RunStatus.SUCCESS}


def no_more(*_: Any) -> Any:
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize("what", ["socketpair", "exit_descriptor"])
def test_a_zygote_without_descriptors_says_so_and_keeps_no_process(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, end = socket.socketpair()
    zygote = Zygote(end)
    spec = LocationSpec(name="jobs", kind="python_file", target="jobs.py", working_directory=str(tmp_path))
    zygote._setup = Setup(spec=spec, worker_socket=str(tmp_path / "s"), compute_logs_dir="")
    child = subprocess.Popen(["sleep", "60"])
    monkeypatch.setattr(zygote, "_make", lambda assignment, theirs: (child.pid, child))
    monkeypatch.setattr(module if what == "exit_descriptor" else module.socket, what, no_more)
    try:
        assert zygote._start(StartWorker(ticket=7), select.poll()) is None
        [said] = FrameBuffer().feed(host.recv(65536))
        assert "Too many open files" in msgspec.msgpack.decode(said, type=WorkerNotStarted).error
        if what == "exit_descriptor":
            assert child.returncode == -9
    finally:
        child.kill()
        child.wait()
        host.close()
        end.close()
