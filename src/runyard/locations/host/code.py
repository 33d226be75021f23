"""The location's code: which zygote has it loaded, the next one while it loads, and what the outside is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future

import msgspec

from ...core.clock import Clock
from ...core.events import ErrorInfo
from ...core.ids import new_id
from ...core.location import LocationRecord, LocationState
from ..messages import Loaded, LoadFailed, Setup
from ..sources import Sources, directories_below
from ..updates import HostUpdate
from .loop import Loop, Timer
from .zygote_process import NO_RUNYARD, PROCESS_DIED, ZygoteProcess
from .zygote_start import StartedZygote, start_zygote

log = logging.getLogger(__name__)

#: A zygote that lived shorter than this is replaced after a pause, in seconds.
SHORT_LIFE = 5.0
LONGEST_PAUSE = 10.0
#: One that died while it loaded the code is replaced after a pause that doubles, in seconds.
FIRST_RETRY_PAUSE, LONGEST_RETRY_PAUSE = 0.2, 60.0


class Code:
    """Lives in the loop's thread; ``update`` may be read from any.

    Args:
        zygote: one that loads the code already, for the first ``load``.
    """

    def __init__(
        self,
        loop: Loop,
        setup: Setup,
        clock: Clock,
        *,
        host_id: str,
        zygote: StartedZygote | None,
        load_timeout: float,
        on_update: Callable[[HostUpdate], None],
        on_switch: Callable[[], None],
        on_exit: Callable[[int, int], None],
        on_gone: Callable[[ZygoteProcess], None],
    ) -> None:
        self._loop, self._setup, self._clock = loop, setup, clock
        self._load_timeout = load_timeout
        self._on_update, self._on_switch, self._on_exit, self._on_zygote_gone = on_update, on_switch, on_exit, on_gone
        self._current: ZygoteProcess | None = None
        self._loading: ZygoteProcess | None = None
        self._started = zygote
        #: Every zygote process that still runs, also those that were told to end.
        self._alive: set[ZygoteProcess] = set()
        self._waiting: list[Callable[[ZygoteProcess | None], None]] = []
        self._reloads: list[Future[None]] = []
        self._loaded_at = 0.0
        self._sources = Sources.taken((), setup.spec.directories(), clock.now(), now=clock.now())
        self._pause = 0.0
        self._restarting = False
        self._retry: Timer | None = None
        self._retry_pause = 0.0
        #: Whether the load under way was begun by itself, after one that failed.
        self._retrying = False
        self._closed = False
        self.update = HostUpdate(
            record=LocationRecord(
                name=setup.spec.name,
                state=LocationState.LOADING,
                source=setup.spec.describe(),
                host_id=host_id,
                updated_at=clock.now(),
            )
        )

    def pids(self) -> set[int]:
        # The one that nobody listens to yet is included: it may have died, and its end is still to be noticed.
        started = set() if self._started is None else {self._started.process.pid}
        return started | {zygote.pid for zygote in self._alive}

    def marks(self) -> set[str]:
        """Of what live zygotes start."""
        return ({self._started.mark} if self._started is not None else set()) | {one.mark for one in self._alive}

    def when_ready(self, then: Callable[[ZygoteProcess | None], None]) -> None:
        """Call ``then`` with the zygote as soon as there is one, with None when the code does not load."""
        if self._current is not None:
            then(self._current)
        elif self._loading is not None or self._restarting:
            self._waiting.append(then)
        else:
            then(None)

    def load(self) -> Future[None]:
        """Load the code, beside the one that is loaded; done when the switch is made or the load failed."""
        done: Future[None] = Future()
        self._reloads.append(done)
        self._retrying = False
        if self._loading is not None:
            # It may have read files that changed since: begin again.
            self._loading.close()
            self._loading.kill()
            self._loading = None
        self._start()
        return done

    def refresh(self) -> None:
        """Load again if the last load failed, or if a source has changed since it was read."""
        failed = self._loading is None and self.update.record.state is LocationState.ERROR
        change = self._sources.change()
        if failed or change is not None:
            log.info("loading the code again: %s", f"{change} has changed" if change else "it did not load")
            self.load()

    def close(self) -> None:
        """End every zygote; their workers go on. Whoever waits for one is told that there is none."""
        self._closed = True
        for zygote in list(self._alive):
            zygote.close()
        self._current = None
        self._tell_waiting()

    def wait(self, seconds: float) -> None:
        """After ``close``: wait for the zygotes to end, each for so long."""
        for zygote in self._alive:
            zygote.wait(seconds)

    def _start(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        try:
            started, self._started = self._started or start_zygote(self._setup, self._clock), None
        except OSError as error:
            python = self._setup.spec.executable_path
            message = f"{python} cannot be started: {error.strerror}." if python else str(error)
            self._show_error(ErrorInfo(type(error).__name__, message), self.update.directories)
            self._retry_later()
            return
        self._loading = ZygoteProcess(
            self._loop,
            started,
            load_timeout=self._load_timeout,
            on_loaded=self._on_loaded,
            on_failed=self._on_failed,
            on_exit=self._on_exit,
            on_gone=self._gone,
        )
        self._alive.add(self._loading)
        self._sources = Sources.taken(
            self._sources.files, self._sources.directories, started.started_at, now=self._clock.now()
        )
        self._show(state=LocationState.LOADING)

    def _on_loaded(self, zygote: ZygoteProcess, loaded: Loaded) -> None:
        if zygote is not self._loading:
            return
        old, self._current, self._loading = self._current, zygote, None
        self._take_sources(loaded)
        self._retry_pause = 0.0
        self._loaded_at = self._clock.monotonic()
        self._show(
            directories=loaded.directories,
            state=LocationState.LOADED,
            version=new_id(),
            definitions=loaded.definitions,
            error=None,
            start_method=loaded.start_method,
            start_method_reason=loaded.start_method_reason,
        )
        self._on_switch()
        self._tell_waiting()
        if old is not None:
            old.close()

    def _on_failed(self, zygote: ZygoteProcess, failure: LoadFailed) -> None:
        if zygote is not self._loading:
            return
        self._loading = None
        zygote.close()
        self._take_sources(failure)
        self._show_error(failure.error, self._sources.directories)
        if failure.error.class_name in (PROCESS_DIED, NO_RUNYARD):
            # What it died of may be over, or installed, without a change of the code.
            self._retry_later()

    def _retry_later(self) -> None:
        self._retry_pause = min(LONGEST_RETRY_PAUSE, max(FIRST_RETRY_PAUSE, self._retry_pause * 2))
        self._retry = self._loop.later(self._retry_pause, self._load_again)

    def _take_sources(self, load: Loaded | LoadFailed) -> None:
        """As they were when the load began, so far as they were known then."""
        directories = load.directories or directories_below(self._setup.spec)
        since = self._sources.loading_since
        taken = Sources.taken(load.files, directories, since, now=self._clock.now())
        taken.stamps.update({path: self._sources.stamps[path] for path in taken.stamps.keys() & self._sources.stamps})
        self._sources = taken

    def _load_again(self) -> None:
        if self._loading is None and not self._closed:
            self._retrying = True
            self._start()

    def _show_error(self, error: ErrorInfo, directories: tuple[str, ...]) -> None:
        """The last good definitions stay; what is loaded goes on serving."""
        known, shown = self.update.directories, self.update.record
        # A retry that fails as before is nothing new to show.
        is_new = error != shown.error or not self._retrying
        self._show(
            directories=directories + tuple(place for place in known if place not in directories),
            state=LocationState.ERROR,
            version=new_id() if is_new else shown.version,
            error=error,
        )
        self._tell_waiting()

    def _gone(self, zygote: ZygoteProcess) -> None:
        self._alive.discard(zygote)
        self._on_zygote_gone(zygote)
        if zygote is not self._current or self._closed:
            return
        log.warning("the process that holds the code (pid %d) ended; starting another", zygote.pid)
        self._current = None
        lived = self._clock.monotonic() - self._loaded_at
        self._pause = 0.0 if lived > SHORT_LIFE else min(LONGEST_PAUSE, max(0.1, self._pause * 2))
        self._restarting = True
        self._loop.later(self._pause, self._restart)

    def _restart(self) -> None:
        self._restarting = False
        if self._current is None and self._loading is None and not self._closed:
            self._start()

    def _tell_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then(self._current)
        reloads, self._reloads = self._reloads, []
        for done in reloads:
            done.set_result(None)

    def _show(self, *, directories: tuple[str, ...] | None = None, **changes: object) -> None:
        record = msgspec.structs.replace(self.update.record, updated_at=self._clock.now(), **changes)
        self.update = HostUpdate(
            record=record,
            directories=self.update.directories if directories is None else directories,
            loading_since=self._sources.loading_since,
        )
        self._on_update(self.update)
