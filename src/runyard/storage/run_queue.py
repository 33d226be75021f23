"""What the queue's leader reads and writes, and what people do to queued runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ..core.events import Cursor
from ..core.ids import new_id
from ..core.lease import Fence
from ..core.queue import (
    ActiveRun,
    Claim,
    Estimate,
    Launch,
    QueueChange,
    QueueFilter,
    QueueHead,
    Steered,
    Steering,
)
from ..core.run import Run, RunStatus
from ..queue.rules import Rules
from . import queue_counts, queue_reads
from .claims import claim_heads
from .commit_order import at_or_before, head_of, hidden_after, in_commit_order, read_after
from .database import Database
from .estimates import keep_estimates, started_estimates
from .overtaking import overtakers
from .protocols import EVERY_QUEUED
from .relane import has_older, relane_chosen, relane_some
from .run_status import change_status, lock_run
from .schema import QUEUED, queue_changes, runs
from .steering import find_some, queued_where, steer_some
from .stored_rules import StoredRules

_CHANGES = sa.select(*(queue_changes.c[name] for name in ["txn", "id", "lane", "run_id", "kind", "status"]))
#: Changes deleted in one transaction.
_FORGOTTEN = 1000


class SqlQueue:
    """``storage.protocols.Queue``."""

    def __init__(self, database: Database, stored_rules: StoredRules) -> None:
        self._database = database
        self._rules = stored_rules

    def rules(self) -> Rules:
        with self._database.read() as connection:
            return self._rules.read(connection).rules

    def relane(self, *, fence: Fence, rules: Rules, limit: int = 1000) -> int:
        with self._database.write(fence) as connection:
            in_force = self._rules.lock(connection)
            if in_force.rules.version != rules.version:
                return 0
            return relane_some(self._database, connection, in_force, limit)

    def relane_runs(self, run_ids: Sequence[str], *, fence: Fence, rules: Rules) -> Sequence[str]:
        with self._database.write(fence) as connection:
            in_force = self._rules.lock(connection)
            if in_force.rules.version != rules.version:
                return []
            return relane_chosen(connection, in_force, run_ids)

    def has_old_lanes(self) -> bool:
        with self._database.read() as connection:
            return has_older(self._database, connection, self._rules.read(connection))

    def lanes(self, *, after: str = "", limit: int | None = None) -> Sequence[str]:
        with self._database.walk() as connection:
            return queue_reads.lanes(self._database, connection, after, limit)

    def heads(
        self, lanes: Sequence[str], *, per_lane: int = 3, since: Mapping[str, tuple[int, int]] | None = None
    ) -> Sequence[QueueHead]:
        if not lanes:
            return []
        with self._database.walk() as connection:
            return queue_reads.heads(self._database, connection, lanes, per_lane, since or {})

    def in_order(self, after: tuple[int, int] | None, *, limit: int) -> Sequence[QueueHead]:
        with self._database.walk() as connection:
            return queue_reads.in_order(self._database, connection, after, limit)

    def active(self) -> Sequence[ActiveRun]:
        with self._database.walk() as connection:
            return queue_reads.active(self._database, connection)

    def launches(self, since: float) -> Sequence[Launch]:
        with self._database.read() as connection:
            return queue_reads.launches(self._database, connection, self._rules.read(connection), since)

    def count_launches(self, since: float) -> int:
        query = sa.select(sa.func.count()).select_from(runs).where(runs.c.launched_at >= since)
        with self._database.read() as connection:
            number: int = connection.execute(query).scalar_one()
            return number

    def change_head(self) -> Cursor:
        with self._database.read() as connection:
            return head_of(self._database, connection, queue_changes)

    def changes(self, after: Cursor, *, limit: int = 1000) -> Sequence[QueueChange]:
        with self._database.read() as connection:
            rows = read_after(self._database, connection, _CHANGES, queue_changes, after, limit)
        return [_change(row) for row in rows]

    def changes_hidden(self, after: Cursor) -> bool:
        # There ids are in commit order, and nothing is hidden.
        if self._database.kind == "sqlite":
            return False
        with self._database.read() as connection:
            return hidden_after(connection, queue_changes, after)

    def forget_changes(self, up_to: Cursor) -> None:
        oldest = sa.select(queue_changes.c.id).where(at_or_before(self._database, queue_changes, up_to))
        some = oldest.order_by(*in_commit_order(self._database, queue_changes)).limit(_FORGOTTEN)
        statement = sa.delete(queue_changes).where(queue_changes.c.id.in_(some))
        deleted = _FORGOTTEN
        while deleted == _FORGOTTEN:
            with self._database.write() as connection:
                deleted = connection.execute(statement).rowcount
                if deleted < _FORGOTTEN:
                    queue_counts.tidy(self._database, connection)

    def claim(self, heads: Sequence[QueueHead], *, fence: Fence, rules_version: int, now: float) -> Sequence[Claim]:
        with self._database.write(fence, exclusive=True) as connection:
            in_force = self._rules.lock(connection)
            if in_force.rules.version != rules_version:
                return []
            return claim_heads(self._database, connection, heads, in_force.lane_version, now)

    def start_directly(self, run_id: str, *, now: float) -> Claim | None:
        with self._database.write() as connection:
            in_force = self._rules.lock(connection)
            run = lock_run(connection, run_id)
            if run is None or run.status is not RunStatus.NOT_STARTED:
                return None
            (launch_seq,) = self._database.numbers(connection, "launch_seq", 1)
            token = new_id()
            lane = in_force.lane(location_name=run.location_name, job_name=run.job_name, tags=run.tags, pools=run.pools)
            change_status(
                self._database,
                connection,
                run_id,
                RunStatus.STARTING,
                expected=(RunStatus.NOT_STARTED,),
                now=now,
                message="Handed over for launch.",
                values={
                    "attempt": run.attempt + 1,
                    "launch_token": token,
                    "launch_seq": launch_seq,
                    "launched_at": now,
                    "lane": lane,
                    "lane_version": in_force.lane_version,
                },
            )
            return Claim(
                run_id,
                run.attempt + 1,
                token,
                launch_seq,
                run.job_name,
                run.location_name,
                run.run_config,
                run.tags,
            )

    def queued(self, *, limit: int) -> Sequence[Run]:
        with self._database.walk() as connection:
            return queue_reads.queued(self._database, connection, limit)

    def depth(self, where: QueueFilter = EVERY_QUEUED) -> int:
        query = sa.select(sa.func.count()).select_from(runs).where(QUEUED, *queued_where(where))
        with self._database.read() as connection:
            if where == QueueFilter(held=where.held):
                return queue_counts.depth(connection, where.held)
            number: int = connection.execute(query).scalar_one()
            return number

    def oldest(self) -> float | None:
        with self._database.read() as connection:
            return queue_counts.oldest(self._database, connection)

    def held(self, after: tuple[int, int] | None, *, limit: int) -> Sequence[QueueHead]:
        with self._database.walk() as connection:
            return queue_reads.held(self._database, connection, after, limit)

    def positions(self, runs: Sequence[Run]) -> dict[str, int]:
        with self._database.read() as connection:
            return queue_counts.ranks(self._database, connection, runs)

    def overtaken(self, run: Run, *, limit: int = 1000) -> Sequence[Run]:
        with self._database.read() as connection:
            return overtakers(connection, run, limit)

    def steer(
        self, where: QueueFilter, steering: Steering, *, now: float, after: int | None = None, limit: int = 1000
    ) -> Steered:
        with self._database.read() as connection:
            keys = find_some(connection, where, steering, after=after, limit=limit)
        if not keys:
            return Steered(())
        with self._database.write() as connection:
            changed = steer_some(self._database, self._rules, connection, keys, where, steering, now)
        return Steered(changed, keys[-1].id if len(keys) == limit else None)

    def expect(self, estimates: Sequence[Estimate]) -> None:
        with self._database.write() as connection:
            keep_estimates(self._database, connection, estimates)

    def estimates(self, *, limit: int = 200) -> Sequence[Estimate]:
        with self._database.read() as connection:
            return started_estimates(connection, limit)


def _change(row: Sequence[Any]) -> QueueChange:
    txn, row_id, lane, run_id, kind, status = row
    return QueueChange(Cursor(txn, row_id), lane, run_id, kind, None if status is None else RunStatus(status))
