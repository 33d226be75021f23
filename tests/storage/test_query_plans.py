"""The queue is read by its partial indexes: nothing is sorted and no run is read that is not asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from runyard.core.events import BEGINNING
from runyard.core.queue import Estimate, QueueFilter, Steering
from runyard.core.run import ACTIVE, Run, RunStatus
from runyard.queue.rules import OverlapRule, Rules
from runyard.storage.open import SqlStores
from runyard.storage.protocols import Queue, RunsFilter
from runyard.storage.schema import counters, metadata

from .make import NOW, claim, enqueue, new_run, report, steer

RUNS = 3000
#: Lanes with long names make their index larger than the one that walks past all lanes.
LONG = "_of_a_long_name" * 9
READS: dict[str, tuple[Callable[[Queue], object], set[str]]] = {
    "in_order": (lambda queue: queue.in_order(None, limit=100), {"runs_waiting_in_order"}),
    "in_order_deep": (lambda queue: queue.in_order((0, RUNS // 2), limit=100), {"runs_waiting_in_order"}),
    "lanes": (lambda queue: queue.lanes(after="", limit=20), {"runs_waiting_by_lane"}),
    "heads": (lambda queue: queue.heads(queue.lanes()), {"runs_waiting_by_lane"}),
    "held": (lambda queue: queue.held(None, limit=100), {"runs_held_in_order"}),
    "positions": (lambda queue: queue.positions(queue.queued(limit=9)), {"runs_waiting_in_order"}),
    "queued": (lambda queue: queue.queued(limit=100), {"runs_waiting_in_order", "runs_held_in_order"}),
    "launches": (lambda queue: queue.launches(NOW), {"runs_by_launch"}),
    "count_launches": (lambda queue: queue.count_launches(NOW), {"runs_by_launch"}),
}
#: What each database calls the indexes that it makes by itself.
OWN_INDEXES = {
    "sqlite_autoindex_runs_1": "run_id",
    "runs_run_id_key": "run_id",
    "INTEGER PRIMARY KEY": "id",
    "runs_pkey": "id",
}
OVERLAP_INDEXES = {"runs_waiting_by_lane", "runs_held_in_order", "runs_active_by_lane_version"}


def _steer(action: str, **fields: Any) -> Callable[[SqlStores, Run], object]:
    steering = Steering(**({"action": action, "by": "ops"} | fields))
    return lambda stores, run: stores.queue.steer(QueueFilter(run_ids=(run.run_id,)), steering, now=NOW).changed


def _add_another(stores: SqlStores, run: Run) -> object:
    rule = OverlapRule(job=run.job_name, policy="allow", max_queued=2 * RUNS)
    stores.limits.configure(Rules(overlaps=(rule,)))
    return stores.runs.add([new_run(job_name=run.job_name)], enqueue=True)


#: What is done about one run of the queue looks at no other than those that it concerns.
DONE: dict[str, tuple[Callable[[SqlStores, Run], object], set[str]]] = {
    "priority": (_steer("priority", priority=7), {"run_id", "id"}),
    "hold": (_steer("hold"), {"run_id", "id"}),
    "cancel": (_steer("cancel"), {"run_id", "id"}),
    "overtaken": (lambda stores, run: stores.queue.overtaken(run), {"runs_by_launch"}),
    "estimates": (lambda stores, _: stores.queue.estimates(), {"run_id"}),
    "overlap": (_add_another, OVERLAP_INDEXES),
}


@pytest.fixture
def new(stores: SqlStores) -> SqlStores:
    """Thousands of queued runs in 40 lanes and two priorities, some held, some that have finished."""
    for start in range(0, RUNS, 1000):
        new = [new_run(job_name=f"job{n % 40}{LONG}", priority=n % 2) for n in range(start, start + 1000)]
        runs = stores.runs.add(new, enqueue=True)
        won = claim(stores, *runs[:200])
        stores.runs.report([report(one, begin=True, end=RunStatus.SUCCESS) for one in won])
    steer(stores, enqueue(stores).run_id, "hold")
    return stores


@pytest.fixture
def filled(new: SqlStores) -> SqlStores:
    """The same once the database has looked at it."""
    tables = [table.name for table in metadata.sorted_tables if new.database.kind == "sqlite" or table is not counters]
    with new.database.write() as connection:
        # Not all at once: on PostgreSQL that is its own tables too, and a lock on each until the end.
        for table in tables:
            connection.exec_driver_sql(f"ANALYZE {table}")
    return new


@contextmanager
def _plans(stores: SqlStores) -> Iterator[list[str]]:
    """The plans of the statements about runs that are executed meanwhile."""
    found: list[str] = []
    lite = stores.database.kind == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if lite else "EXPLAIN"

    def before(
        connection: sa.Connection, _: object, statement: str, parameters: Any, __: object, several: bool
    ) -> None:
        if re.search(r"\bruns\b", statement) and not statement.startswith("INSERT"):
            one = parameters[0] if several else parameters
            rows = connection.connection.cursor().execute(f"{explain} {statement}", one).fetchall()
            found.append("\n".join(row[3] if lite else row[0] for row in rows))

    engines = [getattr(stores.database, name, None) for name in ("_reader", "_walker", "_writer", "_engine")]
    for engine in filter(None, engines):
        sa.event.listen(engine, "before_cursor_execute", before)
    try:
        yield found
    finally:
        for engine in filter(None, engines):
            sa.event.remove(engine, "before_cursor_execute", before)


def test_reads_walk_their_index(filled: SqlStores) -> None:
    for name, (read, indexes) in READS.items():
        with _plans(filled) as plans:
            assert read(filled.queue), name
        assert set(re.findall(r"\bruns_[a-z]\w+", plans[-1])) == indexes, plans[-1]
        assert not re.search(r"Seq Scan on runs|SCAN runs$|Sort  |TEMP B-TREE", plans[-1], re.MULTILINE), plans[-1]


@pytest.mark.parametrize("name", ["in_order", "in_order_deep", "lanes", "heads", "held", "queued"])
def test_the_leader_walks_its_indexes_before_the_database_has_looked(new: SqlStores, name: str) -> None:
    """PostgreSQL takes a queue without statistics for empty, all indexes for equal, and reads all of it for a lane."""
    read, indexes = READS[name]
    with _plans(new) as plans:
        assert read(new.queue)
    for plan in plans:
        assert set(re.findall(r"\bruns_[a-z]\w+", plan)) <= indexes | {"runs_waiting_by_lane"}, plan
        assert not re.search(r"Seq Scan on runs|SCAN runs$|Sort  |TEMP B-TREE", plan, re.MULTILINE), plan


def test_what_is_done_about_one_run_looks_up_what_it_concerns(filled: SqlStores) -> None:
    """Among thousands of runs no statement reads all, and what is sorted is what was found."""
    some = filled.queue.queued(limit=9)
    (won,) = claim(filled, enqueue(filled))
    filled.queue.expect([Estimate(won.run_id, NOW, NOW + 5.0)])
    names = "|".join(["runs_[a-z_]+", *OWN_INDEXES])
    for run, (name, (do, indexes)) in zip(some, DONE.items(), strict=False):
        with _plans(filled) as plans:
            assert do(filled, run), name
        used = {OWN_INDEXES.get(index, index) for plan in plans for index in re.findall(rf"\b({names})\b", plan)}
        assert used == indexes, (name, plans)
        for plan in plans:
            assert not re.search(r"Seq Scan on runs|SCAN runs(?! USING INDEX runs_(held|active)_)", plan), (name, plan)


def test_active_runs_of_a_tag_are_not_looked_for_among_all_that_ever_had_it(new: SqlStores) -> None:
    with _plans(new) as plans:
        assert new.runs.count(RunsFilter(statuses=tuple(ACTIVE), tags={"team": "docs"})) == 0
    assert plans
    assert "run_tags_by_value" not in "".join(plans)


def test_changes_of_many_lanes_are_read_and_forgotten_in_bounded_pieces(stores: SqlStores) -> None:
    new = [new_run(job_name=f"job{number}") for number in range(2500)]
    for start in range(0, len(new), 1000):
        stores.runs.add(new[start : start + 1000], enqueue=True)
    place, lanes = BEGINNING, []
    while page := stores.queue.changes(place, limit=700):
        assert len(page) <= 700
        lanes += [change.lane for change in page]
        place = page[-1].cursor
    assert len(lanes) == len(set(lanes)) == 2500
    deleted: list[int] = []

    def after(_: object, cursor: Any, statement: str, *rest: object) -> None:
        if statement.startswith("DELETE FROM queue_changes"):
            deleted.append(cursor.rowcount)

    engine = getattr(stores.database, "_writer", None) or stores.database._engine  # type: ignore[attr-defined]  # of either kind
    sa.event.listen(engine, "after_cursor_execute", after)
    stores.queue.forget_changes(place)
    sa.event.remove(engine, "after_cursor_execute", after)
    assert deleted == [1000, 1000, 500]
    assert stores.queue.changes(BEGINNING) == []


def test_history_reads_what_was_there_in_its_window(filled: SqlStores) -> None:
    with _plans(filled) as plans:
        assert len(filled.history.between(filled.database.clock.now() - 60, NOW * 2, limit=5)) == 5
    plan = plans[-1]
    assert "runs_by_end" in plan, plan
    assert not re.search(r"Seq Scan on runs|SCAN runs\b", plan), plan
