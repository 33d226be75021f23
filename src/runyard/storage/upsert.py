"""INSERT … ON CONFLICT, which SQLAlchemy spells per database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from .database import Database


def insert_new(
    database: Database, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], key: str
) -> set[Any]:
    """Insert the rows that meet none of the same key; the values of column ``key`` of those inserted.

    On PostgreSQL it waits for a transaction that is inserting the same key.
    """
    statement = database.insert(table).on_conflict_do_nothing().returning(table.c[key])
    return set(connection.execute(statement, rows).scalars())


def put(
    database: Database,
    connection: sa.Connection,
    table: sa.Table,
    row: Mapping[str, Any],
) -> None:
    """Insert a row, or set everything in the stored one of the same primary key."""
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in row.items() if name not in keys}
    statement = database.insert(table).values(**row)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest))
