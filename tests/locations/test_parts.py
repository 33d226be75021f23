"""Parts that need no process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runyard.core.clock import SystemClock
from runyard.core.errors import StorageUnavailable
from runyard.core.events import Event, EventType
from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.run import RunStatus
from runyard.locations.framing import LONGEST, BrokenFrame, FrameBuffer, frame
from runyard.locations.host.committer import Committer
from runyard.locations.host.loop import Loop, LoopEnded
from runyard.locations.host.tick_pool import TickPool
from runyard.locations.messages import Report
from runyard.locations.processes import exit_in_words, is_alive, started_at


@given(st.lists(st.binary(max_size=50)), st.integers(1, 20))
def test_messages_arrive_whole_however_they_are_cut(messages: list[bytes], piece: int) -> None:
    stream = b"".join(frame(message) for message in messages)
    buffer = FrameBuffer()
    found = [
        message for start in range(0, len(stream), piece) for message in buffer.feed(stream[start : start + piece])
    ]
    assert found == messages


def test_an_impossible_length_is_refused() -> None:
    with pytest.raises(BrokenFrame):
        FrameBuffer().feed((LONGEST + 1).to_bytes(4, "big"))


def test_exit_statuses_in_words() -> None:
    assert exit_in_words(-11) == "was killed by signal 11 (SIGSEGV)"
    assert exit_in_words(3) == "ended with exit code 3"


def test_a_process_is_told_from_another_with_its_pid() -> None:
    started = started_at(os.getpid())
    assert started is not None
    assert is_alive(os.getpid(), started)
    assert not is_alive(os.getpid(), started + 1)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert started_at(child.pid) is None


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("runyard.locations.zygote.zygote", ["sqlalchemy", "grpc", "fastapi", "alembic", "watchfiles"]),
        ("runyard.locations.host.__main__", ["fastapi", "alembic", "watchfiles", "pydantic.v1"]),
    ],
)
def test_processes_import_only_what_they_need(module: str, heavy: list[str]) -> None:
    code = f"import {module}, sys; print([name for name in {heavy!r} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


class Runs:
    """Storage that fails as it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[WorkerReport]] = []
        self.unavailable = 0

    def report(self, reports: list[WorkerReport]) -> list[bool]:
        if self.unavailable:
            self.unavailable -= 1
            raise StorageUnavailable("not now")
        if any(event.message == "bad" for report in reports for event in report.events):
            raise ValueError("cannot be stored")
        self.batches.append(reports)
        return [report.attempt == 1 for report in reports]


class Wakeups:
    def __init__(self) -> None:
        self.topics: list[str] = []

    def poke(self, topic: str) -> None:
        self.topics.append(topic)


class Reporter:
    def __init__(self) -> None:
        self.acks: list[tuple[int, bool]] = []
        self.told = threading.Semaphore(0)

    def committed(self, last_id: int, report: WorkerReport, *, accepted: bool) -> None:
        self.acks.append((last_id, accepted))
        self.told.release()


def message(number: int, text: str = "", *, run: str = "a", attempt: int = 1, urgent: bool = False) -> Report:
    event = Event(run_id=run, type=EventType.LOG, timestamp=1.0, seq=number, message=text)
    return Report(id=number, report=WorkerReport(run_id=run, attempt=attempt, events=(event,)), urgent=urgent)


def test_reports_of_a_worker_are_joined_and_acknowledged_once() -> None:
    runs, one, two = Runs(), Reporter(), Reporter()
    committer = Committer(runs, Wakeups(), SystemClock())  # type: ignore[arg-type]  # the one method that it calls
    committer.add(one, message(1))
    committer.add(two, message(1, run="b", attempt=2))
    end = message(2, urgent=True)
    committer.add(
        one,
        msgspec.structs.replace(end, report=msgspec.structs.replace(end.report, end=RunEnd(status=RunStatus.SUCCESS))),
    )
    committer.start()
    committer.stop()
    [batch] = runs.batches
    assert [[event.seq for event in report.events] for report in batch] == [[1, 2], [1]]
    assert batch[0].end is not None
    assert (one.acks, two.acks) == ([(2, True)], [(1, False)])


