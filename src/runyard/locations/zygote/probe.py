"""A fork that is only tried, to see what libraries make of one."""

from __future__ import annotations

import json
import os
import select
import signal
import warnings
from collections.abc import Collection

from .descriptors import identities

#: A child that has said nothing after so many seconds hangs: an at-fork function waits for a thread that is gone.
PATIENCE = 5.0


def kept_by_a_child(descriptors: Collection[int]) -> set[int] | None:
    """Fork once. Which of the descriptors are the same in the child: a library that knows about fork renews its own.

    Libraries that know about fork also stop their threads for it. None when the child did not come to life.
    """
    before = identities(descriptors)
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that there are threads is why the fork is tried
        pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, json.dumps(identities(descriptors)).encode())
        finally:
            # Whatever went wrong: there must not be a second zygote.
            os._exit(0)
    os.close(writing)
    try:
        said = _read(reading, pid)
    finally:
        os.close(reading)
        os.waitpid(pid, 0)
    if not said:
        return None
    after = json.loads(said)
    return {fd for fd, target in before.items() if after.get(str(fd)) == target}


def _read(reading: int, pid: int) -> bytes:
    said = b""
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    while poll.poll(PATIENCE * 1000):
        data = os.read(reading, 65536)
        if not data:
            return said
        said += data
    os.kill(pid, signal.SIGKILL)
    return b""
