"""The rules in force, and lanes computed under them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ..core.pools import PoolNeeds
from ..queue.lanes import lane_key
from ..queue.rules import Rules
from .rows import text
from .schema import queue_changes, rules

_decode = msgspec.json.Decoder(Rules).decode
_VERSIONS = sa.select(rules.c.version, rules.c.lane_version)


class RulesInForce(NamedTuple):
    rules: Rules
    #: The generation of tracked keys.
    lane_version: int

    def lane(self, *, location_name: str, job_name: str, tags: Mapping[str, str], pools: PoolNeeds) -> str:
        return lane_key(self.rules.tracked_keys, location_name=location_name, job_name=job_name, tags=tags, pools=pools)


class StoredRules:
    """Reads the rules row; the decoded rules are kept and used again while the version stays."""

    def __init__(self) -> None:
        self._known: RulesInForce | None = None

    def lock(self, connection: sa.Connection) -> RulesInForce:
        """The rules, locked for share until the transaction ends: new ones wait for the lanes computed under these."""
        return self._read(connection, _VERSIONS.with_for_update(read=True))

    def read(self, connection: sa.Connection) -> RulesInForce:
        return self._read(connection, _VERSIONS)

    def _read(self, connection: sa.Connection, query: sa.Select[Any]) -> RulesInForce:
        row: Any = connection.execute(query).one()
        version, lane_version = row
        known = self._known
        if known is None or known.rules.version != version:
            known = _load(connection)
            self._known = known
        return known._replace(lane_version=lane_version)

    def replace(self, connection: sa.Connection, wanted: Rules) -> Rules:
        """Store ``wanted`` under the next version unless the rules say the same already."""
        connection.execute(_VERSIONS.with_for_update())
        old = _load(connection)
        new = msgspec.structs.replace(wanted, version=old.rules.version)
        if new == old.rules:
            return new
        new = msgspec.structs.replace(new, version=old.rules.version + 1)
        regenerated = new.tracked_keys != old.rules.tracked_keys
        lane_version = new.version if regenerated else old.lane_version
        connection.execute(sa.update(rules).values(version=new.version, lane_version=lane_version, body=text(wanted)))
        connection.execute(sa.insert(queue_changes).values(kind="rules"))
        return new


def _load(connection: sa.Connection) -> RulesInForce:
    version, lane_version, body = connection.execute(
        sa.select(rules.c.version, rules.c.lane_version, rules.c.body)
    ).one()
    return RulesInForce(msgspec.structs.replace(_decode(body), version=version), lane_version)