def test_storage_that_is_away_for_a_while_loses_nothing() -> None:
    runs, reporter = Runs(), Reporter()
    runs.unavailable = 2
    committer = Committer(runs, Wakeups(), SystemClock())  # type: ignore[arg-type]  # the one method that it calls
    committer.start()
    committer.add(reporter, message(1, urgent=True))
    assert reporter.told.acquire(timeout=10)
    committer.stop()
    assert reporter.acks == [(1, True)]


def test_an_action_waits_for_storage_that_is_away() -> None:
    tried, done = [], threading.Event()

    def settle() -> None:
        tried.append(1)
        if len(tried) < 3:
            raise StorageUnavailable("not now")
        done.set()

    committer = Committer(Runs(), Wakeups(), SystemClock())  # type: ignore[arg-type]  # the one method that it calls
    committer.start()
    committer.after(settle)
    assert done.wait(10)
    committer.stop()
    assert len(tried) == 3


@pytest.mark.parametrize("fields", [{"begin": "token"}, {"end": RunEnd(status=RunStatus.SUCCESS)}])
def test_a_begin_and_an_end_wake_the_queue(fields: dict[str, Any]) -> None:
    wakeups, reporter = Wakeups(), Reporter()
    committer = Committer(Runs(), wakeups, SystemClock())  # type: ignore[arg-type]  # the one method that it calls
    committer.add(reporter, message(1))
    committer.start()
    assert reporter.told.acquire(timeout=10)
    assert "queue" not in wakeups.topics
    report = WorkerReport(run_id="a", attempt=1, **fields)
    committer.add(reporter, Report(id=2, report=report, urgent=True))
    committer.stop()
    assert "queue" in wakeups.topics


def test_report_that_cannot_be_stored_costs_the_others_nothing() -> None:
    runs, good, bad = Runs(), Reporter(), Reporter()
    committer = Committer(runs, Wakeups(), SystemClock())  # type: ignore[arg-type]  # the one method that it calls
    committer.add(good, message(1))
    committer.add(bad, message(1, "bad", run="b"))
    committer.start()
    committer.stop()
    stored = [report.run_id for batch in runs.batches for report in batch]
    assert sorted(stored) == ["a", "b"]
    assert (good.acks, bad.acks) == ([(1, True)], [(1, True)])


def test_actions_run_after_what_was_reported_before_them() -> None:
    runs, reporter = Runs(), Reporter()
    committer = Committer(runs, Wakeups(), SystemClock())  # type: ignore[arg-type]  # the one method that it calls
    seen: list[int] = []
    committer.add(reporter, message(1))
    committer.after(lambda: seen.append(len(runs.batches)))
    committer.start()
    committer.stop()
    assert seen == [1]


class NotingLoop(Loop):
    """Tells when something was asked of it."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.asked = threading.Event()

    def soon(self, action: Callable[[], object]) -> None:
        super().soon(action)
        self.asked.set()


def test_a_loop_that_has_ended_refuses_calls_and_answers_those_under_way() -> None:
    loop = NotingLoop()
    loop.stop()
    # Runs in the loop's last round: what is asked meanwhile comes too late for it.
    loop.soon(lambda: (asking.start(), loop.asked.wait(10)))
    loop.asked.clear()
    refused: list[str] = []

    def ask() -> None:
        with pytest.raises(LoopEnded) as caught:
            loop.call(lambda: None)
        refused.append(str(caught.value))

    asking = threading.Thread(target=ask)
    loop.run()
    asking.join(10)
    ask()
    assert refused == ["The host has ended."] * 2


def test_an_evaluation_asked_of_a_host_that_has_ended_is_refused() -> None:
    loop = Loop(SystemClock())
    loop.stop()
    loop.run()
    pool = TickPool(loop, lambda then: None, ticks_per_worker=1, on_query=lambda connection, query: None)
    with pytest.raises(LoopEnded):
        pool.validate("job", {}, timeout=60)
