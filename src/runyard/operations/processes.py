"""Which processes serve the instance."""

from __future__ import annotations

from typing import Protocol

from ..core.clock import Clock
from ..core.process import ProcessRecord
from ..service.presence import is_live
from ..storage.protocols import Locations, Processes


class ProcessStores(Protocol):
    processes: Processes


class LocationStores(ProcessStores, Protocol):
    locations: Locations


def serving(stores: ProcessStores, *, clock: Clock) -> list[ProcessRecord]:
    """Those that live, in the order of their start."""
    now = clock.now()
    return [process for process in stores.processes.all() if is_live(process, now)]


def daemons_host(stores: LocationStores, location_name: str, *, clock: Clock) -> str | None:
    """The host of a location in a process with daemons: what is enqueued is executed there."""
    if not any(process.daemons and location_name in process.locations for process in serving(stores, clock=clock)):
        return None
    record = stores.locations.get(location_name)
    return None if record is None else record.host_id
