"""Where operations find live code locations, and what they say of one that does not answer yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..core.errors import LocationUnavailable, StillLoading
from ..core.location import LocationState
from ..locations.api import Location


class Reachable(Protocol):
    """The code locations that this process reaches."""

    def get(self, name: str) -> Location | None: ...

    def all(self) -> Sequence[Location]: ...


class Nowhere:
    """``Reachable`` of a process that has no locations."""

    def get(self, name: str) -> Location | None:  # noqa: ARG002  the Protocol's signature
        return None

    def all(self) -> Sequence[Location]:
        return ()


NOWHERE = Nowhere()


def reach(locations: Reachable, name: str) -> Location:
    """Raises LocationUnavailable when this process knows no host of it."""
    location = locations.get(name)
    if location is None:
        raise LocationUnavailable(name, "no host of it is known to this process.")
    return location


def check_loaded(locations: Reachable, name: str | None) -> None:
    """Called when something is not to be found: raises StillLoading while it may yet turn up.

    Parameters:
        name: of the one location that it is looked for in; None: any.
    """
    for location in locations.all():
        if name in (None, location.name) and location.record().state is LocationState.LOADING:
            raise StillLoading(location.name)
