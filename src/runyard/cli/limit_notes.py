"""Says which limits match nothing, once the code is loaded that could have what they name."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.errors import StorageUnavailable
from ..core.location import LocationState

if TYPE_CHECKING:
    from ..wiring import Control

logger = logging.getLogger("runyard.limits")


class LimitNotes:
    """Looks whenever a location or the settings have changed and nothing is loading; each note is said once."""

    def __init__(self, control: Control, say: Callable[[str], None]) -> None:
        self._control, self._say = control, say
        self._told: set[str] = set()
        # Locations report from threads of their own.
        self._lock = threading.Lock()

    def follow(self) -> None:
        self._control.workspace.on_change(lambda _: self.look())
        told = self._control.on_settings

        def settings_changed(sections: str) -> None:
            told(sections)
            self.look()

        self._control.on_settings = settings_changed

    def look(self) -> None:
        from ..operations.queue.names_in_use import idle

        if any(location.record().state is LocationState.LOADING for location in self._control.workspace.all()):
            return
        with self._lock:
            try:
                notes = [limit.message for limit in idle(self._control.instance.stores)]
            except StorageUnavailable as error:
                logger.warning("limits that match nothing cannot be looked for now: %s", error)
                return
            for note in notes:
                if note not in self._told:
                    self._say(note)
            # One that has come to match and does not any more is worth saying again.
            self._told = set(notes)
