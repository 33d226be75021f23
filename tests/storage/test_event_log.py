"""Readers follow the log in commit order and never miss a row."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from runyard.core.clock import ManualClock
from runyard.core.events import BEGINNING, Cursor, StoredEvent
from runyard.core.launch import WorkerReport
from runyard.settings.instance import PostgresSettings
from runyard.storage.journal import change as queue_change
from runyard.storage.journal import write_changes, write_events
from runyard.storage.open import SqlStores, open_stores

from .make import enqueue, log, started


def _messages(events: object) -> list[str]:
    assert isinstance(events, list)
    return [stored.event.message for stored in events]


def test_pages_of_a_run_follow_each_other(stores: SqlStores) -> None:
    won, other = started(stores), started(stores)
    for run in (won, other):
        lines = tuple(log(run.run_id, seq, f"line {seq}") for seq in range(25))
        stores.runs.report([WorkerReport(run_id=run.run_id, attempt=1, events=lines)])
    found: list[StoredEvent] = []
    place = BEGINNING
    while page := stores.events.of_run(won.run_id, after=place, limit=7):
        found.extend(page)
        place = page[-1].cursor
    assert _messages(found)[4:] == [f"line {seq}" for seq in range(25)]
    assert {stored.event.run_id for stored in found} == {won.run_id}
    assert len(stores.events.since(BEGINNING)) == 2 * len(found)


def test_from_the_head_on_only_what_is_new(stores: SqlStores) -> None:
    enqueue(stores)
    head = stores.events.head()
    assert stores.events.since(head) == []
    run = enqueue(stores)
    (new,) = stores.events.since(head)
    assert new.event.run_id == run.run_id
    assert new.cursor > head
    assert Cursor.decode(new.cursor.encode()) == new.cursor


def test_ids_do_not_come_again(stores: SqlStores) -> None:
    run = enqueue(stores)
    last = stores.events.of_run(run.run_id)[-1].cursor
    stores.runs.cancel_waiting(run.run_id, message="m", now=0.0)
    stores.runs.delete(run.run_id)
    assert stores.events.since(BEGINNING) == []
    enqueue(stores)
    assert stores.events.since(BEGINNING)[0].cursor > last


@pytest.fixture
def two_writers(postgres_stores: SqlStores) -> Iterator[tuple[threading.Event, threading.Thread]]:
    """A transaction that has written first and commits when told to."""
    written, go = threading.Event(), threading.Event()

    def write() -> None:
        with postgres_stores.database.write() as connection:
            write_events(postgres_stores.database, connection, [log("slow", None, "lower id, later commit")])
            write_changes(postgres_stores.database, connection, [queue_change("lane", lane="slow")])
            written.set()
            go.wait(20)

    thread = threading.Thread(target=write)
    thread.start()
    assert written.wait(20)
    yield go, thread
    go.set()
    thread.join(20)


def test_a_lower_id_that_commits_later_is_not_missed(
    postgres_stores: SqlStores, two_writers: tuple[threading.Event, threading.Thread]
) -> None:
    stores, (go, thread) = postgres_stores, two_writers
    events_head, changes_head = stores.events.head(), stores.queue.change_head()
    run = enqueue(stores)
    assert stores.events.since(events_head) == []
    assert stores.queue.changes(changes_head) == []
    go.set()
    thread.join(20)
    assert _messages(stores.events.since(events_head)) == ["lower id, later commit", "Enqueued."]
    assert [change.lane for change in stores.queue.changes(changes_head)] == ["slow", run.lane]
    assert stores.events.since(events_head)[0].cursor.id < stores.events.since(events_head)[1].cursor.id


def test_a_reader_between_two_commits_gets_both(
    postgres_stores: SqlStores, two_writers: tuple[threading.Event, threading.Thread]
) -> None:
    stores, (go, thread) = postgres_stores, two_writers
    enqueue(stores)
    place, found = BEGINNING, list[StoredEvent]()
    for step in (lambda: None, go.set, lambda: thread.join(20)):
        step()
        page = stores.events.since(place, limit=1)
        found.extend(page)
        place = page[-1].cursor if page else place
    found.extend(stores.events.since(place))
    assert _messages(found) == ["lower id, later commit", "Enqueued."]


def test_rows_restored_from_another_server_are_readable(
    postgres_stores: SqlStores, postgres_settings: PostgresSettings, runtime_dir: str
) -> None:
    run = enqueue(postgres_stores)
    with postgres_stores.database.write() as connection:
        connection.exec_driver_sql("UPDATE events SET txn = txn + 1000000000")
    assert postgres_stores.events.of_run(run.run_id) == []
    again = open_stores(postgres_settings, ManualClock(), runtime_dir=runtime_dir)
    later = enqueue(again)
    assert [stored.event.run_id for stored in again.events.since(BEGINNING)] == [run.run_id, later.run_id]
    again.close()


def test_long_transactions_of_other_applications_hold_nobody_up(
    postgres_stores: SqlStores, postgres_settings: PostgresSettings
) -> None:
    with psycopg.connect(postgres_settings.url) as theirs:
        theirs.execute("CREATE TEMPORARY TABLE long_report (id INTEGER)")
        theirs.execute("INSERT INTO long_report VALUES (1)")
        run = enqueue(postgres_stores)
        assert [stored.event.run_id for stored in postgres_stores.events.since(BEGINNING)] == [run.run_id]
        assert [change.lane for change in postgres_stores.queue.changes(BEGINNING)] == [run.lane]
