"""The event log."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from ..core.events import BEGINNING, Cursor, StoredEvent
from .commit_order import head_of, read_after
from .database import Database
from .rows import EVENT_COLUMNS, to_event
from .schema import events

_EVENTS = sa.select(*EVENT_COLUMNS)


class SqlEvents:
    """``storage.protocols.Events``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_run(self, run_id: str, *, after: Cursor = BEGINNING, limit: int = 1000) -> Sequence[StoredEvent]:
        return self._read(_EVENTS.where(events.c.run_id == run_id), after, limit)

    def since(self, after: Cursor, *, limit: int = 1000) -> Sequence[StoredEvent]:
        return self._read(_EVENTS, after, limit)

    def _read(self, query: sa.Select[tuple[object, ...]], after: Cursor, limit: int) -> Sequence[StoredEvent]:
        with self._database.read() as connection:
            rows = read_after(self._database, connection, query, events, after, limit)
        return [to_event(row) for row in rows]

    def head(self) -> Cursor:
        with self._database.read() as connection:
            return head_of(self._database, connection, events)
