"""PostgreSQL, for teams: everything lives in one schema of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy.dialects import postgresql as dialect

from ..core.clock import Clock
from ..core.errors import ConfigError
from ..core.masking import public_url, without
from ..settings.instance import PostgresSettings
from .database import Database, translated
from .rows import text

#: Tells our sessions from others' in pg_stat_activity, see ``horizon``.
APPLICATION = "runyard"
#: Shorter than a lease (8 s), so that a take-over is never kept waiting beyond it.
_SESSION = (
    "SET search_path TO {schema}; SET application_name TO '" + APPLICATION + "'; SET lock_timeout TO '5s';"
    " SET idle_in_transaction_session_timeout TO '5s'; SET statement_timeout TO '60s'; SET TIME ZONE 'UTC';"
    " SET default_transaction_isolation TO 'read committed'"
)
# Statistics of before many runs came say that hardly any are queued. Then all indexes cost the same, and the wrong one
# reads the whole queue for each lane: 40 s at 40,000 runs.
_WALKING = "SET enable_sort TO off; SET enable_seqscan TO off; SET enable_bitmapscan TO off"
#: Advisory lock: two processes may start on a new database at once.
_CREATING = 7_260_914_503_127_761
_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
}
_SNAPSHOT = (
    "SELECT pg_snapshot_xmax(s)::text::bigint, ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(s) AS x)"
    " FROM pg_current_snapshot() AS s"
)
# pg_locks shows transaction ids of 32 bits. A transaction's owner is the one that holds its lock exclusively.
# ruff: noqa: S608  statements are put together from constants and names of the schema
_OF_OTHERS = (
    "SELECT x.id FROM unnest(%(running)s::bigint[]) AS x(id)"
    " JOIN pg_locks AS l ON l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted"
    " AND l.transactionid::text::bigint = x.id & 4294967295"
    f" JOIN pg_stat_activity AS a ON a.pid = l.pid WHERE a.application_name <> '{APPLICATION}'"
)


class PostgresDatabase(Database):
    """A small pool of connections. Raises ConfigError for a URL or schema name that cannot be meant."""

    kind = "postgres"

    def __init__(self, settings: PostgresSettings, clock: Clock) -> None:
        super().__init__(clock)
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", settings.schema):
            raise ConfigError(f"'{settings.schema}' is no schema name: use small letters, digits and underscores.")
        self.schema = settings.schema
        self._conninfo = _conninfo(settings.url)
        self.place = _place(self._conninfo)
        self._secrets = _secrets(self._conninfo)
        self._engine = _engine(self.connect, size=5)
        # Single queries need no transaction around them: two round trips less.
        self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._walker = _engine(self._connect_to_walk, size=1).execution_options(isolation_level="AUTOCOMMIT")

    def connect(self) -> psycopg.Connection[Any]:
        """A connection outside the pool, with the session's settings made."""
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True)
        except psycopg.Error as error:
            # The driver repeats parts of the URL.
            raise type(error)(without(str(error), self._secrets)) from None
        connection.execute(_SESSION.format(schema=self.schema))
        connection.autocommit = False
        return connection

    def _connect_to_walk(self) -> psycopg.Connection[Any]:
        connection = self.connect()
        connection.autocommit = True
        connection.execute(_WALKING)
        connection.autocommit = False
        return connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        with translated(self.place), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def walk(self) -> Iterator[sa.Connection]:
        with translated(self.place), self._walker.connect() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with translated(self.place), self._engine.begin() as connection:
            yield connection

    def now(self, connection: sa.Connection) -> float:
        return float(connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one())

    def horizon(self, connection: sa.Connection) -> int:
        """Stops at the oldest transaction of ours that is under way.

        The snapshot's own xmin would also stop at transactions of other applications of the same server, for as long
        as they take.
        """
        row: Any = connection.exec_driver_sql(_SNAPSHOT).one()
        end, running = int(row[0]), set(row[1])
        if running:
            # Asked after the snapshot: one that has ended meanwhile is found with nobody and counts as ours.
            others = connection.exec_driver_sql(_OF_OTHERS, {"running": list(running)}).scalars()
            running.difference_update(others)
        return min(running, default=end)

    def numbers(self, connection: sa.Connection, sequence: str, count: int) -> list[int]:
        rows = connection.exec_driver_sql(
            "SELECT nextval(%(sequence)s) FROM generate_series(1, %(count)s)", {"sequence": sequence, "count": count}
        )
        return sorted(rows.scalars())

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
        statement = _insert_statement(table, tuple(rows[0]), " ON CONFLICT DO NOTHING" if ignore_conflicts else "")
        connection.exec_driver_sql(statement, (text(rows),))

    def insert_numbered(
        self, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
    ) -> Sequence[int]:
        statement = _insert_statement(table, tuple(rows[0]), " RETURNING id")
        # Numbers are drawn row by row, but nobody promises in which order they come back.
        return sorted(connection.exec_driver_sql(statement, (text(rows),)).scalars().all())

    def tables(self, connection: sa.Connection) -> set[str]:
        found = connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = %(schema)s", {"schema": self.schema}
        )
        return set(found.scalars())

    def claim_namespace(self, connection: sa.Connection) -> None:
        connection.exec_driver_sql(
            f"SET LOCAL lock_timeout TO 0; SET LOCAL statement_timeout TO 0;"
            f" SELECT pg_advisory_xact_lock({_CREATING}); CREATE SCHEMA IF NOT EXISTS {self.schema}"
        )

    def settle(self, connection: sa.Connection) -> None:
        """Rows restored from another server may carry transaction ids that are still to come here: readers would wait.

        They count as the oldest instead.
        """
        end = connection.exec_driver_sql("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").scalar_one()
        for table in ("events", "queue_changes"):
            newest = connection.exec_driver_sql(f"SELECT max(txn) FROM {table}").scalar() or 0
            if newest >= end:
                connection.exec_driver_sql(f"UPDATE {table} SET txn = 0")

    def describe(self) -> dict[str, Any]:
        with self.read() as connection:
            version = connection.exec_driver_sql("SHOW server_version").scalar_one()
        return {"kind": self.kind, "place": self.place, "schema": self.schema, "server": version}

    def close(self) -> None:
        self._engine.dispose()
        self._walker.dispose()


