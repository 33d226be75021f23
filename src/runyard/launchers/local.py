"""Workers on this machine, forked by the location's own host."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..core.launch import LaunchResult, LaunchSpec
from ..locations.api import Location

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
