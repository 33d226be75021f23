"""Opening an instance's storage."""

from __future__ import annotations

from typing import Any

from ..core.clock import Clock
from ..settings.instance import PostgresSettings, SqliteSettings
from .database import Database
from .event_log import SqlEvents
from .history import SqlHistory
from .leases import SqlLeases
from .limits import SqlLimits
from .policies import SqlPolicies
from .pool_slots import SqlPoolSlots
from .prepare import migrate, prepare
from .protocols import (
    Events,
    Heartbeats,
    History,
    Hosts,
    Leases,
    Limits,
    Locations,
    Policies,
    PoolSlots,
    Processes,
    Queue,
    Runs,
    Ticks,
    Wakeups,
)
from .registries import SqlHeartbeats, SqlHosts, SqlLocations, SqlProcesses
from .run_queue import SqlQueue
from .runs import SqlRuns
from .schema import REVISION
from .stored_rules import StoredRules
from .tick_log import SqlTicks
from .wake_sockets import SocketHints
from .wakeups import Hints, LocalAndRemoteWakeups


class SqlStores:
    """``storage.protocols.Stores`` over one database. Close it when done."""

    def __init__(self, database: Database, wakeups: LocalAndRemoteWakeups) -> None:
        rules = StoredRules()
        self.database = database
        self._local_and_remote = wakeups
        self.runs: Runs = SqlRuns(database, rules)
        self.events: Events = SqlEvents(database)
        self.queue: Queue = SqlQueue(database, rules)
        self.history: History = SqlHistory(database)
        self.limits: Limits = SqlLimits(database, rules)
        self.pool_slots: PoolSlots = SqlPoolSlots(database, rules)
        self.policies: Policies = SqlPolicies(database)
        self.ticks: Ticks = SqlTicks(database, rules)
        self.leases: Leases = SqlLeases(database)
        self.heartbeats: Heartbeats = SqlHeartbeats(database)
        self.processes: Processes = SqlProcesses(database)
        self.hosts: Hosts = SqlHosts(database)
        self.locations: Locations = SqlLocations(database)
        self.wakeups: Wakeups = wakeups

    def ping(self) -> float:
        return self.database.ping()

    def describe(self) -> dict[str, Any]:
        return self.database.describe() | {"revision": REVISION}

    def close(self) -> None:
        self._local_and_remote.close()
        self.database.close()


def open_stores(settings: SqliteSettings | PostgresSettings, clock: Clock, *, runtime_dir: str) -> SqlStores:
    """Open the storage, creating the tables in a new database.

    Args:
        settings: which database.
        clock: the time of records, and on SQLite of leases too.
        runtime_dir: short path of a directory for sockets, shared by the processes of the instance on this machine.

    Raises:
        ConfigError: the settings cannot be meant, or the database is not of this version's schema.
        StorageUnavailable: the database cannot be reached.
    """
    database = _database(settings, clock)
    try:
        prepare(database)
        return SqlStores(database, LocalAndRemoteWakeups(*_ways(database, runtime_dir)))
    except BaseException:
        database.close()
        raise


def migrate_storage(settings: SqliteSettings | PostgresSettings, clock: Clock) -> str:
    """Bring the database to this version's schema (``runyard instance migrate``) and return its revision.

    Raises:
        ConfigError: the database is of a revision that this version does not know, or holds something else.
        StorageUnavailable: the database cannot be reached.
    """
    database = _database(settings, clock)
    try:
        return migrate(database)
    finally:
        database.close()


def _database(settings: SqliteSettings | PostgresSettings, clock: Clock) -> Database:
    # Imported on demand: whoever uses the one needs not wait for the other's driver.
    if isinstance(settings, SqliteSettings):
        from .sqlite import SqliteDatabase  # noqa: PLC0415  see above

        return SqliteDatabase(settings, clock)
    from .postgres import PostgresDatabase  # noqa: PLC0415  see above

    return PostgresDatabase(settings, clock)


def _ways(database: Database, runtime_dir: str) -> list[Hints]:
    ways: list[Hints] = []
    if database.kind == "postgres":
        from .postgres import PostgresDatabase  # noqa: PLC0415  see above
        from .wake_notify import NotifyHints  # noqa: PLC0415  see above

        assert isinstance(database, PostgresDatabase)  # noqa: S101  tells the type checker what ``kind`` says
        ways.append(NotifyHints(database))
    # Last, because it enters the directory.
    return [*ways, SocketHints(runtime_dir)]
