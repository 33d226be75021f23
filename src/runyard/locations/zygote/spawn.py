"""Workers as fresh interpreters, for code that cannot be forked."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from ..codec import pack
from ..messages import Assignment


def spawn_worker(assignment: Assignment, end: socket.socket) -> subprocess.Popen[bytes]:
    """Start a worker that imports the code itself; ``end`` becomes its socket.

    Raises:
        OSError: no process could be started.
    """
    with tempfile.TemporaryFile() as told:
        # A file and not a pipe: run config of any size, and nobody has to wait until it is read.
        told.write(pack(assignment))
        told.seek(0)
        return subprocess.Popen(  # noqa: S603 - this very interpreter, without a shell
            [sys.executable, "-m", "runyard.locations.worker", str(end.fileno())],
            stdin=told,
            pass_fds=(end.fileno(),),
            start_new_session=True,
            cwd=Path(assignment.setup.worker_socket).parent,
        )
