"""Workers on this machine, forked by the location's own host."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..core.launch import LaunchResult, LaunchSpec
from ..core.run import Run
from ..locations.api import Location
from .base import LostWorker

_PER_CORE = 4


def local_capacity() -> int:
    """Launches that this machine takes before the first of them has to have begun: 4 for each core."""
    return _PER_CORE * (os.cpu_count() or 1)


class LocalLauncher:
    """``launchers.base.Launcher`` through location hosts."""

    def capacity(self) -> int | None:
        return local_capacity()

    def launch(self, location: Location, specs: Sequence[LaunchSpec], *, timeout: float) -> Sequence[LaunchResult]:
        return location.launch(specs, timeout=timeout)

    def health(self, location: Location, runs: Sequence[Run], *, timeout: float) -> Sequence[LostWorker]:
        """A host tells of its workers' ends by itself; this finds what it has forgotten. Other hosts' runs are passed
        over: whoever supervises those hosts sees to them.
        """
        host_id = location.record().host_id
        ours = [run for run in runs if host_id is not None and run.host_id == host_id]
        if not ours:
            return ()
        alive = set(location.workers(timeout=timeout))
        # The host that has answered may be another than the one that was there before the call.
        if location.record().host_id != host_id:
            return ()
        reason = f"The host of '{location.name}' has no worker for it any more, and does not know how it ended."
        return [LostWorker(run.run_id, run.attempt, reason) for run in ours if (run.run_id, run.attempt) not in alive]
