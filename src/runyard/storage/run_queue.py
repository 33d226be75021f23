"""What the queue's leader reads and writes, and what people do to queued runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ..core.events import Cursor
from ..core.ids import new_id
from ..core.lease import Fence
from ..core.queue import ActiveRun, Claim, Estimate, QueueChange, QueueFilter, QueueHead, Steered, Steering
from ..core.run import Run, RunStatus
from ..queue.rules import Rules
from .claims import claim_heads
from .commit_order import at_or_before, head_of, hidden_after, read_after
from .database import Database
from .estimates import keep_estimates, started_estimates
from .overtaking import overtakers
from .relane import relane_some
from .rows import RUN_COLUMNS, text, to_run
from .run_status import change_status, lock_run
from .schema import IS_ACTIVE, QUEUED, queue_changes, runs
from .steering import steer_some
from .stored_rules import StoredRules

# SQLite, which keeps no statistics here, would rather take the index by status and sort a million rows.
_WAITING_RUNS = {"postgres": "runs", "sqlite": "runs INDEXED BY runs_waiting_by_lane"}
# Jumps from lane to lane in the index: as many steps as there are lanes, however many runs.
_LANES = {
    kind: sa.text(
        f"""
        WITH RECURSIVE found(lane) AS (
            SELECT min(lane) FROM {table} WHERE status = 'QUEUED' AND held = 0
            UNION ALL
            SELECT (SELECT min(runs.lane) FROM {table} WHERE status = 'QUEUED' AND held = 0 AND runs.lane > found.lane)
            FROM found WHERE found.lane IS NOT NULL
        ) SELECT lane FROM found WHERE lane IS NOT NULL
        """
    )
    for kind, table in _WAITING_RUNS.items()
}
# ruff: noqa: S608  statements are put together from these constants
_FIRST = "WHERE lane = wanted.{lane} AND status = 'QUEUED' AND held = 0 ORDER BY np, queue_seq LIMIT :per_lane"
_HEADS = {
    "postgres": sa.text(
        "SELECT head.run_id, head.lane, -head.np, head.queue_seq FROM unnest(CAST(:lanes AS text[])) AS wanted(lane),"
        f" LATERAL (SELECT * FROM runs {_FIRST.format(lane='lane')}) AS head"
    ),
    # SQLite has no LATERAL, but takes a correlated list of row ids.
    "sqlite": sa.text(
        "SELECT run_id, lane, -np, queue_seq FROM json_each(:lanes) AS wanted CROSS JOIN runs"
        f" WHERE runs.id IN (SELECT id FROM {_WAITING_RUNS['sqlite']} {_FIRST.format(lane='value')})"
    ),
}
_QUEUED = {
    kind: sa.text(
        f"SELECT {', '.join(column.name for column in RUN_COLUMNS)} FROM {table} WHERE status = 'QUEUED'"
        " ORDER BY np, queue_seq LIMIT :most"
    )
    for kind, table in (("postgres", "runs"), ("sqlite", "runs INDEXED BY runs_queued_in_order"))
}
_ACTIVE = sa.select(
    runs.c.run_id, runs.c.lane, runs.c.status, runs.c.launched_at, runs.c.started_at, runs.c.canceling_at
).where(IS_ACTIVE)
_CHANGES = sa.select(*(queue_changes.c[name] for name in ["txn", "id", "lane", "run_id", "kind", "status"]))


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

    def lanes(self) -> Sequence[str]:
        with self._database.read() as connection:
            return list(connection.execute(_LANES[self._database.kind]).scalars())

    def heads(self, lanes: Sequence[str], *, per_lane: int = 3) -> Sequence[QueueHead]:
        if not lanes:
            return []
        wanted = text(lanes) if self._database.kind == "sqlite" else list(lanes)
        with self._database.read() as connection:
            rows = connection.execute(_HEADS[self._database.kind], {"lanes": wanted, "per_lane": per_lane})
            found = [QueueHead(*row) for row in rows]
        return sorted(found, key=lambda head: (head.lane, -head.priority, head.seq))

    def active(self) -> Sequence[ActiveRun]:
        with self._database.read() as connection:
            return [_active(row) for row in connection.execute(_ACTIVE)]

    def change_head(self) -> Cursor:
        with self._database.read() as connection:
            return head_of(self._database, connection, queue_changes)

    def changes(self, after: Cursor, *, limit: int = 1000) -> Sequence[QueueChange]:
        with self._database.read() as connection:
            rows = read_after(self._database, connection, _CHANGES, queue_changes, after, limit)
        return [_change(row) for row in rows]

    def changes_hidden(self, after: Cursor) -> bool:
        with self._database.read() as connection:
            return hidden_after(self._database, connection, queue_changes, after)

    def forget_changes(self, up_to: Cursor) -> None:
        with self._database.write() as connection:
            connection.execute(sa.delete(queue_changes).where(at_or_before(self._database, queue_changes, up_to)))

    def claim(self, heads: Sequence[QueueHead], *, fence: Fence, rules_version: int, now: float) -> Sequence[Claim]:
        with self._database.write(fence, exclusive=True) as connection:
            if self._rules.lock(connection).rules.version != rules_version:
                return []
            return claim_heads(self._database, connection, heads, now)

    def start_directly(self, run_id: str, *, now: float) -> Claim | None:
        with self._database.write() as connection:
            in_force = self._rules.lock(connection)
            run = lock_run(connection, run_id)
            if run is None or run.status is not RunStatus.NOT_STARTED:
                return None
            (launch_seq,) = self._database.numbers(connection, "launch_seq", 1)
            token = new_id()
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
                    "lane": _lane(in_force.lane, run, run.tags),
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
        with self._database.read() as connection:
            return [to_run(row) for row in connection.execute(_QUEUED[self._database.kind], {"most": limit})]

    def depth(self) -> int:
        with self._database.read() as connection:
            number: int = connection.execute(sa.select(sa.func.count()).select_from(runs).where(QUEUED)).scalar_one()
            return number

    def steer(
        self, where: QueueFilter, steering: Steering, *, now: float, after: int | None = None, limit: int = 1000
    ) -> Steered:
        with self._database.write() as connection:
            return steer_some(
                self._database, self._rules, connection, where, steering, now=now, after=after, limit=limit
            )

    def expect(self, estimates: Sequence[Estimate]) -> None:
        with self._database.write() as connection:
            keep_estimates(self._database, connection, estimates)

    def estimates(self, *, limit: int = 200) -> Sequence[Estimate]:
        with self._database.read() as connection:
            return started_estimates(connection, limit)

    def overtaken(self, run: Run, *, limit: int = 1000) -> Sequence[Run]:
        with self._database.read() as connection:
            return overtakers(connection, run, limit)


def _lane(lane: Callable[..., str], run: Run, tags: Mapping[str, str]) -> str:
    return lane(location_name=run.location_name, job_name=run.job_name, tags=tags, pools=run.pools)


def _active(row: Sequence[Any]) -> ActiveRun:
    run_id, lane, status, launched_at, started_at, canceling_at = row
    since = {RunStatus.STARTING: launched_at, RunStatus.STARTED: started_at}.get(status, canceling_at)
    return ActiveRun(run_id, lane, RunStatus(status), since)


def _change(row: Sequence[Any]) -> QueueChange:
    txn, row_id, lane, run_id, kind, status = row
    return QueueChange(Cursor(txn, row_id), lane, run_id, kind, None if status is None else RunStatus(status))
