"""What becomes of failed runs and lost workers: one row, read by whoever ends a run."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from ..core.policies import RunPolicies
from .database import Database
from .rows import text
from .schema import policies

_BODY = sa.select(policies.c.body)
_SET = sa.update(policies).values(body=sa.bindparam("new_body"))
_decode = msgspec.json.Decoder(RunPolicies).decode


def read_policies(connection: sa.Connection) -> RunPolicies:
    return _decode(connection.execute(_BODY).scalar_one())


class SqlPolicies:
    """``storage.protocols.Policies``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def configure(self, policies: RunPolicies) -> None:
        with self._database.write() as connection:
            if read_policies(connection) != policies:
                connection.execute(_SET, {"new_body": text(policies)})

    def in_force(self) -> RunPolicies:
        with self._database.read() as connection:
            return read_policies(connection)
