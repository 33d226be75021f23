"""A code location of this control process: keeps a host running for it and talks to it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..core.clock import Clock
from ..core.errors import LocationUnavailable, RunyardError, StillLoading
from ..core.events import ErrorInfo
from ..core.ids import new_id
from ..core.launch import LaunchResult, LaunchSpec
from ..core.location import LocationRecord, LocationState
from ..core.tick import Evaluation, EvaluationRequest
from ..settings.private_files import make_directory
from ..storage.protocols import Hosts, Locations
from .client import HostClient
from .host.config import HostConfig
from .host_process import HostNotStarted
from .host_start import RunningHost, adopt_or_start, alive_here, is_here
from .sources import directories_below
from .spec import LocationSpec
from .updates import HostUpdate

log = logging.getLogger(__name__)

#: A host that was up for so long is replaced at once; others after a growing pause. Seconds.
LONG_LIFE = 5.0
FIRST_PAUSE = 0.1
#: The longest pause after a host that did not come up; and after all else, such as a database that does not answer.
LONGEST_PAUSE_OF_HOST, LONGEST_PAUSE = 60.0, 5.0


class LocalLocation:
    """``locations.api.Location`` over a host on this machine.

    Args:
        preferred: the id of the host to take though it runs in another environment, if any.
        publishes: whether storage is to know of the location by this process.
        on_change: called from a thread of the location's own.
    """

    def __init__(
        self,
        config: HostConfig,
        *,
        hosts: Hosts,
        locations: Locations,
        clock: Clock,
        log_file: Path,
        preferred: Callable[[str], str | None],
        publishes: Callable[[str], bool],
        on_change: Callable[[LocalLocation], None],
    ) -> None:
        self.name = config.spec.name
        self._config, self._hosts, self._locations = config, hosts, locations
        self._clock, self._log_file, self._on_change = clock, log_file, on_change
        self._preferred, self._publishes = preferred, publishes
        self._stopping = threading.Event()
        #: Ends the pause before the next host is started.
        self._hurry = threading.Event()
        #: What the location's last host failed by; None once one came up.
        self._failure: str | None = None
        self._end_grace: float | None = None
        self._client: HostClient | None = None
        self._host: RunningHost | None = None
        self._update = HostUpdate(
            record=LocationRecord(
                name=self.name,
                state=LocationState.LOADING,
                source=config.spec.describe(),
                updated_at=clock.now(),
            )
        )
        self._published: LocationRecord | None = None
        self._active = False
        self._thread = threading.Thread(target=self._keep, name=f"location-{self.name}", daemon=True)

    # -- locations.api.Location -------------------------------------------------------------------------------

    def record(self) -> LocationRecord:
        return self._update.record

    def launch(self, specs: Sequence[LaunchSpec], *, timeout: float) -> Sequence[LaunchResult]:
        return self._connected().launch(specs, timeout=timeout)

    def terminate(
        self, run_id: str, *, attempt: int, force: bool, timeout: float, kill_after: float | None = None
    ) -> bool:
        asked: dict[str, Any] = {"attempt": attempt, "force": force, "timeout": timeout, "kill_after": kill_after}
        client = None if self._stopping.is_set() else self._client
        if client is not None and self._terminate_by(client, run_id, **asked):
            return True
        # A run started before the entry was changed is with an older host that drains; so is this one once retired.
        here = None if client is None or self._stopping.is_set() else client.address
        for other in alive_here(self._hosts, self.name):
            if other.address != here and self._terminate_at(other.address, run_id, **asked):
                return True
        if client is None and not self._stopping.is_set():
            raise self._without_host()
        return False

    def _terminate_by(self, client: HostClient, run_id: str, **asked: Any) -> bool:
        try:
            return client.terminate(run_id, **asked)
        except LocationUnavailable:
            # Retired while it was asked, and the connection closed with that.
            if not self._stopping.is_set():
                raise
            return False

    def workers(self, *, timeout: float) -> Sequence[tuple[str, int]]:
        return self._connected().workers(timeout=timeout)

    def evaluate(self, requests: Sequence[EvaluationRequest], *, timeout: float) -> Sequence[Evaluation]:
        return self._connected().evaluate(requests, timeout=timeout)

    def validate(self, job_name: str, run_config: Mapping[str, Any], *, timeout: float) -> Sequence[tuple[str, str]]:
        return self._connected().validate(job_name, run_config, timeout=timeout)

    def reload(self, *, timeout: float) -> None:
        if self._client is None:
            # A host that does not come up may do so with the code as it is now.
            self._hurry.set()
        self._connected().reload(timeout=timeout)

    def load(self) -> int:
        client = self._client
        try:
            return 0 if client is None else client.status(timeout=1.0).workers
        except LocationUnavailable:
            return 0

    # -- for the workspace ------------------------------------------------------------------------------------

    @property
    def spec(self) -> LocationSpec:
        return self._config.spec

    @property
    def directories(self) -> tuple[str, ...]:
        """Where its own source files are."""
        return self._update.directories or self.spec.directories()

    @property
    def loading_since(self) -> float:
        """When the code that it shows began to load."""
        return self._update.loading_since

    @property
    def is_settled(self) -> bool:
        return self._update.record.state is not LocationState.LOADING

    def start(self) -> None:
        self._thread.start()

    def activate(self) -> None:
        """From now on what storage publishes of this name is this location's."""
        self._active = True
        self.publish()

    def publish(self) -> None:
        """Bring the published record up to date; a failure is tried again when the workspace next asks."""
        record = self._update.record
        if not self._publishes(self.name):
            # By another's word; to be said again once this one has the word.
            self._published = None
            return
        if not self._active or record is self._published:
            return
        try:
            self._locations.publish(record)
        except RunyardError as error:
            log.warning("location '%s' could not be published: %s", self.name, error)
            return
        self._published = record

    def reconsider(self) -> None:
        """Change to the preferred host when it can be had and is another. Raises StorageUnavailable."""
        wanted, host = self._preferred(self.name), self._host
        if wanted is None or not self.is_settled or (host is not None and host.host_id == wanted):
            return
        if is_here(self._hosts, self._config, wanted):
            log.info("location '%s': goes over to the daemons' host", self.name)
            self._hurry.set()
            client = self._client
            if client is not None:
                client.close()

    def retire(self) -> None:
        """The entry is gone: the host ends with its last worker; runs can still be terminated."""
        self._active = False
        self._shut_down(drain=True, grace=0.0)
        self._update = HostUpdate(
            record=msgspec.structs.replace(
                self._update.record, definitions=None, host_id=None, updated_at=self._clock.now()
            )
        )
        self.stop()

    def stop(self) -> None:
        """Let go of the host, which goes on by itself."""
        self._stop_keeping()
        client = self._client
        if client is not None:
            client.close()

    def terminate_host(self, *, grace: float) -> None:
        """End the host; its workers are told to stop, and killed after ``grace`` seconds."""
        self._end_grace = grace
        self._stop_keeping()
        self._shut_down(drain=False, grace=grace)
        if self._thread.is_alive():
            self._thread.join(grace + 5.0)
        if self._host is not None and self._host.process is not None:
            self._host.process.join(5.0)
        self.stop()

    # -- the host ---------------------------------------------------------------------------------------------

    def _connected(self) -> HostClient:
        if self._stopping.is_set():
            raise LocationUnavailable(self.name, "it left the workspace.")
        client = self._client
        if client is None:
            raise self._without_host()
        return client

    def _without_host(self) -> LocationUnavailable:
        error = self._update.record.error
        if self.is_settled and error is not None:
            return LocationUnavailable(self.name, error.message)
        return StillLoading(self.name, "its host is being started.")

    def _terminate_at(self, address: str, run_id: str, **asked: Any) -> bool:
        client = HostClient(self.name, address)
        try:
            return client.terminate(run_id, **asked)
        finally:
            client.close()

    def _shut_down(self, *, drain: bool, grace: float) -> None:
        client = self._client
        if client is None:
            return
        try:
            client.shutdown(drain=drain, grace=grace, timeout=5.0)
        except LocationUnavailable as error:
            log.info("%s", error)

    def _stop_keeping(self) -> None:
        self._stopping.set()
        self._hurry.set()

    def _keep(self) -> None:
        """The location's thread: a host is always running, or being started."""
        pause = 0.0
        while self._goes_on(after=pause):
            since = self._clock.monotonic()
            longest = self._serve()
            lived = self._clock.monotonic() - since
            long_lived = longest is None and lived > LONG_LIFE
            pause = 0.0 if long_lived else min(longest or LONGEST_PAUSE, max(FIRST_PAUSE, pause * 2))

    def _goes_on(self, *, after: float) -> bool:
        self._clock.wait(self._hurry, after)
        self._hurry.clear()
        return not self._stopping.is_set()

    def _serve(self) -> float | None:
        """Have a host and follow it to its end; the longest pause before the next one when that failed."""
        try:
            make_directory(self._log_file.parent)
            preferred = self._preferred(self.name)
            self._host = adopt_or_start(self._hosts, self._config, log_file=self._log_file, preferred=preferred)
            self._follow(self._host)
        except Exception as error:  # noqa: BLE001 - a location without its thread would never come back
            if not self._stopping.is_set():
                self._show_error(error)
            return LONGEST_PAUSE_OF_HOST if isinstance(error, HostNotStarted) else LONGEST_PAUSE
        return None

    def _follow(self, host: RunningHost) -> None:
        """Take its updates until it is gone, or we are to stop.

        Raises:
            HostNotStarted: it ended before its code had loaded or failed to.
        """
        client = self._client = HostClient(self.name, host.address)
        if self._end_grace is not None:
            # Told to end it while it was being started.
            self._shut_down(drain=False, grace=self._end_grace)
        settled = False
        try:
            for update in client.watch():
                self._show(update)
                settled = settled or self.is_settled
                if self._stopping.is_set():
                    break
        except LocationUnavailable as error:
            if not self._stopping.is_set():
                log.info("location '%s': lost its host: %s", self.name, error.reason)
        finally:
            self._client = None
            client.close()
        self._after_host(host, settled=settled)

    def _after_host(self, host: RunningHost, *, settled: bool) -> None:
        if self._stopping.is_set():
            return
        if not settled and host.process is not None:
            raise host.process.not_started(host.process.ending())
        self._failure = None
        self._change(state=LocationState.LOADING)

    def _show_error(self, error: Exception) -> None:
        """In full once; each time that it only happens again, one line."""
        message = str(error)
        if message == self._failure:
            log.info("location '%s': still fails as before: %s", self.name, type(error).__name__)
            return
        self._failure = message
        expected = isinstance(error, RunyardError | OSError)
        log.error("location '%s': %s", self.name, error, exc_info=None if expected else error)
        directories = self._update.directories or directories_below(self.spec)
        self._update = msgspec.structs.replace(self._update, directories=directories)
        self._change(state=LocationState.ERROR, version=new_id(), error=ErrorInfo(type(error).__name__, message))

    def _change(self, **changes: Any) -> None:
        record = msgspec.structs.replace(self._update.record, updated_at=self._clock.now(), **changes)
        self._show(msgspec.structs.replace(self._update, record=record))

    def _show(self, update: HostUpdate) -> None:
        self._update = update
        self.publish()
        self._on_change(self)