def _engine(creator: Callable[[], psycopg.Connection[Any]], *, size: int) -> sa.Engine:
    return sa.create_engine(
        "postgresql+psycopg://",
        creator=creator,
        pool_size=size,
        max_overflow=10,
        pool_timeout=10.0,
        pool_pre_ping=True,
        pool_use_lifo=True,
        use_native_hstore=False,
    )


_DIALECT = dialect.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


@lru_cache(maxsize=64)
def _insert_statement(table: sa.Table, columns: tuple[str, ...], end: str) -> str:
    """An INSERT of rows in one JSON text: one statement, prepared once, whatever the number of rows.

    Arrays would be written by the driver in Python, character by character where a text has quotes, as lanes do.
    """
    types = ", ".join(f'"{name}" {_type(table.c[name])}' for name in columns)
    names = ", ".join(f'"{name}"' for name in columns)
    rows = f"SELECT {names} FROM json_to_recordset(%s::json) AS given({types})"
    return f'INSERT INTO "{table.name}" ({names}) {rows}{end}'


def _type(column: sa.Column[Any]) -> str:
    return column.type.compile(_DIALECT).partition(" COLLATE ")[0]


def _conninfo(url: str) -> str:
    """libpq's form of ``url``, which may carry SQLAlchemy's driver name or be key=value pairs."""
    plain = re.sub(r"^(postgres(?:ql)?)\+\w+://", r"\1://", url)
    try:
        given: dict[str, Any] = conninfo_to_dict(plain)
        return make_conninfo(**(_PATIENCE | given))
    except psycopg.ProgrammingError:
        # What the driver says repeats parts of it.
        raise ConfigError(
            f"The PostgreSQL URL {public_url(plain)} cannot be read: write postgresql://user:password@host:5432/database"
            "?option=value, with %40 for @, %2F for / and %3F for ? in user, password and values."
        ) from None


def _secrets(conninfo: str) -> list[str]:
    """All that it says but for host, port and database, and what we have put in ourselves."""
    shown = {"host", "hostaddr", "port", "dbname", *_PATIENCE}
    values = [str(value) for key, value in conninfo_to_dict(conninfo).items() if key not in shown and value]
    # As it is, as in an address, and as in libpq's key=value form.
    return [form for value in values for form in (value, quote(value, safe=""), re.sub(r"([\\'])", r"\\\1", value))]


def _place(conninfo: str) -> str:
    """Host and database for people, without the password."""
    parts = conninfo_to_dict(conninfo)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"
