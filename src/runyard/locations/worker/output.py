"""What a run's code prints, in its compute logs."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path


def redirect_output(compute_logs_dir: str, run_id: str) -> None:
    """Send standard output and error of this process to ``<dir>/<run_id>/run.out`` and ``run.err``, line by line."""
    directory = Path(compute_logs_dir) / run_id
    directory.mkdir(parents=True, exist_ok=True)
    for stream, descriptor, name in ((sys.stdout, 1, "run.out"), (sys.stderr, 2, "run.err")):
        stream.flush()
        file = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(line_buffering=True)
