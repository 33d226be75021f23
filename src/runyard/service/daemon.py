"""What a daemon is to the shared loop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple, Protocol

from ..core.daemon import DaemonType
from ..core.lease import Fence
from ..settings.instance import InstanceSettings

#: Asks for a pass now.
Wake = Callable[[], None]
#: Shows an error with the heartbeat.
Report = Callable[[BaseException], None]


logger = logging.getLogger(__name__)


def log_report(error: BaseException) -> None:
    """Where errors go until the loop has attached the daemon."""
    logger.error("%s: %s", type(error).__name__, error)


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

    def attach(self, wake: Wake, report: Report) -> None:
        """Receive what asks for a pass now and what shows an error to people; called once, before the first pass."""
        ...

    def configure(self, settings: InstanceSettings) -> None:
        """Take over settings that were changed, from another thread than that of passes."""
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
