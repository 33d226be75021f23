"""Starting a zygote. Light to import: a new host does it first, so that user code loads while its own libraries do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ...core.clock import Clock
from ...core.ids import new_id
from ...core.runtime_files import worker_socket
from ..codec import pack
from ..framing import frame
from ..messages import Setup
from ..process_mark import MARK, roomy
from .config import HostConfig
from .process_tree import ProcessTrees


class StartedZygote(NamedTuple):
    """A zygote that loads the code: the host's end of its socket, when it was started, seconds since the epoch, and the
    mark of all that it starts. ``python`` is the interpreter that the workspace names for it.
    """

    process: subprocess.Popen[bytes]
    socket: socket.socket
    started_at: float
    mark: str
    python: str | None = None

    def abandon(self) -> None:
        """End it before anybody has listened to it."""
        self.socket.close()
        self.process.kill()
        self.process.wait()


def zygote_setup(config: HostConfig, trees: ProcessTrees) -> Setup:
    """What a zygote of this host is told."""
    return Setup(
        spec=config.spec,
        worker_socket=worker_socket(config.runtime_dir, config.spec.name),
        compute_logs_dir=config.compute_logs_dir,
        outputs_dir=config.outputs_dir,
        python_logs=config.python_logs,
        host_grace=config.host_grace,
        stop_grace=config.stop_grace,
        tree_home=trees.home,
        groups=None if trees.groups is None else str(trees.groups),
    )


def start_zygote(setup: Setup, clock: Clock) -> StartedZygote:
    """Start it and tell it what to load. Raises OSError when the interpreter cannot be executed."""
    started_at = clock.now()
    ours, theirs = socket.socketpair()
    mark = f"{setup.tree_home}/code.{new_id()[:8]}"
    try:
        # Sent while nobody can have hung up; a new socket's buffer holds it.
        ours.sendall(frame(pack(setup)))
        process = _execute(setup, theirs, mark)
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return StartedZygote(process, ours, started_at, mark, setup.spec.executable_path)


def _execute(setup: Setup, theirs: socket.socket, mark: str) -> subprocess.Popen[bytes]:
    python = setup.spec.executable_path or sys.executable
    return subprocess.Popen(  # noqa: S603 - the interpreter that the workspace names, without a shell
        [python, "-m", "runyard.locations.zygote", str(theirs.fileno())],
        pass_fds=(theirs.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, MARK: roomy(mark)},
        # Started where no file of the user's can take the place of a module of ours; it changes there itself.
        cwd=Path(setup.worker_socket).parent,
    )
