"""What a zygote does once, between importing the code and starting the first worker."""

from __future__ import annotations

import signal
from collections.abc import Callable, Collection
from types import FrameType
from typing import NamedTuple

from ..open_files import flush_open_files, freeze_objects
from ..spec import StartMethod
from ..worker.streams import flush_streams
from .descriptors import connections_by_words, identities
from .safety import fork_hazard

SignalHandler = Callable[[int, FrameType | None], object] | int | None


class Settled(NamedTuple):
    start_method: StartMethod
    #: Why workers are spawned, or what speaks against forking them where that was asked for.
    reason: str | None
    #: What user code does about SIGCHLD, for the forked workers to take up.
    child_signal: SignalHandler
    #: The connections that user code opened, by descriptor.
    connections: dict[int, str]


def settle(asked_for: StartMethod | None, *, ours: Collection[int]) -> Settled:
    """Choose how workers start and make this process ready to be copied.

    Args:
        asked_for: the start method that the workspace names.
        ours: descriptors that user code did not open.
    """
    # A handler of the user's would wait for our children before we do, and ignoring the signal loses their exit codes.
    child_signal = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    flush_streams()
    flush_open_files()
    method, reason = _choose(asked_for, ours)
    freeze_objects()
    return Settled(method, reason, child_signal, identities(connections_by_words(ours)))


def _choose(asked_for: StartMethod | None, ours: Collection[int]) -> tuple[StartMethod, str | None]:
    hazard = None if asked_for == "spawn" else fork_hazard(ours)
    if asked_for is None:
        return ("spawn", hazard) if hazard else ("fork", None)
    return asked_for, hazard and f"start_method asks for it, but it is not safe. {hazard}"
