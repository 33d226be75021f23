"""Leases: who may act as a daemon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..core.lease import Lease
from .database import Database
from .schema import leases

_COLUMNS = (leases.c.name, leases.c.holder, leases.c.term, leases.c.expires_at)


#: Nobody asks for longer, in seconds: a lease that ends later was given before the clock was set back.
LONGEST = 300.0


class SqlLeases:
    """``storage.protocols.Leases``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, name: str, *, holder: str, seconds: float) -> Lease | None:
        with self._database.write() as connection:
            self._database.insert_all(
                connection, leases, [{"name": name, "term": 0, "expires_at": 0.0}], ignore_conflicts=True
            )
            # Waits for every transaction that is fenced with the present term.
            stored = _lease(connection.execute(_one(name).with_for_update()).one())
            now = self._database.now(connection)
            valid = now < stored.expires_at <= now + max(LONGEST, seconds)
            if stored.holder not in (None, holder) and valid:
                return None
            renewed = stored.holder == holder and valid
            lease = Lease(name=name, holder=holder, term=stored.term + (not renewed), expires_at=now + seconds)
            connection.execute(
                sa.update(leases)
                .where(leases.c.name == name)
                .values(holder=holder, term=lease.term, expires_at=lease.expires_at)
            )
            return lease

    def release(self, name: str, *, holder: str, term: int) -> None:
        held = (leases.c.name == name, leases.c.holder == holder, leases.c.term == term)
        with self._database.write() as connection:
            connection.execute(sa.update(leases).where(*held).values(holder=None, expires_at=0.0))

    def list(self) -> Sequence[Lease]:
        with self._database.read() as connection:
            return [_lease(row) for row in connection.execute(sa.select(*_COLUMNS).order_by(leases.c.name))]


def _one(name: str) -> sa.Select[Any]:
    return sa.select(*_COLUMNS).where(leases.c.name == name)


def _lease(row: Sequence[Any]) -> Lease:
    name, holder, term, expires_at = row
    return Lease(name=name, holder=holder, term=term, expires_at=expires_at)
