"""What a daemon is to the shared loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from ..core.daemon import DaemonType
from ..core.lease import Fence


class PassResult(NamedTuple):
    """``wake_at``: when the next pass is due if nothing wakes the daemon before. ``outcome`` is for people."""

    wake_at: float
    outcome: str
    idle: bool = False


class Daemon(Protocol):
    """One pass at a time, always as leader; state that a pass keeps is dropped by ``stand_by``."""

    type: DaemonType
    #: Seconds after which a pass that is under way counts as hung.
    deadline: float

    def attach(self, wake: Callable[[], None]) -> None:
        """Receive the function that asks for a pass now; called once, before the first pass."""
        ...

    def run_once(self, now: float, fence: Fence) -> PassResult:
        """Do what is due. Every write presents ``fence``."""
        ...

    def stand_by(self) -> None:
        """Leadership is lost or not yet won: forget what was read as leader."""
        ...

    def close(self) -> None:
        """The process ends."""
        ...
