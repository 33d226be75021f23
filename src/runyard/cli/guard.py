"""A process that kills its parent when that has not ended some time after it was told to a second time.

Python runs signal handlers in the main thread between two instructions: a call that does not return, or one that keeps
the interpreter's lock, keeps them from running. The kernel tells this process of each signal all the same. It is run as
a script, on the standard library alone: ``guard.py SECONDS``, with a pipe on standard input that gets a byte a signal.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

_ENDS = (signal.SIGINT, signal.SIGTERM)


def _second_signal() -> bool:
    """Wait for it; False when the parent has ended."""
    seen = 0
    while seen < 2:
        data = os.read(0, 64)
        if not data:
            return False
        seen += sum(byte in _ENDS for byte in data)
    return True


def _ends_within(seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        readable, _, _ = select.select([0], [], [], left)
        if readable and not os.read(0, 64):
            return True
    return False


def main(seconds: float) -> None:
    parent = os.getppid()
    for number in _ENDS:
        signal.signal(number, signal.SIG_IGN)
    # Nobody else has the parent's number while this process is its child.
    if _second_signal() and not _ends_within(seconds) and os.getppid() == parent:
        os.write(2, f"Still here {seconds:g} s after the second signal: killed.\n".encode())
        os.kill(parent, signal.SIGKILL)


if __name__ == "__main__":
    main(float(sys.argv[1]))
