"""Code that a command loads for itself, by hosts that run already or by hosts that go when it has gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.lease import Fence
from ..core.location import LeftAlone, LocationRecord, LocationState
from ..core.text import listing
from .options import current_directory
from .terminal import echo

if TYPE_CHECKING:
    from ..locations.api import Workspace
    from ..locations.target import TargetOptions
    from ..operations.instance import Instance
    from ..storage.protocols import Locations, Stores


#: Seconds after which a command says what it waits for.
SAY_AFTER = 2.0


class OwnLocations:
    """What this command has loaded; ``storage.protocols.Locations`` in memory."""

    def __init__(self) -> None:
        self._records: dict[str, LocationRecord] = {}

    def publish(self, record: LocationRecord) -> None:
        self._records[record.name] = record

    def leave_alone(self, name: str, left_alone: LeftAlone | None, *, fence: Fence) -> None:
        """A command launches nothing by itself, so it leaves nothing alone."""

    def get(self, name: str) -> LocationRecord | None:
        return self._records.get(name)

    def all(self) -> Sequence[LocationRecord]:
        return [record for _, record in sorted(self._records.items())]

    def remove(self, name: str) -> None:
        self._records.pop(name, None)


class CommandStores:
    """The instance's storage, save that loaded code is this command's own.

    Published, it would take the place of what the daemons and pages of the instance know of a location of that name.
    """

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self.runs, self.events, self.queue, self.ticks = stores.runs, stores.events, stores.queue, stores.ticks
        self.history = stores.history
        self.leases, self.heartbeats, self.hosts = stores.leases, stores.heartbeats, stores.hosts
        self.processes = stores.processes
        self.limits, self.pool_slots, self.policies = stores.limits, stores.pool_slots, stores.policies
        self.wakeups = stores.wakeups
        self.locations: Locations = OwnLocations()

    def ping(self) -> float:
        return self._stores.ping()

    def describe(self) -> dict[str, Any]:
        return self._stores.describe()

    def close(self) -> None:
        """Whoever opened the instance closes it."""


class Code(NamedTuple):
    """Loaded locations, and the storage in which operations find them."""

    workspace: Workspace
    stores: CommandStores

    def records(self) -> list[LocationRecord]:
        """The state of every location, by name."""
        return sorted((location.record() for location in self.workspace.all()), key=lambda record: record.name)


@contextmanager
def loaded_code(instance: Instance, options: TargetOptions, *, executes: bool = False) -> Iterator[Code]:
    """The code locations of a target, loaded or failed.

    By the hosts of the daemons where they run, unless the command ``executes`` the code itself, in its own environment.

    Raises:
        NoTarget: nothing says where the code is.
    """
    from ..locations.target import resolve_target
    from ..operations.instance import Instance
    from ..wiring import daemons_hosts, open_workspace

    stores = CommandStores(instance.stores)
    target = resolve_target(options, current_directory())
    own = Instance(instance.settings, stores, instance.clock)
    workspace = (
        open_workspace(own, target) if executes else open_workspace(own, target, preferred=daemons_hosts(instance))
    )
    workspace.start()
    try:
        _wait_loaded(workspace, timeout=instance.settings.code_servers.local_startup_timeout)
        yield Code(workspace, stores)
    finally:
        workspace.stop(terminate_hosts=instance.settings.ephemeral)


def _wait_loaded(workspace: Workspace, *, timeout: float) -> None:
    """Wait for the code, and say so to those who wait for long."""
    if workspace.wait_loaded(timeout=min(SAY_AFTER, timeout)):
        return
    slow = [one.name for one in workspace.all() if one.record().state is LocationState.LOADING]
    echo(f"Waiting for {listing(slow)} to load, for {timeout:g} s at most.", err=True)
    workspace.wait_loaded(timeout=max(0.0, timeout - SAY_AFTER))


@contextmanager
def known_code(instance: Instance, options: TargetOptions) -> Iterator[Stores]:
    """Storage that knows what the code defines: by what the daemons published, else by loading it."""
    if not options.given and any(record.definitions for record in instance.stores.locations.all()):
        yield instance.stores
        return
    with loaded_code(instance, options) as code:
        say_failures(code.records())
        yield code.stores


def say_failures(found: Sequence[LocationRecord]) -> None:
    """One line on stderr for each location that does not load, and for each schedule or sensor that cannot run."""
    for record in found:
        if record.state is LocationState.ERROR:
            error = record.error
            reason = f"{error.class_name}: {error.message}" if error else "no reason is known"
            echo(f"Location '{record.name}' does not load: {' '.join(reason.split())}", err=True)
        elif record.state is LocationState.LOADING:
            echo(f"Location '{record.name}' is still loading.", err=True)
        for problem in record.problems():
            echo(f"Location '{record.name}': {problem}", err=True)
