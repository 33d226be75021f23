"""What ``runyard dev`` says of its locations."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec

from runyard.cli.announce import Announcer
from runyard.cli.terminal import unstyled
from runyard.core.events import ErrorInfo
from runyard.core.location import LocationDefinitions, LocationRecord, LocationState


class Locations:
    """A workspace with one location, which a test changes."""

    def __init__(self) -> None:
        self.shown = LocationRecord(name="d.py", state=LocationState.LOADING)
        self.callbacks: list[Any] = []
        self.on_change = self.callbacks.append

    def get(self, name: str) -> Any:
        return SimpleNamespace(record=lambda: self.shown)

    def show(self, **changes: Any) -> None:
        self.shown = msgspec.structs.replace(self.shown, **changes)
        for callback in self.callbacks:
            callback("d.py")


def test_an_error_is_said_in_full_once_and_then_in_one_line() -> None:
    workspace, said = Locations(), list[str]()
    control: Any = SimpleNamespace(workspace=workspace)
    Announcer(control, lambda line: said.append(unstyled(line))).follow_locations()
    broken = ErrorInfo("ValueError", "no")
    workspace.show(state=LocationState.ERROR, version="1", error=broken)
    workspace.show(state=LocationState.LOADING)
    workspace.show(state=LocationState.ERROR, version="1")
    workspace.show(state=LocationState.ERROR, version="2")
    workspace.show(state=LocationState.ERROR, version="3", error=ErrorInfo("ValueError", "neither"))
    workspace.show(state=LocationState.LOADED, version="4", error=None, definitions=LocationDefinitions())
    assert said == [
        "  Location  d.py does not load\n            ValueError: no",
        "  Location  d.py still does not load, as before",
        "  Location  d.py does not load\n            ValueError: neither",
        "  Location  d.py loaded again: 0 jobs, 0 schedules, 0 sensors",
    ]
