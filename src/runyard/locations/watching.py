"""Watches workspace files and source files."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import watchfiles

from ..core.errors import RunyardError
from .sources import Stamp, concerns_code, stamp

log = logging.getLogger(__name__)

#: Changes that come within so many milliseconds are one.
DEBOUNCE_MS = 200
STEP_MS = 50
#: How often workspace files are looked at whatever the system tells, and new directories taken up, in milliseconds.
TICK_MS = 500


class Watched(NamedTuple):
    """Where a location's own modules are (below these directories nothing is looked at), read when."""

    directories: tuple[str, ...]
    read_at: float


class Watcher:
    """A thread that calls back: ``on_files`` for workspace files, ``on_code(name)`` for a location's code.

    Args:
        files: the workspace files.
        sources: by location, the code that is loaded.
        on_tick: called every half second.
    """

    def __init__(
        self,
        *,
        files: Callable[[], Iterable[str]],
        sources: Callable[[], Mapping[str, Watched]],
        on_files: Callable[[], None],
        on_code: Callable[[str], None],
        on_tick: Callable[[], None],
    ) -> None:
        self._files, self._sources = files, sources
        self._on_files, self._on_code, self._on_tick = on_files, on_code, on_tick
        self._stopping = threading.Event()
        self._stamps: dict[str, Stamp | None] = {}
        #: By location, when the code was read for which this watch has looked back.
        self._looked_back: dict[str, float] = {}
        #: By location, the newest change that was reported by looking back.
        self._seen: dict[str, float] = {}
        self._thread = threading.Thread(target=self._serve, name="workspace-watcher", daemon=True)

    def start(self) -> None:
        self._stamps = self._look()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            # A thread that ended would end live reload with it, and nothing would say so.
            self._guarded(self._round)

    def _round(self) -> None:
        places = self._places()
        if places:
            self._watch(places)
        else:
            self._stopping.wait(TICK_MS / 1000)
            self._tick()

    def _watch(self, places: frozenset[str]) -> None:
        """Until there are other places to watch."""
        changes = watchfiles.watch(
            *places,
            watch_filter=lambda _, path: concerns_code(path),
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            rust_timeout=TICK_MS,
            yield_on_timeout=True,
            stop_event=self._stopping,
            recursive=False,
            raise_interrupt=False,
        )
        self._looked_back.clear()
        try:
            for found in changes:
                self._code_changed({path for _, path in found})
                self._look_back()
                self._tick()
                if self._places() != places:
                    return
        except OSError as error:
            # A directory went away, or the system has no watches left: looked at again after a pause.
            log.warning("watching for changes: %s", error)
            self._stopping.wait(TICK_MS / 1000)
        finally:
            changes.close()

    def _places(self) -> frozenset[str]:
        named = {place for sources in self._sources().values() for place in sources.directories}
        return frozenset(place for place in named if os.path.isdir(place))  # noqa: PTH112 - many, twice a second

    def _code_changed(self, paths: set[str]) -> None:
        parents = {str(Path(path).parent) for path in paths}
        for name, sources in self._sources().items():
            if parents.intersection(sources.directories):
                self._guarded(lambda name=name: self._on_code(name))  # type: ignore[misc]  # bound default

    def _look_back(self) -> None:
        """Find what changed after a location began to read it and before the watch began or the load ended."""
        for name, sources in self._sources().items():
            if self._looked_back.get(name) == sources.read_at:
                continue
            self._looked_back[name] = sources.read_at
            newest = max((_newest(place) for place in sources.directories), default=0.0)
            if newest > max(sources.read_at, self._seen.get(name, 0.0)):
                self._seen[name] = newest
                self._guarded(lambda name=name: self._on_code(name))  # type: ignore[misc]  # bound default

    def _tick(self) -> None:
        stamps = self._look()
        if stamps != self._stamps:
            self._stamps = stamps
            self._guarded(self._on_files)
        self._guarded(self._on_tick)

    def _look(self) -> dict[str, Stamp | None]:
        return {file: stamp(file) for file in self._files()}

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except RunyardError as error:
            log.warning("%s", error)
        except Exception:
            log.exception("following a change failed")
            # Not again and again without a pause.
            self._stopping.wait(TICK_MS / 1000)


def _newest(directory: str) -> float:
    """When the newest source file directly in it was changed."""
    try:
        with os.scandir(directory) as entries:
            times = [entry.stat().st_mtime for entry in entries if concerns_code(entry.path)]
    except OSError:
        return 0.0  # a directory or file that went away meanwhile: its watch ends too
    return max(times, default=0.0)
