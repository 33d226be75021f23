"""Which processes serve the instance."""

from __future__ import annotations

from typing import Protocol

from ..core.clock import Clock
from ..core.process import ProcessRecord
from ..service.presence import is_live
from ..storage.protocols import Processes


class ProcessStores(Protocol):
    processes: Processes


def serving(stores: ProcessStores, *, clock: Clock) -> list[ProcessRecord]:
    """Those that live, in the order of their start."""
    now = clock.now()
    return [process for process in stores.processes.all() if is_live(process, now)]
