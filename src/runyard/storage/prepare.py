"""Bringing a database to the schema that this version works with: created directly when new, else by Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from ..core.errors import ConfigError
from .database import Database
from .schema import REVISION, REVISIONS, create_all, version_table


def prepare(database: Database) -> None:
    """Create the tables in a new database; check the revision of an existing one.

    Raises:
        ConfigError: the database is of another revision, or holds something else.
    """
    with database.read() as connection:
        if _revision(database, connection) == REVISION:
            database.settle(connection)
            return
    with database.write() as connection:
        database.claim_namespace(connection)
        found = _revision(database, connection)
        if found is None:
            create_all(connection)
        elif found != REVISION:
            raise ConfigError(_mismatch(found))


def migrate(database: Database) -> str:
    """Bring the database to the newest revision and return it.

    Raises:
        ConfigError: the database is of a revision that this version does not know, or holds something else.
    """
    from alembic import command  # noqa: PLC0415  Alembic is imported only to migrate: it is slow to load
    from alembic.config import Config  # noqa: PLC0415  same

    with database.write() as connection:
        database.claim_namespace(connection)
        found = _revision(database, connection)
        if found is not None and found not in REVISIONS:
            raise ConfigError(_mismatch(found))
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return REVISION


def _mismatch(found: str) -> str:
    if found in REVISIONS:
        return f"The database is of schema revision {found}, older than {REVISION}: run `runyard instance migrate`."
    return (
        f"The database is of schema revision {found}, which this version of Runyard (revision {REVISION}) does not "
        "know: a newer Runyard has migrated it. Upgrade Runyard, or restore the backup made before "
        "`runyard instance migrate`."
    )


def _revision(database: Database, connection: sa.Connection) -> str | None:
    """The revision that the database is stamped with; None when it is empty."""
    names = database.tables(connection)
    if not names:
        return None
    if version_table.name not in names:
        raise ConfigError("The database holds tables that are not Runyard's: name another file or schema.")
    return connection.execute(sa.select(version_table.c.version_num)).scalar()
