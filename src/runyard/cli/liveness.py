"""Whether anybody is there who does what a command has asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .terminal import echo

if TYPE_CHECKING:
    from ..operations.instance import Instance


def warn_without_daemon(instance: Instance) -> None:
    """Say on stderr that queued runs will wait, where nobody launches them."""
    from ..core.daemon import DaemonType
    from ..operations.daemon_status import daemon_alive

    kind = DaemonType.QUEUED_RUN_COORDINATOR
    if not daemon_alive(instance.stores, kind, clock=instance.clock):
        echo(
            "No run queue daemon is alive: the queue waits until 'runyard dev' or 'runyard-daemon run' is started.",
            err=True,
        )
