"""Reads the instance file again when it changes, and says what became of the change."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ..core.clock import Clock
from ..core.errors import ConfigError, RunyardError
from ..core.process import SettingsState
from ..settings.changes import in_force, needs_restart, taken_over
from ..settings.instance import InstanceSettings
from ..settings.loading import instance_files, load_settings
from .worker_thread import RepeatingThread

logger = logging.getLogger(__name__)

#: Seconds between two looks at the file.
LOOK_EVERY = 1.0

Stamp = tuple[int, int, int] | None


class InstanceFile:
    """Follows the instance file of a home.

    Parameters:
        settings: what the process started with.
        env: variables behind ``{env: NAME}``.
        apply: takes over settings; called from this watch's own thread, again later when it raises a RunyardError.
        on_state: called when ``state`` is another.
        on_taken_over: called with the sections that were taken over.
    """

    def __init__(
        self,
        settings: InstanceSettings,
        *,
        env: Mapping[str, str],
        apply: Callable[[InstanceSettings], None],
        on_state: Callable[[], None],
        on_taken_over: Callable[[tuple[str, ...]], None],
        clock: Clock,
    ) -> None:
        self._started = self._effective = settings
        self._env, self._apply = env, apply
        self._on_state, self._on_taken_over = on_state, on_taken_over
        #: As it was when it was last dealt with; None before the first look, which finds edits made since the start.
        self._stamps: dict[str, Stamp] | None = None
        self.state = SettingsState(file=settings.file)
        self._thread = RepeatingThread("instance-file", self.step, clock=clock)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._thread.stop()

    def step(self) -> float:
        """Look at the file; returns the seconds until the next look."""
        stamps = {str(file): _stamp(file) for file in instance_files(self._started.home)}
        if stamps != self._stamps and self._read():
            self._stamps = stamps
        return LOOK_EVERY

    def _read(self) -> bool:
        """Read it and take it over; False when that is to be tried again."""
        try:
            read = load_settings(self._started.home, env=self._env)
        except ConfigError as error:
            self._show(SettingsState(file=self.state.file, restart=self.state.restart, problem=str(error)))
            return True
        if self._stamps is None and read.text == self._started.text:
            return True
        try:
            self._take_over(read)
        except RunyardError as error:
            logger.warning("The instance file was changed and could not be taken over yet: %s", error)
            return False
        self._show(SettingsState(file=read.file, restart=needs_restart(self._started, read)))
        return True

    def _take_over(self, read: InstanceSettings) -> None:
        new = in_force(self._started, read)
        if new == self._effective:
            return
        self._apply(new)
        sections = taken_over(self._effective, new)
        if sections:
            self._on_taken_over(sections)
        for notice in new.notices:
            if notice not in self._effective.notices:
                logger.warning("%s", notice)
        self._effective = new

    def _show(self, state: SettingsState) -> None:
        if state == self.state:
            return
        before, self.state = self.state, state
        self._on_state()
        if state.problem is not None:
            logger.warning("The instance file cannot be used, the settings of before stay in force: %s", state.problem)
        elif before.problem is not None:
            logger.warning("The instance file can be used again.")
        if state.restart and state.restart != before.restart:
            logger.warning("The instance file was changed. A restart is needed for: %s.", ", ".join(state.restart))


def _stamp(file: Path) -> Stamp:
    try:
        found = os.stat(file)  # noqa: PTH116 - once a second
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
