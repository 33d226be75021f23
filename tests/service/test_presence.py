"""Rows of serving processes: put at the start, taken away at the end, and those of the dead by whoever lives."""

from __future__ import annotations

import os
import socket

import msgspec
import pytest

from runyard.core.clock import ManualClock
from runyard.core.errors import StorageUnavailable
from runyard.core.process import ProcessRecord
from runyard.locations.processes import started_at
from runyard.operations.processes import serving
from runyard.service.presence import Presence
from runyard.storage.protocols import Stores


def record(process_id: str, clock: ManualClock, **fields: object) -> ProcessRecord:
    mine = ProcessRecord(
        process_id=process_id,
        command="runyard dev",
        machine=socket.gethostname(),
        pid=os.getpid(),
        pid_started=started_at(os.getpid()) or 0,
        home="/h",
        started_at=clock.now(),
        at=clock.now(),
        daemons=True,
    )
    return msgspec.structs.replace(mine, **fields)


def ids(stores: Stores, clock: ManualClock) -> list[str]:
    return [process.process_id for process in serving(stores, clock=clock)]


def test_a_process_is_there_from_its_start_to_its_end(sqlite_stores: Stores, clock: ManualClock) -> None:
    presence = Presence(sqlite_stores.processes, lambda: record("me", clock), clock=clock)
    presence.start()
    assert ids(sqlite_stores, clock) == ["me"]
    presence.end()
    assert sqlite_stores.processes.all() == []
    # What changes while it ends does not bring it back.
    presence.say()
    assert sqlite_stores.processes.all() == []


def test_the_dead_of_this_machine_are_forgotten_at_once(sqlite_stores: Stores, clock: ManualClock) -> None:
    sqlite_stores.processes.put(record("reused pid", clock, pid_started=1))
    sqlite_stores.processes.put(record("elsewhere", clock, machine="another"))
    assert ids(sqlite_stores, clock) == ["elsewhere"]
    presence = Presence(sqlite_stores.processes, lambda: record("me", clock), clock=clock)
    presence.step()
    assert [process.process_id for process in sqlite_stores.processes.all()] == ["elsewhere", "me"]
    clock.advance(16)
    assert ids(sqlite_stores, clock) == ["me"]
    presence.step()
    assert [process.process_id for process in sqlite_stores.processes.all()] == ["me"]


def test_storage_that_is_away_ends_nobody(
    sqlite_stores: Stores, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StorageUnavailable("gone")

    for method in ("put", "all", "remove"):
        monkeypatch.setattr(sqlite_stores.processes, method, away)
    presence = Presence(sqlite_stores.processes, lambda: record("me", clock), clock=clock)
    presence.step()
    presence.end()


def test_each_look_shows_who_lives(sqlite_stores: Stores, clock: ManualClock) -> None:
    sqlite_stores.processes.put(record("dead", clock, pid_started=1))
    sqlite_stores.processes.put(record("other", clock))
    seen: list[list[str]] = []
    presence = Presence(
        sqlite_stores.processes,
        lambda: record("me", clock),
        clock=clock,
        on_seen=lambda live: seen.append([process.process_id for process in live]),
    )
    presence.step()
    assert seen == [["me", "other"]]


def test_daemons_precede_pages_and_then_the_first_to_start(clock: ManualClock) -> None:
    pages = record("pages", clock, daemons=False)
    clock.advance(1)
    first = record("first", clock)
    clock.advance(1)
    second = record("second", clock)
    assert first.precedes(pages)
    assert first.precedes(second)
    assert not second.precedes(first)
    assert not pages.precedes(second)
