"""The demonstration that `make demo` starts, as a process."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEMO = Path(__file__).parents[1] / "examples" / "weather" / "demo.py"


@contextmanager
def demo(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The running demonstration and the page that it names."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, str(DEMO), "--home", str(home), "--port", port]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        told = []
        try:
            for line in process.stdout:
                told.append(line)
                if "open http" in line:
                    yield process, line.split()[-1].removesuffix("/queue")
                    break
            else:
                raise AssertionError("".join(told))
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()
