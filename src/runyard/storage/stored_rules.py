"""The rules in force, what they are made of, and lanes computed under them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ..core.pools import PoolNeeds
from ..core.queue import LimitChange
from ..queue.lanes import lane_key
from ..queue.limit_changes import with_changes
from ..queue.rules import Pause, Rules
from .rows import text
from .schema import queue_changes, rules


class RulesBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the rules are made of: the instance file's, the limits that people set, and what they paused.

    ``also_tracked``: keys of lanes that nothing of these looks at any more.
    """

    configured: Rules = Rules()
    changes: tuple[LimitChange, ...] = ()
    pauses: tuple[Pause, ...] = ()
    also_tracked: tuple[str, ...] = ()

    def in_force(self, version: int) -> Rules:
        return msgspec.structs.replace(
            with_changes(self.configured, self.changes),
            version=version,
            pauses=self.pauses,
            also_tracked=self.also_tracked,
        )


_decode = msgspec.json.Decoder(RulesBody).decode
_VERSIONS = sa.select(rules.c.version, rules.c.lane_version)
_ROW = sa.select(rules.c.version, rules.c.lane_version, rules.c.body)
# Those who read the row without a lock go on.
_ALONE = sa.text("LOCK TABLE rules IN EXCLUSIVE MODE")


def read_rules(connection: sa.Connection) -> Rules:
    """The rules in force, decoded anew, for whoever has no StoredRules at hand."""
    version, _, body = connection.execute(_ROW).one()
    return _decode(body).in_force(version)


class RulesInForce(NamedTuple):
    rules: Rules
    #: The generation of tracked keys.
    lane_version: int
    #: ``rules.tracked_keys``, which takes long to find for every run of a thousand.
    tracked_keys: tuple[str, ...]

    def lane(self, *, location_name: str, job_name: str, tags: Mapping[str, str], pools: PoolNeeds) -> str:
        return lane_key(self.tracked_keys, location_name=location_name, job_name=job_name, tags=tags, pools=pools)


class RulesChange(NamedTuple):
    before: Rules
    after: Rules
    #: Whether anything new was said, be it only something that has no effect now.
    stored: bool


class StoredRules:
    """Reads the rules row; the decoded rules are kept and used again while the version stays."""

    def __init__(self) -> None:
        self._known: RulesInForce | None = None

    def lock(self, connection: sa.Connection) -> RulesInForce:
        """The rules, locked for share until the transaction ends: new ones wait for the lanes computed under these."""
        return self._read(connection, _VERSIONS.with_for_update(read=True))

    def read(self, connection: sa.Connection) -> RulesInForce:
        return self._read(connection, _VERSIONS)

    def body(self, connection: sa.Connection) -> RulesBody:
        return _decode(connection.execute(sa.select(rules.c.body)).scalar_one())

    def _read(self, connection: sa.Connection, query: sa.Select[Any]) -> RulesInForce:
        row: Any = connection.execute(query).one()
        version, lane_version = row
        known = self._known
        if known is None or known.rules.version != version:
            version, _, body = connection.execute(_ROW).one()
            in_force = _decode(body).in_force(version)
            known = RulesInForce(in_force, lane_version, in_force.tracked_keys)
            self._known = known
        return known._replace(lane_version=lane_version)

    def change(self, connection: sa.Connection, change: Callable[[RulesBody], RulesBody]) -> RulesChange:
        """Store what ``change`` makes of the body.

        The rules in force get the next version, and admission is told, when they are not the same as before.
        """
        if connection.dialect.name == "postgresql":
            # A row that is locked for share can be locked so by others all the time: only a table's lock has a line.
            connection.execute(_ALONE)
        version, lane_version, stored = connection.execute(_ROW.with_for_update()).one()
        body = _decode(stored)
        old, changed = body.in_force(version), _tracking(body, change(body))
        if changed == body:
            return RulesChange(old, old, stored=False)
        new = changed.in_force(version)
        if new != old:
            new = msgspec.structs.replace(new, version=version + 1)
            lane_version = new.version if set(new.tracked_keys) - set(old.tracked_keys) else lane_version
            connection.execute(sa.insert(queue_changes).values(kind="rules"))
        values = {"version": new.version, "lane_version": lane_version, "body": text(changed)}
        connection.execute(sa.update(rules).values(**values))
        return RulesChange(old, new, stored=True)


def _tracking(old: RulesBody, new: RulesBody) -> RulesBody:
    """``new`` with those keys of the old lanes that it would not look at by itself."""
    bare = msgspec.structs.replace(new, also_tracked=())
    rest = set(old.in_force(0).tracked_keys) - set(bare.in_force(0).tracked_keys)
    return msgspec.structs.replace(bare, also_tracked=tuple(sorted(rest)))
