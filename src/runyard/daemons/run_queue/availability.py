"""Which locations can launch, told to admission and to whoever explains why a run waits."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.lease import Fence
from ...core.location import LeftAlone
from ...launchers.base import Launcher
from ...locations.api import Location, Workspace
from ...queue.admission.admission import Admission
from ...storage.protocols import Locations
from .back_off import BackOff
from .handover import incarnation_of


class Availability:
    """Looks at the locations once a pass."""

    def __init__(self, locations: Locations, workspace: Workspace, launcher: Launcher, back_off: BackOff) -> None:
        self._locations = locations
        self._workspace = workspace
        self._launcher = launcher
        self._back_off = back_off
        self._published: dict[str, LeftAlone] = {}

    def begin(self) -> None:
        """A new leader: what the one before said is to be taken back where it is not so any more."""
        self._published = {each.name: each.left_alone for each in self._locations.all() if each.left_alone}

    def locations(self) -> list[str]:
        """Where runs can be launched at all."""
        return [location.name for location in self._workspace.all()]

    def apply(self, admission: Admission, names: Iterable[str], fence: Fence) -> None:
        """Open and close the locations that runs wait for, and say which are left alone."""
        for name in names:
            self._apply(admission, name)
        shown = self._back_off.shown()
        for name in shown.keys() | self._published.keys():
            if shown.get(name) != self._published.get(name):
                self._locations.leave_alone(name, shown.get(name), fence=fence)
        self._published = shown

    def _apply(self, admission: Admission, name: str) -> None:
        if not self._launches(self._workspace.get(name)):
            admission.close_location(name)
            return
        admission.set_capacity(name, 1 if self._back_off.is_tried(name) else self._launcher.capacity())
        admission.open_location(name)

    def _launches(self, location: Location | None) -> bool:
        if location is None or location.record().definitions is None:
            return False
        return not self._back_off.is_left_alone(location.name, incarnation_of(location))
