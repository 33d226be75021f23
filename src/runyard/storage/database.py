"""Transactions: what both databases have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ..core.clock import Clock
from ..core.errors import LeaseLost, NotStorable, StorageUnavailable
from ..core.lease import Fence
from .schema import leases

#: What PostgreSQL calls ``program_limit_exceeded``.
_LIMIT_EXCEEDED = "54000"
_TERM = sa.select(leases.c.term).where(leases.c.name == sa.bindparam("name"), leases.c.holder.is_not(None))


class Database(ABC):
    """One database. Every method may raise StorageUnavailable and is safe from any thread."""

    kind: str

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    @abstractmethod
    def read(self) -> Any:
        """Context manager: a connection for queries. On PostgreSQL each statement sees its own snapshot."""

    def walk(self) -> Any:
        """``read`` for queries that are to walk the one index that has their order, whatever the planner believes."""
        return self.read()

    @abstractmethod
    def _write(self) -> Any:
        """Context manager: a transaction, committed at the end of the block and rolled back when it raises."""

    @contextmanager
    def write(self, fence: Fence | None = None, *, exclusive: bool = False) -> Iterator[sa.Connection]:
        """A transaction. With ``fence`` it first locks the lease row, for share or ``exclusive``-ly.

        Raises:
            LeaseLost: the lease is not at the fence's term; nothing was written.
        """
        with self._write() as connection:
            if fence is not None:
                _check(connection, fence, exclusive=exclusive)
            yield connection

    @abstractmethod
    def now(self, connection: sa.Connection) -> float:
        """The database's clock, in seconds since the epoch."""

    @abstractmethod
    def horizon(self, connection: sa.Connection) -> int | None:
        """Rows of transactions below this are all there to be read; None where ids are in commit order."""

    @abstractmethod
    def numbers(self, connection: sa.Connection, sequence: str, count: int) -> list[int]:
        """The next ``count`` numbers of a sequence, ascending."""

    @abstractmethod
    def insert(self, table: sa.Table) -> Any:
        """The dialect's INSERT, which knows ON CONFLICT."""

    @abstractmethod
    def insert_all(
        self,
        connection: sa.Connection,
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        ignore_conflicts: bool = False,
    ) -> None:
        """Insert many rows, all with the same keys, in one round trip."""

    @abstractmethod
    def insert_numbered(
        self, connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]
    ) -> Sequence[int]:
        """Insert at least one row, all with the same keys, and return the ids that they got, in order."""

    @abstractmethod
    def tables(self, connection: sa.Connection) -> set[str]:
        """Names of the tables that are there, whoever made them."""

    @abstractmethod
    def claim_namespace(self, connection: sa.Connection) -> None:
        """Keep other processes from creating or migrating until the transaction ends; make the schema if needed."""

    @abstractmethod
    def settle(self, connection: sa.Connection) -> None:
        """Make an existing database fit for the server that it is on now."""

    @abstractmethod
    def describe(self) -> dict[str, Any]: ...

    @abstractmethod
    def close(self) -> None: ...

    def ping(self) -> float:
        started = self.clock.monotonic()
        with self.read() as connection:
            connection.exec_driver_sql("SELECT 1")
        return self.clock.monotonic() - started


def _check(connection: sa.Connection, fence: Fence, *, exclusive: bool) -> None:
    # A take-over updates this row, so it waits until this transaction is over: a check without the lock would let
    # a stale write through.
    term = connection.execute(_TERM.with_for_update(read=not exclusive), {"name": fence.name}).scalar()
    if term != fence.term:
        raise LeaseLost(fence.name, fence.term)


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn errors of a driver or of the system about reaching or waiting for the database into StorageUnavailable.

    Raises:
        NotStorable: a name, a key or a tag is longer than what an index of PostgreSQL holds: trying again is of no use.
    """
    try:
        yield
    except (OperationalError, InterfaceError, InternalError, PoolTimeout) as error:
        if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _LIMIT_EXCEEDED:
            raise NotStorable(f"A name, key or tag is too long for the database {place}: {_reason(error)}.") from error
        raise StorageUnavailable(f"The database {place} cannot be used: {_reason(error)}") from error
    except OSError as error:
        raise StorageUnavailable(f"The database {place} cannot be used: {_os_reason(error, place)}") from error
    except DBAPIError as error:
        # SQLite reports damaged and foreign files by the bare class; the others are mistakes in what was asked.
        if not error.connection_invalidated and type(error) is not DatabaseError:
            raise
        raise StorageUnavailable(f"The database {place} cannot be used: {_reason(error)}") from error


def _os_reason(error: OSError, place: str) -> str:
    reason = error.strerror or str(error)
    # The file beside the database, or the directory above it, that could not be made or opened.
    named = f"{error.filename}: {reason}" if error.filename not in (None, place) else reason
    return _advised(named)


def _reason(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return _advised((str(cause).strip() or type(cause).__name__).splitlines()[0])


#: What the system or SQLite says, and what a person can do about it.
_ADVICE = {
    "read-only": "Runyard has to be able to write there.",
    "readonly": "Runyard has to be able to write there.",
    "permission denied": "Runyard has to be able to write there.",
    "disk is full": "Free some space.",
    "no space left": "Free some space.",
    # SQLite's own word where a file beside the database cannot grow.
    "disk i/o error": "See whether the disk is full or broken.",
    "quota exceeded": "Free some space.",
    "file too large": "The size of files is limited (ulimit -f).",
}


def _advised(reason: str) -> str:
    advice = next((advice for said, advice in _ADVICE.items() if said in reason.lower()), None)
    return f"{reason}. {advice}" if advice else reason
