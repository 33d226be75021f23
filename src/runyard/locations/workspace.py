"""The code locations of a control process, kept in step with the workspace file and the code."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from ..core.clock import Clock
from ..core.errors import LocationUnavailable, RunyardError
from ..settings.instance import PostgresSettings, PythonLogsSettings, SqliteSettings
from ..storage.protocols import Stores
from .api import Location
from .host.config import HostConfig
from .location import LocalLocation
from .paths import host_log
from .spec import LocationSpec
from .watching import Watched, Watcher

log = logging.getLogger(__name__)

RELOAD_TIMEOUT = 180.0
STOP_GRACE = 5.0


class Target(Protocol):
    """What says which locations there are: ``locations.target.WorkspaceTarget``."""

    def specs(self) -> list[LocationSpec]:
        """Raises ConfigError when it cannot be read."""
        ...

    def watched_files(self) -> list[str]: ...


NO_PYTHON_LOGS = PythonLogsSettings()


class LocalWorkspace:
    """``locations.api.Workspace`` over hosts on this machine.

    Args:
        linger: how long a host stays with neither control nor workers, in seconds.
        host_grace: how long a worker waits for a new host when its own is gone, in seconds.
        stop_grace: how long user code may clean up after that, in seconds.
        preferred: the id of the host that a location is to take though it runs in another environment, if any.
    """

    def __init__(
        self,
        target: Target,
        *,
        stores: Stores,
        storage: SqliteSettings | PostgresSettings,
        compute_logs_dir: str,
        outputs_dir: str,
        runtime_dir: str,
        clock: Clock,
        python_logs: PythonLogsSettings = NO_PYTHON_LOGS,
        startup_timeout: float = 180.0,
        linger: float = 30.0,
        host_grace: float = 30.0,
        stop_grace: float = 15.0,
        cgroups: bool = True,
        preferred: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._target, self._stores, self._clock = target, stores, clock
        self._storage, self._compute_logs_dir, self._runtime_dir = storage, compute_logs_dir, runtime_dir
        self._outputs_dir, self._python_logs = outputs_dir, python_logs
        self._startup_timeout, self._linger = startup_timeout, linger
        self._host_grace, self._stop_grace, self._cgroups = host_grace, stop_grace, cgroups
        self._preferred = preferred
        #: Names that other processes publish.
        self._left: frozenset[str] = frozenset()
        self._changed = threading.Condition()
        self._locations: dict[str, LocalLocation] = {}
        #: Of an entry that was changed: takes the place of the old one once it has loaded, or failed to.
        self._successors: dict[str, LocalLocation] = {}
        self._retired: dict[str, LocalLocation] = {}
        #: Names that left and that storage still publishes.
        self._leaving: set[str] = set()
        self._callbacks: list[Callable[[str], None]] = []
        self._problem: str | None = None
        self._watcher = Watcher(
            files=target.watched_files,
            sources=self._sources,
            on_files=self.read_again,
            on_code=self._code_changed,
            on_tick=self._publish,
        )

    # -- locations.api.Workspace ------------------------------------------------------------------------------

    def start(self) -> None:
        """Raises ConfigError when the workspace cannot be read."""
        self._apply(self._target.specs())
        self._watcher.start()

    def stop(self, *, terminate_hosts: bool, shared: Collection[str] = ()) -> None:
        self._watcher.stop()
        with self._changed:
            everyone = [*self._locations.values(), *self._successors.values()]
        ours = [location for location in everyone if terminate_hosts and location.name not in shared]
        for location in everyone:
            if location not in ours:
                location.stop()
        ending = [threading.Thread(target=location.terminate_host, kwargs={"grace": STOP_GRACE}) for location in ours]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()

    def get(self, name: str) -> Location | None:
        """Also one that left the workspace, so that its runs can be stopped; it launches nothing any more."""
        with self._changed:
            return self._locations.get(name) or self._retired.get(name)

    def all(self) -> Sequence[Location]:
        with self._changed:
            return list(self._locations.values())

    def on_change(self, callback: Callable[[str], None]) -> None:
        self._callbacks.append(callback)

    def wait_loaded(self, *, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(self._all_settled, timeout)

    def problem(self) -> str | None:
        return self._problem

    def leave_to_others(self, names: Collection[str]) -> None:
        self._left = frozenset(names)
        self._publish()
        with self._changed:
            everyone = list(self._locations.values())
        for location in everyone:
            location.reconsider()

    # -- following --------------------------------------------------------------------------------------------

    def read_again(self) -> None:
        """Read the workspace and make it so; one that cannot be read changes nothing but ``problem``."""
        try:
            specs = self._target.specs()
        except RunyardError as error:
            log.warning("the workspace stays as it was: %s", error)
            self._problem = str(error)
            return
        self._problem = None
        self._apply(specs)

    def _apply(self, specs: Sequence[LocationSpec]) -> None:
        wanted = {spec.name: spec for spec in specs}
        for name in [name for name in self._locations if name not in wanted]:
            self._remove(name)
        for spec in wanted.values():
            self._ensure(spec)

    def _ensure(self, spec: LocationSpec) -> None:
        with self._changed:
            present = self._successors.get(spec.name) or self._locations.get(spec.name)
            if present is not None and present.spec == spec:
                return
            location = self._make(spec)
            replaced = self._successors.pop(spec.name, None)
            if spec.name in self._locations:
                self._successors[spec.name] = location
            else:
                self._locations[spec.name] = location
                location.activate()
        if replaced is not None:
            replaced.retire()
        location.start()

    def _remove(self, name: str) -> None:
        with self._changed:
            location, successor = self._locations.pop(name), self._successors.pop(name, None)
            self._retired[name] = location
        location.retire()
        if successor is not None:
            successor.retire()
        self._leaving.add(name)
        self._publish()
        self._tell(name)

    def _make(self, spec: LocationSpec) -> LocalLocation:
        config = HostConfig(
            spec=spec,
            runtime_dir=self._runtime_dir,
            compute_logs_dir=self._compute_logs_dir,
            outputs_dir=self._outputs_dir,
            python_logs=self._python_logs,
            sqlite=self._storage if isinstance(self._storage, SqliteSettings) else None,
            postgres=self._storage if isinstance(self._storage, PostgresSettings) else None,
            linger=self._linger,
            load_timeout=self._startup_timeout,
            host_grace=self._host_grace,
            stop_grace=self._stop_grace,
            cgroups=self._cgroups,
        )
        return LocalLocation(
            config,
            hosts=self._stores.hosts,
            locations=self._stores.locations,
            clock=self._clock,
            log_file=host_log(self._compute_logs_dir, spec.name),
            preferred=self._preferred,
            publishes=lambda name: name not in self._left,
            on_change=self._location_changed,
        )

    def _location_changed(self, location: LocalLocation) -> None:
        with self._changed:
            replaced = self._succeed(location)
            self._changed.notify_all()
        if replaced is not None:
            location.activate()
            replaced.retire()
        if self._locations.get(location.name) is location:
            self._tell(location.name)

    def _succeed(self, location: LocalLocation) -> LocalLocation | None:
        """Put a successor that has settled in its place; returns the one that it replaces."""
        if self._successors.get(location.name) is not location or not location.is_settled:
            return None
        del self._successors[location.name]
        old = self._locations[location.name]
        self._locations[location.name] = location
        return old

    def _tell(self, name: str) -> None:
        for callback in self._callbacks:
            callback(name)

    def _all_settled(self) -> bool:
        return not self._successors and all(location.is_settled for location in self._locations.values())

    def _sources(self) -> dict[str, Watched]:
        with self._changed:
            return {
                name: Watched(location.directories, location.loading_since)
                for name, location in self._locations.items()
                if location.is_settled
            }

    def _code_changed(self, name: str) -> None:
        with self._changed:
            location = self._locations.get(name)
        if location is not None:
            threading.Thread(target=self._reload, args=(location,), name=f"reload-{name}", daemon=True).start()

    def _reload(self, location: LocalLocation) -> None:
        try:
            location.reload(timeout=RELOAD_TIMEOUT)
        except LocationUnavailable:
            # The location itself reports why.
            log.info("location '%s': its code changed while it cannot be reached", location.name)

    def _publish(self) -> None:
        with self._changed:
            everyone = list(self._locations.values())
            self._leaving.difference_update(self._locations)
        for location in everyone:
            location.publish()
        for name in list(self._leaving):
            self._unpublish(name)

    def _unpublish(self, name: str) -> None:
        """A failure is tried again at the next tick."""
        try:
            if name not in self._left:
                self._stores.locations.remove(name)
        except RunyardError as error:
            log.warning("location '%s' left but is still published: %s", name, error)
            return
        self._leaving.discard(name)
