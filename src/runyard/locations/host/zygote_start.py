"""Starting a zygote. Light to import: a new host does it first, so that user code loads while its own libraries do."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...core.clock import Clock
from ..framing import frame
from ..messages import Setup
from ..runtime_dir import worker_socket
from .config import HostConfig


class StartedZygote(NamedTuple):
    """A zygote that loads the code: the host's end of its socket, and when it was started, seconds since the epoch."""

    process: subprocess.Popen[bytes]
    socket: socket.socket
    started_at: float

    def abandon(self) -> None:
        """End it before anybody has listened to it."""
        self.socket.close()
        self.process.kill()
        self.process.wait()


def zygote_setup(config: HostConfig) -> Setup:
    """What a zygote of this host is told."""
    return Setup(
        spec=config.spec,
        worker_socket=str(worker_socket(config.runtime_dir, config.spec.name)),
        compute_logs_dir=config.compute_logs_dir,
        outputs_dir=config.outputs_dir,
        python_logs=config.python_logs,
        host_grace=config.host_grace,
        stop_grace=config.stop_grace,
    )


def start_zygote(setup: Setup, clock: Clock) -> StartedZygote:
    """Start it and tell it what to load. Raises OSError when the interpreter cannot be executed."""
    started_at = clock.now()
    ours, theirs = socket.socketpair()
    try:
        # Sent while nobody can have hung up; a new socket's buffer holds it.
        ours.sendall(frame(msgspec.msgpack.encode(setup)))
        process = _execute(setup, theirs)
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return StartedZygote(process, ours, started_at)


def _execute(setup: Setup, theirs: socket.socket) -> subprocess.Popen[bytes]:
    python = setup.spec.executable_path or sys.executable
    return subprocess.Popen(  # noqa: S603 - the interpreter that the workspace names, without a shell
        [python, "-m", "runyard.locations.zygote", str(theirs.fileno())],
        pass_fds=(theirs.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Started where no file of the user's can take the place of a module of ours; it changes there itself.
        cwd=Path(setup.worker_socket).parent,
    )
