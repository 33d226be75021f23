"""A worker with all that its user code has started: stopped together, and nothing left of it when it is gone."""

from __future__ import annotations

import signal

from ..processes import kill_group, send_signal


def stop(pid: int, *, force: bool) -> None:
    """SIGTERM to a worker; SIGKILL to it and all that it has started when ``force``."""
    send_signal(pid, signal.SIGKILL if force else signal.SIGTERM)
    if force:
        kill_remains(pid)


def kill_remains(pid: int) -> None:
    """SIGKILL to whatever a worker, dead or dying, has started."""
    kill_group(pid)
