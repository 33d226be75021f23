"""The databases themselves refuse what must never be, whoever writes."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from runyard.core.run import RunStatus
from runyard.storage.open import SqlStores
from runyard.storage.protocols import RunsFilter
from runyard.storage.schema import leases, metadata, policies, pool_waiters, queue_changes, rules, run_keys, runs, ticks

from .make import SCHEDULE, commit, enqueue, get, in_status, tick

_IMPOSSIBLE = {
    "unknown status": (RunStatus.QUEUED, {"status": "PAUSED"}),
    "queued without a place": (RunStatus.QUEUED, {"queue_seq": None}),
    "queued in no lane": (RunStatus.QUEUED, {"lane": None}),
    "active without a token": (RunStatus.STARTING, {"launch_token": None}),
    "active in no lane": (RunStatus.STARTED, {"lane": None}),
    "active without an attempt": (RunStatus.STARTING, {"attempt": 0}),
    "ended but queued": (RunStatus.QUEUED, {"ended_at": 1.0}),
    "finished without an end": (RunStatus.SUCCESS, {"ended_at": None}),
    "failed for no reason": (RunStatus.FAILURE, {"failure": None}),
    "a failure of a success": (RunStatus.SUCCESS, {"failure": "{}"}),
    "to fail once it has stopped, but not stopping": (RunStatus.STARTED, {"stop_failure": "{}"}),
    "held while running": (RunStatus.STARTED, {"held": 1}),
    "began in a later attempt": (RunStatus.STARTED, {"began_attempt": 2}),
    "nameless": (RunStatus.QUEUED, {"job_name": None}),
}


@pytest.mark.parametrize("name", _IMPOSSIBLE)
def test_impossible_runs(stores: SqlStores, name: str) -> None:
    status, values = _IMPOSSIBLE[name]
    run_id = in_status(stores, status)
    before = get(stores, run_id)
    with pytest.raises(IntegrityError), stores.database.write() as connection:
        connection.execute(sa.update(runs).where(runs.c.run_id == run_id).values(**values))
    assert get(stores, run_id) == before


def _refused(stores: SqlStores, statement: sa.Executable) -> None:
    with pytest.raises(IntegrityError), stores.database.write() as connection:
        connection.execute(statement)


def test_other_impossible_rows(stores: SqlStores) -> None:
    run = enqueue(stores)
    commit(stores, ended=tick(SCHEDULE))
    twice = {"kind": "schedule", "location_name": "loc", "name": "nightly", "time": tick(SCHEDULE).time}
    _refused(stores, sa.insert(ticks).values(tick_id="other", status="SUCCESS", body="{}", **twice))
    _refused(stores, sa.insert(ticks).values(tick_id="x", status="DONE", body="{}", **(twice | {"time": 1.0})))
    _refused(stores, sa.insert(rules).values(id=2, version=0, lane_version=0, body="{}"))
    _refused(stores, sa.insert(leases).values(name=None, term=0, expires_at=0))
    _refused(stores, sa.insert(queue_changes).values(kind="rumour"))
    _refused(stores, sa.insert(policies).values(id=2, body="{}"))
    waiter = {"run_id": run.run_id, "step_key": "s", "attempt": 1, "slots": 1, "np": 0, "since": 0.0}
    _refused(stores, sa.insert(pool_waiters).values(pool="unknown", **waiter))
    sensor = {"kind": "sensor", "location_name": "l", "name": "n", "run_key": "k", "run_id": run.run_id}
    _refused(stores, sa.insert(run_keys).values(time=5.0, **sensor))


def test_both_databases_have_the_same_constraints_and_indexes(
    sqlite_stores: SqlStores, postgres_stores: SqlStores
) -> None:
    only_postgres = {"events_in_order", "queue_changes_in_order"}
    assert _names(postgres_stores) - _names(sqlite_stores) == only_postgres
    assert _names(sqlite_stores) - _names(postgres_stores) == set()


def _names(stores: SqlStores) -> set[str]:
    """Of checks and indexes, by what the database says that it has."""
    found: set[str] = set()
    with stores.database.read() as connection:
        inspector = sa.inspect(connection)
        for table in metadata.tables:
            if table in inspector.get_table_names():
                found |= {str(check["name"]) for check in inspector.get_check_constraints(table)}
                found |= {str(index["name"]) for index in inspector.get_indexes(table)}
                found |= {str(unique["name"]) for unique in inspector.get_unique_constraints(table) if unique["name"]}
    return {name for name in found if not name.endswith("_key")}


def test_reading_the_queue_sorts_and_scans_nothing(sqlite_stores: SqlStores) -> None:
    plans: list[str] = []

    def explain(connection: sa.Connection, _: object, statement: str, parameters: Any, *rest: object) -> None:
        if "runs" in statement and not statement.startswith("EXPLAIN"):
            rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.append(" | ".join(row[3] for row in rows))

    run = enqueue(sqlite_stores)
    sa.event.listen(sqlite_stores.database._reader, "before_cursor_execute", explain)
    sqlite_stores.queue.lanes()
    sqlite_stores.queue.heads([run.lane or ""])
    sqlite_stores.queue.queued(limit=10)
    sqlite_stores.queue.active()
    sqlite_stores.runs.list(RunsFilter(), limit=10)
    sqlite_stores.runs.list(RunsFilter(tags={"a": "b"}), limit=10)
    sqlite_stores.runs.list(RunsFilter(statuses=(RunStatus.FAILURE,)), limit=10)
    sqlite_stores.runs.list(RunsFilter(statuses=(RunStatus.FAILURE, RunStatus.SUCCESS)), limit=10)
    assert len(plans) == 8
    for plan in plans:
        assert "TEMP B-TREE" not in plan, plan
    assert [plan for plan in plans if "SCAN runs" in plan and "INDEX" not in plan] == ["SCAN runs", "SCAN runs"]
