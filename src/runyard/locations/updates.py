"""What a host tells everyone who watches it."""

from __future__ import annotations

import msgspec

from ..core.location import LocationRecord


class HostUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """``directories`` hold the location's own source files: what to watch for changes."""

    record: LocationRecord
    directories: tuple[str, ...] = ()
    #: When the code that is shown began to load: a file changed after that may not be in it.
    loading_since: float = 0.0
