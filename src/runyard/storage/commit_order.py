"""Reading a log in the order of commits, never by bare id: a lower id can commit later."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..core.events import Cursor
from .database import Database

_LAST_ID = 2**63 - 1


def read_after(
    database: Database, connection: sa.Connection, query: sa.Select[Any], table: sa.Table, after: Cursor, limit: int
) -> list[sa.Row[Any]]:
    """Rows of ``query`` over ``table`` after a place, in commit order, as far as none can still come before them."""
    horizon = database.horizon(connection)
    if horizon is None:
        ordered = query.where(table.c.id > after.id).order_by(table.c.id)
    else:
        ordered = query.where(
            sa.tuple_(table.c.txn, table.c.id) > sa.tuple_(after.txn, after.id), table.c.txn < horizon
        ).order_by(table.c.txn, table.c.id)
    return list(connection.execute(ordered.limit(limit)))


def hidden_after(connection: sa.Connection, table: sa.Table, after: Cursor) -> bool:
    """Whether committed rows after a place wait for an older transaction, with all that ``read_after`` gives read."""
    later = sa.tuple_(table.c.txn, table.c.id) > sa.tuple_(after.txn, after.id)
    return bool(connection.execute(sa.select(sa.exists().where(later))).scalar())


def head_of(database: Database, connection: sa.Connection, table: sa.Table) -> Cursor:
    """The place after everything that is there to be read."""
    horizon = database.horizon(connection)
    if horizon is None:
        return Cursor(0, connection.execute(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))).scalar_one())
    return Cursor(horizon - 1, _LAST_ID)


def in_commit_order(database: Database, table: sa.Table) -> tuple[sa.ColumnElement[Any], ...]:
    """The columns to order by."""
    return (table.c.id,) if database.kind == "sqlite" else (table.c.txn, table.c.id)


def at_or_before(database: Database, table: sa.Table, place: Cursor) -> sa.ColumnElement[bool]:
    """Condition: at or before ``place``."""
    if database.kind == "sqlite":
        return table.c.id <= place.id
    return sa.tuple_(table.c.txn, table.c.id) <= sa.tuple_(place.txn, place.id)
