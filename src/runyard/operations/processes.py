"""Which processes serve the instance."""

from __future__ import annotations

from typing import Protocol

from ..core.clock import Clock
from ..core.daemon import LIVE_WITHIN
from ..core.process import ProcessRecord
from ..locations.processes import is_alive, machine_name
from ..storage.protocols import Processes


class ProcessStores(Protocol):
    processes: Processes


def serving(stores: ProcessStores, *, clock: Clock) -> list[ProcessRecord]:
    """Those that live, in the order of their start."""
    now = clock.now()
    return [process for process in stores.processes.all() if is_live(process, now)]


def is_live(process: ProcessRecord, now: float) -> bool:
    """On this machine by the kernel's word, elsewhere by its last sign of life."""
    if process.machine == machine_name():
        return is_alive(process.pid, process.pid_started)
    return now - process.at <= LIVE_WITHIN
