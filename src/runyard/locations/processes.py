"""Processes as the kernel names them: start times, descriptors that tell an exit, exit statuses in words."""

from __future__ import annotations

import ctypes
import os
import resource
import select
import shlex
import signal
import socket
import struct
import subprocess
import sys
import zlib
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_LONGEST_COMMAND = 200
_LIBC = ctypes.CDLL(None)


def machine_name() -> str:
    """The machine as ``hosts`` and heartbeats name it."""
    return socket.gethostname()


def started_at(pid: int) -> int | None:
    """When the process started, as an opaque number that names it for ever together with the pid.

    None when there is no such process, or only its zombie.
    """
    if sys.platform != "linux":
        asked = subprocess.run(  # noqa: S603 - a fixed command with a number
            ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, check=False
        )
        return zlib.crc32(asked.stdout) if asked.stdout.strip() else None
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def is_alive(pid: int, started: int) -> bool:
    """Whether this very process lives; False for another one that got its pid."""
    return started_at(pid) == started


def exit_descriptor(pid: int) -> int:
    """A descriptor that becomes readable when the process exits: a pidfd on Linux, a kqueue on macOS.

    Raises:
        ProcessLookupError: there is no such process.
    """
    if sys.platform == "darwin":
        queue = select.kqueue()
        exits = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
        queue.control([exits], 0)
        return os.dup(queue.fileno())
    return os.pidfd_open(pid)


def wait_status(pid: int, *, block: bool = False) -> int | None:
    """Reap an exited child and return its exit code, negative for a signal; None when it is not ours to reap.

    ``block``: wait for its exit.
    """
    try:
        found, status = os.waitpid(pid, 0 if block else os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if found else None


def become_subreaper() -> bool:
    """Make orphaned descendants children of this process; False where the system has no such thing."""
    if sys.platform != "linux":
        return False
    return bool(_LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


def allow_descriptors(wanted: int) -> None:
    """Let this process, and those that it starts, have so many open, or as many as the system lets it allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def children() -> list[int]:
    """The children of this process, zombies too; none where the kernel does not list them."""
    return [pid for thread in Path("/proc/self/task").glob("*") for pid in _children_of(thread)]


def _children_of(thread: Path) -> list[int]:
    try:
        return [int(pid) for pid in (thread / "children").read_text().split()]
    except OSError:
        return []  # the thread has ended since


def command_of(pid: int) -> str:
    """The command line of a process, cut; empty where the system does not show it."""
    try:
        words = (Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    line = " ".join(shlex.join(word.decode(errors="replace") for word in words if word).split())
    return line if len(line) <= _LONGEST_COMMAND else f"{line[:_LONGEST_COMMAND]}\u2026"


def peer_pid(connection: socket.socket) -> int | None:
    """The process at the other end of a Unix socket, by the kernel's word; None where it does not say."""
    if sys.platform != "linux":
        return None
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, _ = struct.unpack("3i", found)
    return pid if uid == os.getuid() else None


def send_signal(pid: int, number: int) -> bool:
    """Signal a process; False when it is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def kill_group(pid: int) -> None:
    """Kill what is left of a dead worker's session: subprocesses that its user code started."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nothing is left of it, or what is left is not ours to end


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def exit_in_words(code: int | None) -> str:
    """``was killed by signal 9 (SIGKILL)``, ``ended with exit code 3``: to follow the process's name."""
    if code is None:
        return "ended with an exit status that nobody could read"
    if code < 0:
        return f"was killed by signal {-code} ({signal_name(-code)})"
    return f"ended with exit code {code}"
