"""Who is there: serving processes, daemons' heartbeats, location hosts and code locations, each one row with its record
as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ..core.daemon import Heartbeat
from ..core.host import HostRecord
from ..core.lease import Fence
from ..core.location import LeftAlone, LocationRecord
from ..core.process import ProcessRecord
from .database import Database
from .rows import text
from .schema import heartbeats, hosts, locations, processes
from .schema import left_alone as resting
from .upsert import put

_heartbeat = msgspec.json.Decoder(Heartbeat).decode
_process = msgspec.json.Decoder(ProcessRecord).decode
_host = msgspec.json.Decoder(HostRecord).decode
_location = msgspec.json.Decoder(LocationRecord).decode


class SqlHeartbeats:
    """``storage.protocols.Heartbeats``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, heartbeat: Heartbeat) -> None:
        row = {
            "daemon_type": heartbeat.daemon_type.value,
            "process_id": heartbeat.process_id,
            "body": text(heartbeat),
        }
        with self._database.write() as connection:
            put(self._database, connection, heartbeats, row)

    def all(self) -> Sequence[Heartbeat]:
        query = sa.select(heartbeats.c.body).order_by(heartbeats.c.daemon_type, heartbeats.c.process_id)
        with self._database.read() as connection:
            return [_heartbeat(body) for body in connection.execute(query).scalars()]

    def forget_process(self, process_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(sa.delete(heartbeats).where(heartbeats.c.process_id == process_id))


class SqlProcesses:
    """``storage.protocols.Processes``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, process: ProcessRecord) -> None:
        row = {"process_id": process.process_id, "body": text(process)}
        with self._database.write() as connection:
            put(self._database, connection, processes, row)

    def all(self) -> Sequence[ProcessRecord]:
        query = sa.select(processes.c.body).order_by(processes.c.process_id)
        with self._database.read() as connection:
            found = [_process(body) for body in connection.execute(query).scalars()]
        return sorted(found, key=lambda process: process.started_at)

    def remove(self, process_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(sa.delete(processes).where(processes.c.process_id == process_id))


class SqlHosts:
    """``storage.protocols.Hosts``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, host: HostRecord) -> None:
        """The host's lease is taken over from its own clock to the database's."""
        seconds = host.lease_expires_at - self._database.clock.now()
        with self._database.write() as connection:
            expires_at = self._database.now(connection) + seconds
            row = {"host_id": host.host_id, "lease_expires_at": expires_at, "body": text(host)}
            put(self._database, connection, hosts, row)

    def renew(self, host_id: str, *, seconds: float) -> bool:
        with self._database.write() as connection:
            expires_at = self._database.now(connection) + seconds
            statement = sa.update(hosts).where(hosts.c.host_id == host_id).values(lease_expires_at=expires_at)
            return connection.execute(statement).rowcount > 0

    def all(self) -> Sequence[HostRecord]:
        with self._database.read() as connection:
            return _hosts(connection, sa.true())

    def lapsed(self) -> Sequence[HostRecord]:
        with self._database.read() as connection:
            return _hosts(connection, hosts.c.lease_expires_at <= self._database.now(connection))

    def remove(self, host_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(sa.delete(hosts).where(hosts.c.host_id == host_id))


def _hosts(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> list[HostRecord]:
    query = sa.select(hosts.c.body, hosts.c.lease_expires_at).where(condition).order_by(hosts.c.host_id)
    return [
        msgspec.structs.replace(_host(body), lease_expires_at=expires_at)
        for body, expires_at in connection.execute(query)
    ]


class SqlLocations:
    """``storage.protocols.Locations``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, record: LocationRecord) -> None:
        body = text(msgspec.structs.replace(record, left_alone=None))
        with self._database.write() as connection:
            put(self._database, connection, locations, {"name": record.name, "body": body})

    def leave_alone(self, name: str, left_alone: LeftAlone | None, *, fence: Fence) -> None:
        with self._database.write(fence) as connection:
            if left_alone is None:
                connection.execute(sa.delete(resting).where(resting.c.location_name == name))
            else:
                row = {"location_name": name, "until": left_alone.until, "reason": left_alone.reason}
                put(self._database, connection, resting, row)

    def get(self, name: str) -> LocationRecord | None:
        with self._database.read() as connection:
            row = connection.execute(_LOCATIONS.where(locations.c.name == name)).first()
        return None if row is None else _to_location(row)

    def all(self) -> Sequence[LocationRecord]:
        with self._database.read() as connection:
            return [_to_location(row) for row in connection.execute(_LOCATIONS.order_by(locations.c.name))]

    def remove(self, name: str) -> None:
        with self._database.write() as connection:
            connection.execute(sa.delete(locations).where(locations.c.name == name))


_LOCATIONS = sa.select(locations.c.body, resting.c.until, resting.c.reason).select_from(
    locations.outerjoin(resting, resting.c.location_name == locations.c.name)
)


def _to_location(row: Sequence[Any]) -> LocationRecord:
    body, until, reason = row
    record = _location(body)
    return record if until is None else msgspec.structs.replace(record, left_alone=LeftAlone(until, reason))
