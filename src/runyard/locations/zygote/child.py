"""What a forked child undoes before it is a worker of its own."""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
from collections.abc import Collection, Sequence

from .descriptors import STANDARD, identities, is_connection, open_descriptors
from .settling import Settled, SignalHandler


def leave_zygote(*, keep: int, close: Sequence[int], settled: Settled) -> None:
    """Own session, own signals, own random numbers, and no descriptor of the zygote's.

    Args:
        keep: the worker's socket.
        close: descriptors that are Runyard's own.
        settled: what the zygote knows of user code's signals and connections.
    """
    os.setsid()
    for descriptor in close:
        os.close(descriptor)
    _deaden_inherited({*STANDARD, keep, *_renewed(settled.connections)})
    _own_signals(settled.child_signal)
    _reseed()


def _own_signals(child_signal: SignalHandler) -> None:
    """Handlers that user code put at import stay, as in a fresh process; but SIGTERM is how a run is cancelled."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as the host wants it for itself
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if child_signal is not None:
        signal.signal(signal.SIGCHLD, child_signal)
    # An event loop of the zygote's is not there to be woken.
    signal.set_wakeup_fd(-1)


def _renewed(connections: dict[int, str]) -> list[int]:
    """Those that a library's own at-fork function has opened anew for this process."""
    now = identities(connections)
    return [fd for fd, target in connections.items() if fd in now and now[fd] != target]


def _deaden_inherited(keep: Collection[int]) -> None:
    """Cut the connections that user code opened at import: shared by several workers they would mix their bytes.

    Their numbers stay taken, by a socket at its end, so that the objects which own them do not close a stranger's.
    Plain files stay open: appending to one from several processes is what a log opened at import wants.
    """
    inherited = [fd for fd in open_descriptors() if fd not in keep and is_connection(fd)]
    if not inherited:
        return
    dead, other = socket.socketpair()
    other.close()
    for fd in inherited:
        os.dup2(dead.fileno(), fd, inheritable=False)
    dead.close()


def _reseed() -> None:
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
