"""Whether this process may be forked with the user's code in it."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from pathlib import Path

_TASKS = Path("/proc/self/task")
_DESCRIPTORS = Path("/proc/self/fd")
#: A thread that was joined stays listed for a moment: looks, and seconds between them.
_LOOKS, _PAUSE = 20, 0.005


def fork_hazard() -> str | None:
    """Why fork is not safe here, as a sentence; None when it is."""
    return _python_threads() or _cuda() or _native_threads()


def _python_threads() -> str | None:
    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    started = max(len(others), len(sys._current_frames()) - 1)  # noqa: SLF001 - documented, also sees raw threads
    if not started:
        return None
    named = f" ({', '.join(others)})" if others else ""
    return f"The code starts {_count(started, 'Python thread')}{named} when it is imported, which a fork would lose."


def _cuda() -> str | None:
    if not _DESCRIPTORS.exists():
        return None
    for descriptor in _DESCRIPTORS.iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue  # the listing's own descriptor
        if target.startswith("/dev/nvidia"):
            return "The code opens a CUDA context when it is imported, which does not survive a fork."
    return None


def _native_threads() -> str | None:
    """Libraries that know about fork (OpenBLAS) stop their threads for it: those left after one do not know."""
    if not _TASKS.exists() or _tasks() == 1:
        return None
    _probe()
    for _ in range(_LOOKS):
        if _tasks() == 1:
            return None
        threading.Event().wait(_PAUSE)
    return f"The code starts {_count(_tasks() - 1, 'native thread')} when it is imported that a fork would lose."


def _probe() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that there are threads is why the fork is tried
        pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _tasks() -> int:
    return sum(1 for _ in _TASKS.iterdir())


def _count(number: int, noun: str) -> str:
    return f"a {noun}" if number == 1 else f"{number} {noun}s"
