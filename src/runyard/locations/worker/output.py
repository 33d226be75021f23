"""What a run's code prints, in its compute logs."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import TextIO

from ...storage.compute_logs import LocalComputeLogs, Stream


def redirect_output(compute_logs_dir: str, run_id: str, step_key: str | None = None) -> None:
    """Send standard output and error of this process, line by line, to the files of the run or of one step."""
    logs = LocalComputeLogs(compute_logs_dir)
    logs.make_directory(run_id)
    streams: tuple[tuple[TextIO, int, Stream], ...] = ((sys.stdout, 1, "out"), (sys.stderr, 2, "err"))
    for stream, descriptor, kind in streams:
        stream.flush()
        path = logs.path(run_id, kind, step_key)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
