"""The log of a run, from a place on that a reader was given before."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import UnknownCursor
from ..core.events import Cursor, StoredEvent
from ..storage.protocols import Events


def events_of_run(events: Events, run_id: str, *, after: Cursor, limit: int) -> Sequence[StoredEvent]:
    """The next events of a run in the order of commits; none when nothing is new.

    Raises:
        UnknownCursor: the log has not come as far as ``after``, so no reader was given it.
    """
    found = events.of_run(run_id, after=after, limit=limit)
    # The head only moves on, so that a place which a reader was given is never beyond one that is read later.
    if not found and after > events.head():
        raise UnknownCursor(after.encode(), "the log has not come as far; give the 'next' of an answer before.")
    return found
