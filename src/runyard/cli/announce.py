"""What ``runyard dev`` tells the person who started it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import __version__
from ..core.daemon import DaemonType
from ..core.location import LocationRecord, LocationState
from .output import error_text, loaded_text
from .terminal import style

if TYPE_CHECKING:
    from ..wiring import Control

LABELS = {
    DaemonType.SCHEDULER: "Scheduler",
    DaemonType.QUEUED_RUN_COORDINATOR: "Run queue",
    DaemonType.SENSOR: "Sensors",
    DaemonType.MONITORING: "Run monitor",
}


class Announcer:
    """Says where the pages are, which daemons run, and how each location's loading goes."""

    def __init__(self, control: Control, say: Callable[[str], None]) -> None:
        self._control = control
        self.say = say
        self._told: dict[str, tuple[LocationState, str]] = {}

    def announce(self, url: str) -> None:
        """The lines after the start."""
        settings = self._control.instance.settings
        kept = " (temporary: gone when this stops; set RUNYARD_HOME to keep it)" if settings.ephemeral else ""
        self.say(style(f"Runyard {__version__}", bold=True))
        self.say(f"  Page      {style(url, fg='cyan', underline=True)}")
        self.say(f"  Home      {settings.home}{kept}")
        self.say(f"  Daemons   {self._daemons()}")
        for notice in settings.notices:
            self.say(f"  Note      {notice}")

    def follow_locations(self) -> None:
        """Say it whenever a location has loaded, fails, or is gone."""
        self._control.workspace.on_change(self._location_changed)

    def _daemons(self) -> str:
        settings = self._control.instance.settings
        up = [label for kind, label in LABELS.items() if kind.value not in settings.why_off]
        off = [
            f"{LABELS[DaemonType(kind)]} off by {why.setting}{f', {why.where}' if why.where else ''}"
            for kind, why in settings.why_off.items()
        ]
        return ", ".join(up) + (f" ({'; '.join(off)})" if off else "")

    def _location_changed(self, name: str) -> None:
        location = self._control.workspace.get(name)
        if location is None:
            if self._told.pop(name, None):
                self.say(f"  Location  {name} is gone from the workspace")
            return
        record = location.record()
        if record.state is LocationState.LOADING or self._told.get(name) == (record.state, record.version):
            return
        again = name in self._told
        self._told[name] = (record.state, record.version)
        self.say(self._line(record, again=again))

    def _line(self, record: LocationRecord, *, again: bool) -> str:
        if record.state is LocationState.ERROR:
            return f"  Location  {record.name} {style('does not load', fg='red')}\n{_error_text(record)}"
        verb = style("loaded again" if again else "loaded", fg="green")
        return f"  Location  {record.name} {verb}: {loaded_text(record)}"


def _error_text(record: LocationRecord) -> str:
    text = error_text(record.error) if record.error else "no reason is known"
    return "\n".join(f"            {line}" for line in text.splitlines())
