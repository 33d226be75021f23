"""Every process that one contender started, however far it moved away, found by a mark in its environment."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

MARK = "RUNYARD_BENCH_MARK"
KIB = 1024


def marked(mark: str) -> list[int]:
    """Ids of the living processes that inherited the mark."""
    wanted = f"{MARK}={mark}".encode()
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _carries(entry, wanted)]


def _carries(entry: Path, wanted: bytes) -> bool:
    try:
        return wanted in (entry / "environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False  # ended meanwhile, or somebody else's


def pss(pid: int) -> float:
    """Proportional set size in MiB: shared pages count in parts. 0 for a process that ended meanwhile."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / KIB


def kill_marked(mark: str) -> None:
    """End what a proper stop left behind."""
    for pid in marked(mark):
        with suppress(ProcessLookupError):  # ended meanwhile
            os.kill(pid, signal.SIGKILL)
