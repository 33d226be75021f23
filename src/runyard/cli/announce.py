"""What ``runyard dev`` tells the person who started it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from .. import __version__
from ..core.daemon import DaemonType
from ..core.location import LocationRecord, LocationState
from .output import error_text, loaded_text
from .processes import in_full
from .terminal import style

if TYPE_CHECKING:
    from ..wiring import Control

LABELS = {
    DaemonType.SCHEDULER: "Scheduler",
    DaemonType.QUEUED_RUN_COORDINATOR: "Run queue",
    DaemonType.SENSOR: "Sensors",
    DaemonType.MONITORING: "Run monitor",
}


OPEN_TO_OTHERS = "there is no log-in: everyone who reaches these addresses can run code on this machine."


class Announcer:
    """Says where the pages are, which daemons run, and how each location's loading goes."""

    def __init__(self, control: Control, say: Callable[[str], None]) -> None:
        self._control = control
        self.say = say
        self._said: dict[str, LocationRecord] = {}

    def announce(self, urls: Sequence[str], *, open_to_others: bool) -> None:
        """The lines after the start."""
        settings = self._control.instance.settings
        kept = " (temporary: gone when this stops; set RUNYARD_HOME to keep it)" if settings.ephemeral else ""
        self.say(style(f"Runyard {__version__}", bold=True))
        for label, url in zip_longest(("Page",), urls, fillvalue=""):
            self.say(f"  {label:8}  {style(url, fg='cyan', underline=True)}")
        self.say(f"  Home      {settings.home}{kept}")
        self.say(f"  Daemons   {self._daemons()}")
        if open_to_others:
            self.say(f"  Warning   {style(OPEN_TO_OTHERS, fg='yellow')}")
        for notice in settings.notices:
            self.note(notice)
        for process in self._control.others():
            self.say(f"  Shared    with {in_full(process)}; runs go on when one of the two ends")

    def note(self, sentence: str) -> None:
        """Something that changes nothing, or not what it seems to."""
        self.say(f"  Note      {sentence}")

    def follow_locations(self) -> None:
        """Say it whenever a location has loaded, fails, or is gone, and when settings change."""
        self._control.workspace.on_change(self._location_changed)
        self._control.on_settings = lambda told: self.say(f"  Settings  {told}: in force")

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
            if self._said.pop(name, None):
                self.say(f"  Location  {name} is gone from the workspace")
            return
        record = location.record()
        last = self._said.get(name)
        if record.state is LocationState.LOADING or (
            last is not None and (last.state, last.version) == (record.state, record.version)
        ):
            return
        self._said[name] = record
        self.say(self._line(record, last))

    def _line(self, record: LocationRecord, last: LocationRecord | None) -> str:
        if record.state is LocationState.ERROR:
            if last is not None and last.state is record.state and last.error == record.error:
                return f"  Location  {record.name} {style('still does not load', fg='red')}, as before"
            return f"  Location  {record.name} {style('does not load', fg='red')}\n{_error_text(record)}"
        verb = style("loaded" if last is None else "loaded again", fg="green")
        return "\n".join([f"  Location  {record.name} {verb}: {loaded_text(record)}", *_problems(record)])


def _problems(record: LocationRecord) -> list[str]:
    return [f"            {style('cannot run:', fg='red')} {problem}" for problem in record.problems()]


def _error_text(record: LocationRecord) -> str:
    text = error_text(record.error) if record.error else "no reason is known"
    return "\n".join(f"            {line}" for line in text.splitlines())
