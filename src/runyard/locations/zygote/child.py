"""What a forked child undoes before it is a worker of its own."""

from __future__ import annotations

import os
import random
import signal
import socket
import stat
import sys
from collections.abc import Collection, Sequence

_RESTORED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD)


def leave_zygote(*, keep: int, close: Sequence[int]) -> None:
    """Own session, own signals, own random numbers, and no descriptor of the zygote's.

    Args:
        keep: the worker's socket.
        close: descriptors that are Runyard's own.
    """
    os.setsid()
    for descriptor in close:
        os.close(descriptor)
    _deaden_inherited({0, 1, 2, keep})
    for number in _RESTORED:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _reseed()


def _deaden_inherited(keep: Collection[int]) -> None:
    """Cut the connections that user code opened at import: shared by several workers they would mix their bytes.

    Their numbers stay taken, by a socket at its end, so that the objects which own them do not close a stranger's.
    Plain files stay open: appending to one from several processes is what a log opened at import wants.
    """
    inherited = [fd for fd in _open_descriptors() if fd not in keep and _is_connection(fd)]
    if not inherited:
        return
    dead, other = socket.socketpair()
    other.close()
    for fd in inherited:
        os.dup2(dead.fileno(), fd, inheritable=False)
    dead.close()


def _open_descriptors() -> list[int]:
    place = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    return [int(name) for name in os.listdir(place)]  # noqa: PTH208 - names are all that is wanted


def _is_connection(fd: int) -> bool:
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False  # the listing's own, closed by now
    return not (stat.S_ISREG(mode) or stat.S_ISCHR(mode) or stat.S_ISDIR(mode) or stat.S_ISBLK(mode))


def _reseed() -> None:
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
