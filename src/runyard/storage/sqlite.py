"""The embedded database: one file, one writer at a time, readers beside it."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite as dialect
from sqlalchemy.pool import QueuePool

from ..core.clock import Clock
from ..core.errors import ConfigError, StorageUnavailable
from ..settings.instance import SqliteSettings
from ..settings.private_files import make_named_directory, open_private, tighten
from .database import Database, translated
from .filelock import FairLock
from .mounts import refuse_network_file_system

_log = logging.getLogger("runyard.storage")

LOCK_SECONDS = 30.0
_NEXT_NUMBERS = (
    "INSERT INTO counters (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value RETURNING value"
)
#: Size of the write-ahead log from which it is copied back beside the writers, and from which they wait for it.
CHECKPOINT_BYTES = 4 * 1024 * 1024
HOLD_UP_BYTES = 64 * 1024 * 1024
#: Pages that the writer keeps in memory at most, in KiB.
CACHE_KIB = 16 * 1024


class SqliteDatabase(Database):
    """``settings.path`` and the files beside it; the directory is made when it is missing."""

    kind = "sqlite"

    def __init__(self, settings: SqliteSettings, clock: Clock) -> None:
        super().__init__(clock)
        if sqlite3.sqlite_version_info < (3, 35):
            raise ConfigError(f"SQLite 3.35 or later is needed; this Python has {sqlite3.sqlite_version}.")
        self.path = settings.path
        refuse_network_file_system(self.path)
        with translated(self.path):
            _make_private(Path(self.path))
            self._lock = FairLock(f"{self.path}.lock")
        self._writer = _engine(self.path, "BEGIN IMMEDIATE", _writer_pragmas(settings), size=1)
        self._reader = _engine(self.path, "BEGIN", ("PRAGMA query_only = ON",), size=8)
        self._checkpoints = _Checkpoints(self.path, self._lock)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with translated(self.path), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with translated(self.path), self._lock.hold(LOCK_SECONDS), self._writer.begin() as connection:
            yield connection
        self._checkpoints.after_commit()

    def now(self, connection: sa.Connection) -> float:  # noqa: ARG002  the database has no clock of its own
        return self.clock.now()

    def horizon(self, connection: sa.Connection) -> None:  # noqa: ARG002  ids are in commit order
        return None

    def numbers(self, connection: sa.Connection, sequence: str, count: int) -> list[int]:
        last: int = connection.exec_driver_sql(_NEXT_NUMBERS, (sequence, count)).scalar_one()
        return list(range(last - count + 1, last + 1))

    def insert(self, table: sa.Table) -> dialect.Insert:
        return dialect.insert(table)

    def insert_all(
        self,
        connection: sa.Connection,
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        ignore_conflicts: bool = False,
    ) -> None:
        if not rows:
            return
        columns = tuple(rows[0])
        verb = "INSERT OR IGNORE" if ignore_conflicts else "INSERT"
        names, places = ", ".join(f'"{name}"' for name in columns), ", ".join("?" * len(columns))
        connection.exec_driver_sql(
            f'{verb} INTO "{table.name}" ({names}) VALUES ({places})',
            [tuple(row.values()) for row in rows],
        )

    def insert_numbered(
        self, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
    ) -> Sequence[int]:
        self.insert_all(connection, table, rows)
        # The writer is alone: what it inserts is numbered without gaps.
        last: int = connection.exec_driver_sql("SELECT last_insert_rowid()").scalar_one()
        return range(last - len(rows) + 1, last + 1)

    def tables(self, connection: sa.Connection) -> set[str]:
        found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
        return {name for name in found if not name.startswith("sqlite_")}

    def claim_namespace(self, connection: sa.Connection) -> None:
        """Nothing to do: a write transaction is alone."""

    def settle(self, connection: sa.Connection) -> None:
        """Nothing to do: the file is all there is."""

    def describe(self) -> dict[str, Any]:
        return {"kind": self.kind, "path": self.path, "sqlite": sqlite3.sqlite_version}

    def close(self) -> None:
        self._checkpoints.close()
        self._reader.dispose()
        self._writer.dispose()
        self._lock.close()


def _make_private(path: Path) -> None:
    """Make the file before SQLite does: it gives the log and the shared memory beside it the database's mode."""
    make_named_directory(path.parent)
    os.close(open_private(path, os.O_RDWR))
    for suffix in ("-wal", "-shm"):
        # Of an earlier version, which obeyed the umask.
        tighten(Path(f"{path.resolve()}{suffix}"))


def _writer_pragmas(settings: SqliteSettings) -> tuple[str, ...]:
    return (
        "PRAGMA journal_mode = WAL",
        f"PRAGMA synchronous = {settings.synchronous}",
        "PRAGMA foreign_keys = ON",
        # A claim of 500 runs dirties a page of events for each. What does not fit is written twice: 2 MiB, SQLite's own
        # choice, costs three times as much.
        f"PRAGMA cache_size = -{CACHE_KIB}",
        # Copying the log back is not a writer's work while others wait: see _Checkpoints.
        "PRAGMA wal_autocheckpoint = 0",
        # The log is cut when it starts over, so that its size says how much of it is not copied back.
        "PRAGMA journal_size_limit = 0",
    )


def _engine(path: str, begin: str, pragmas: Sequence[str], *, size: int) -> sa.Engine:
    """An engine whose transactions begin by ``begin``: a read that turns into a write would fail at once."""

    def connect() -> sqlite3.Connection:
        # isolation_level None turns the driver's own BEGIN off.
        connection = sqlite3.connect(
            path, timeout=10.0, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        for pragma in pragmas:
            connection.execute(pragma)
        return connection

    engine = sa.create_engine(
        "sqlite://", creator=connect, poolclass=QueuePool, pool_size=size, max_overflow=0 if size == 1 else 24
    )

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class _Checkpoints:
    """Copies the write-ahead log back into the database on a thread of its own, started when there is enough."""

    def __init__(self, path: str, lock: FairLock) -> None:
        self._path, self._log, self._lock = path, f"{path}-wal", lock
        self._wake = threading.Event()
        self._closing = False
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def after_commit(self) -> None:
        if self._wake.is_set() or self._size() < CHECKPOINT_BYTES:
            return
        self._wake.set()
        with self._guard:
            if self._thread is None and not self._closing:
                self._thread = threading.Thread(target=self._run, name="runyard-checkpoint", daemon=True)
                self._thread.start()

    def _size(self) -> int:
        try:
            return os.stat(self._log).st_size  # noqa: PTH116  on every commit: no Path object for it
        except FileNotFoundError:
            return 0

    def _run(self) -> None:
        while self._wait():
            self._try()

    def _wait(self) -> bool:
        self._wake.wait()
        # Cleared before looking: whatever is asked for from now on is seen in the next round.
        self._wake.clear()
        return not self._closing

    def _try(self) -> None:
        try:
            self._checkpoint()
        except (sqlite3.Error, StorageUnavailable) as error:
            _log.warning("The log %s was not copied back; the next commit asks again: %s", self._log, error)

    def _checkpoint(self) -> None:
        connection = sqlite3.connect(self._path, timeout=1.0, isolation_level=None)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            # Under constant writing the log never starts over by itself; what is left to copy is short by now.
            if self._size() > HOLD_UP_BYTES:
                with self._lock.hold(LOCK_SECONDS):
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()

    def close(self) -> None:
        with self._guard:
            self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=LOCK_SECONDS)
