"""Parts of step processes that need no process."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runyard.core.clock import SystemClock
from runyard.core.errors import NeverAdmissible, StorageUnavailable
from runyard.core.events import Event, EventType
from runyard.core.launch import WorkerReport
from runyard.core.pools import PoolHolder
from runyard.core.run import RunFailure
from runyard.core.step import SlotsGranted, SlotsRefused, StepEnd, StepOrder, StepStatus, first_seq
from runyard.execution.errors import RunCancelled
from runyard.locations.framing import FrameBuffer, frame
from runyard.locations.host import slots as host_slots
from runyard.locations.host.committer import Committer
from runyard.locations.host.loop import Loop
from runyard.locations.host.slots import StepSlots
from runyard.locations.host.step_worker import heard_of
from runyard.locations.messages import (
    Answer,
    ClaimSlots,
    FromWorker,
    GivenUp,
    Granted,
    Hello,
    StartStep,
    StepEnded,
    StopSteps,
    WithdrawClaim,
)
from runyard.locations.worker.cancellation import Cancellation
from runyard.locations.worker.link import HostLink
from runyard.locations.worker.step_host import HostSteps
from runyard.queue.pool_wait import PoolWait
from runyard.queue.rules import Pause

ORDER = StepOrder(step_key="a", number=2)


# -- what a step process's events tell ----------------------------------------------------------------------------


def event(kind: EventType, place: int, *, number: int = 2, attempt: int = 1, **data: Any) -> Event:
    return Event(
        run_id="r",
        type=kind,
        timestamp=0.0,
        attempt=attempt,
        seq=first_seq(number) + place,
        step_key="a",
        data=data,
    )


def test_nothing_is_heard_of_a_process_that_never_began() -> None:
    assert heard_of([event(EventType.STEP_START, 1, number=1)], ORDER, 1) == (False, None)
    assert heard_of([event(EventType.STEP_START, 1, attempt=2)], ORDER, 1) == (False, None)


def test_a_process_that_began_and_did_not_end_is_told_apart() -> None:
    assert heard_of([event(EventType.STEP_START, 1)], ORDER, 1) == (True, None)


def test_success_names_the_outputs_of_that_process_alone() -> None:
    events = [
        event(EventType.STEP_OUTPUT, 1, number=1, output_name="old"),
        event(EventType.STEP_START, 1),
        event(EventType.STEP_OUTPUT, 2, output_name="new"),
        event(EventType.STEP_SUCCESS, 3),
    ]
    end = heard_of(events, ORDER, 1).end
    assert end == StepEnd(step_key="a", number=2, status=StepStatus.SUCCESS, outputs=("new",))


def test_failure_and_the_wait_for_the_next_try_are_read_back() -> None:
    error = {"class_name": "ValueError", "message": "no"}
    failure = RunFailure("ValueError", "no", "a", by_step=True)
    failed = heard_of([event(EventType.STEP_FAILURE, 1, error=error)], ORDER, 1).end
    assert failed == StepEnd(step_key="a", number=2, status=StepStatus.FAILURE, failure=failure)
    again = heard_of([event(EventType.STEP_UP_FOR_RETRY, 1, error=error, seconds_to_wait=3)], ORDER, 1).end
    assert again is not None
    assert (again.status, again.retry_after) == (StepStatus.UP_FOR_RETRY, 3.0)


# -- the worker's requests ------------------------------------------------------------------------------------------


class Peer:
    """A host at the other end of a socket."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self._frames = FrameBuffer()
        self._read: list[FromWorker] = []

    def take(self) -> FromWorker:
        while not self._read:
            data = self.end.recv(65536)
            assert data, "the worker hung up"
            self._read = [msgspec.msgpack.decode(one, type=FromWorker) for one in self._frames.feed(data)]
        return self._read.pop(0)

    def say(self, message: msgspec.Struct) -> None:
        self.end.sendall(frame(msgspec.msgpack.encode(message)))


class Worker:
    """A run worker's side, with a socket where the next host may listen."""

    def __init__(self, place: Path) -> None:
        self.path = str(place / "s")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        ours, theirs = socket.socketpair()
        self.host, self.end = Peer(ours), theirs
        self.over: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.cancellation = Cancellation()
        self.link = HostLink(
            theirs,
            SystemClock(),
            path=self.path,
            patience=0.1,
            hello=Hello(run_id="r", attempt=1, pid=1),
            on_request=print,
            on_over=self.over.put,
        )
        self.link.start()
        self.steps = HostSteps(self.link, self.cancellation, SystemClock())

    def next_host(self) -> Peer:
        self.host.end.close()
        self.host = Peer(self.listener.accept()[0])
        return self.host

    def close(self) -> None:
        self.listener.close()
        self.host.end.close()
        self.over.get(timeout=30)
        self.end.close()
        self.link._host.close()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    made = Worker(tmp_path)
    yield made
    made.close()


def ended(message: FromWorker) -> StepEnded:
    assert isinstance(message, StartStep)
    order = message.order
    return StepEnded(
        id=message.id, end=StepEnd(step_key=order.step_key, number=order.number, status=StepStatus.SUCCESS)
    )


def test_ends_and_grants_come_in_the_order_in_which_the_host_says_them(worker: Worker) -> None:
    worker.steps.start(ORDER)
    worker.steps.claim("b", pool="p", slots=1, priority=0)
    start, claim = worker.host.take(), worker.host.take()
    assert isinstance(claim, ClaimSlots)
    worker.host.say(Granted(id=claim.id))
    worker.host.say(ended(start))
    assert worker.steps.next(30) == SlotsGranted(step_key="b")
    end = worker.steps.next(30)
    assert isinstance(end, StepEnd)
    assert end.number == 2
    assert worker.steps.next(0) is None


def test_a_refused_claim_says_why(worker: Worker) -> None:
    worker.steps.claim("b", pool="p", slots=9, priority=0)
    claim = worker.host.take()
    assert isinstance(claim, ClaimSlots)
    worker.host.say(Granted(id=claim.id, error="Too many."))
    assert worker.steps.next(30) == SlotsRefused(step_key="b", reason="Too many.")


def test_the_answer_to_a_withdrawn_claim_is_not_given_out(worker: Worker) -> None:
    worker.steps.claim("b", pool="p", slots=1, priority=0)
    claim = worker.host.take()
    assert isinstance(claim, ClaimSlots)
    worker.steps.withdraw("b")
    worker.host.say(Granted(id=claim.id))
    worker.steps.start(ORDER)
    withdrawn, start = worker.host.take(), worker.host.take()
    assert isinstance(withdrawn, WithdrawClaim)
    worker.host.say(ended(start))
    assert isinstance(worker.steps.next(30), StepEnd)


def test_what_was_not_answered_is_asked_of_the_next_host_and_named_in_its_hello(worker: Worker) -> None:
    worker.steps.start(ORDER)
    worker.steps.start(StepOrder(step_key="c", number=3))
    worker.steps.claim("b", pool="p", slots=1, priority=0)
    first, second, claim = worker.host.take(), worker.host.take(), worker.host.take()
    worker.host.say(ended(first))
    assert isinstance(worker.steps.next(30), StepEnd)
    again = worker.next_host()
    hello = again.take()
    assert isinstance(hello, Hello)
    assert isinstance(second, StartStep)
    assert isinstance(claim, ClaimSlots)
    assert hello.pending == (second.id, claim.id)
    assert [again.take(), again.take()] == [second, claim]


def test_a_cancellation_strikes_in_next_and_takes_no_message_away(worker: Worker) -> None:
    worker.steps.start(ORDER)
    start = worker.host.take()
    worker.cancellation._on_signal(15, None)
    worker.host.say(ended(start))
    with pytest.raises(RunCancelled):
        worker.steps.next(30)
    assert worker.steps.stop_all() == {2}
    assert isinstance(worker.host.take(), StopSteps)
    assert isinstance(worker.steps.next(30), StepEnd)
    assert worker.steps.stop_all() == frozenset()


def test_when_the_attempt_is_given_up_on_nobody_waits_for_an_answer(worker: Worker) -> None:
    worker.steps.start(ORDER)
    worker.host.take()
    worker.host.say(GivenUp(reason="over"))
    end = worker.steps.next(30)
    assert isinstance(end, StepEnd)
    assert end.status is StepStatus.DIED
    assert worker.over.get(timeout=30) == "over"
    worker.over.put("over")
    worker.steps.claim("b", pool="p", slots=1, priority=0)
    assert isinstance(worker.steps.next(30), SlotsRefused)


# -- slots in the host ------------------------------------------------------------------------------------------------


class Pool:
    """Storage with one pool; ``granted`` are the steps that may have slots."""

    def __init__(self) -> None:
        self.granted: set[str] = set()
        self.asked: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.freed: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.limit, self.pause = 1, None
        self.broken: list[Exception] = []

    def claim(self, _run_id: str, step_key: str, **_: Any) -> bool:
        try:
            if self.broken:
                raise self.broken.pop()
            return step_key in self.granted
        finally:
            self.asked.put(step_key)

    def free(self, _run_id: str, step_key: str, **_: Any) -> None:
        if self.broken:
            raise self.broken.pop()
        self.freed.put(step_key)

    def waits(self, _run_id: str, *, now: float) -> list[PoolWait]:
        holder = PoolHolder("p", "01c73242-aaaa", "x", 1, 1, 0.0)
        rest: dict[str, Any] = {"pool": "p", "slots": 1, "used": 1, "holders": (holder,), "pause": self.pause}
        return [PoolWait(step_key=key, limit=self.limit, **rest) for key in ("a", "b") if key not in self.granted]

    def holders(self, _pools: Any) -> list[PoolHolder]:
        return [PoolHolder("p", "r", key, 1, 1, 0.0) for key in self.granted]


class RunOf:
    """A run's worker; ``told`` is what it was sent."""

    run_id, attempt, key = "r", 1, ("r", 1)

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def send(self, message: Any) -> None:
        self.told.put(message)


class Nobody:
    def __init__(self) -> None:
        self.topics: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()

    def report(self, reports: list[WorkerReport]) -> list[bool]:
        for event in (event for report in reports for event in report.events):
            self.events.put(event)
        return [True for _ in reports]

    def poke(self, topic: str) -> None:
        self.topics.put(topic)

    def committed(self, last_id: int, report: WorkerReport, *, accepted: bool) -> None: ...


class Slots:
    def __init__(self) -> None:
        clock = SystemClock()
        self.pool, self.run = Pool(), RunOf()
        self.loop = Loop(clock)
        self.others = Nobody()
        self.committer = Committer(self.others, self.others, clock)  # type: ignore[arg-type]
        self.slots = StepSlots(self.loop, self.committer, self.pool, self.others, clock)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self.loop.run)
        self._thread.start()
        self.committer.start()

    def claim(self, step_key: str, number: int = 1) -> None:
        message = ClaimSlots(id=number, step_key=step_key, pool="p", slots=1, priority=0)
        self.do(lambda: self.slots.claim(self.run, message))  # type: ignore[arg-type]

    def withdraw(self, step_key: str) -> None:
        self.do(lambda: self.slots.withdraw(self.run, WithdrawClaim(id=9, step_key=step_key)))  # type: ignore[arg-type]

    def do(self, action: Callable[[], object]) -> None:
        self.loop.call(action)

    def close(self) -> None:
        self.slots.close()
        self.committer.stop()
        self.loop.stop()
        self._thread.join()


@pytest.fixture
def slots(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(host_slots, "ASK_AGAIN", 0.05)
    made = Slots()
    yield made
    made.close()


def test_a_claim_is_answered_at_once_or_when_something_moved(slots: Slots) -> None:
    slots.pool.granted = {"a"}
    slots.claim("a")
    assert slots.run.told.get(timeout=30) == Granted(id=1)
    slots.claim("b", 2)
    slots.pool.asked.get(timeout=30)
    slots.pool.asked.get(timeout=30)
    slots.pool.granted = {"a", "b"}
    slots.slots.hint("queue")
    assert slots.run.told.get(timeout=30) == Granted(id=2)


def test_a_claim_is_asked_again_also_without_a_hint_and_after_an_outage(slots: Slots) -> None:
    slots.pool.broken = [StorageUnavailable("not now")]
    slots.claim("a")
    slots.pool.asked.get(timeout=30)
    slots.pool.granted = {"a"}
    assert slots.run.told.get(timeout=30) == Granted(id=1)


def test_a_claim_that_can_never_be_granted_says_why(slots: Slots) -> None:
    slots.pool.broken = [NeverAdmissible("Step 'a'", 9, "pool 'p'", 1)]
    slots.claim("a")
    told = slots.run.told.get(timeout=30)
    assert "takes 9 slots of pool 'p'" in told.error


def test_what_a_step_still_holds_of_the_try_before_is_no_answer(slots: Slots) -> None:
    slots.pool.granted = {"a"}
    # Not asked of storage yet: the committer has not come to what was reported before.
    gate = threading.Event()
    slots.committer.after(gate.wait)
    slots.claim("a")
    slots.slots.hint("queue")
    slots.do(lambda: slots.slots._thread.submit(lambda: None).result(30))
    slots.pool.granted = set()
    gate.set()
    slots.pool.asked.get(timeout=30)
    assert slots.run.told.empty()


def test_why_a_step_waits_is_said_once_and_again_when_a_person_changes_it(slots: Slots) -> None:
    slots.claim("a")
    first = slots.others.events.get(timeout=30)
    assert (first.run_id, first.step_key, first.data["waiting_for_pool"]) == ("r", "a", "p")
    assert first.data["waited"] >= host_slots.TOLD_AFTER
    assert first.message == ("Step 'a' waits for 1 slot of pool 'p': 1 of 1 in use, held by run 01c73242 step 'x'.")
    for _ in range(3):
        slots.pool.asked.get(timeout=30)
    slots.pool.limit = 0
    closed = slots.others.events.get(timeout=30)
    assert closed.message.endswith("of pool 'p': its limit is 0, so no step gets a slot until that is raised.")
    slots.pool.pause = Pause(scope="pool", name="p", by="ann", since=0.0)
    assert slots.others.events.get(timeout=30).message.endswith("of pool 'p': it is paused by ann.")


def test_a_step_that_waits_for_a_moment_is_not_worth_a_word(slots: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_slots, "TOLD_AFTER", 3600.0)
    slots.claim("a")
    for _ in range(3):
        slots.pool.asked.get(timeout=30)
    slots.pool.granted = {"a"}
    assert slots.run.told.get(timeout=30) == Granted(id=1)
    assert slots.others.events.empty()


def test_a_withdrawn_claim_is_freed_however_often_that_takes_and_not_asked_any_more(slots: Slots) -> None:
    slots.claim("a")
    slots.pool.asked.get(timeout=30)
    slots.pool.broken = [StorageUnavailable("not now")]
    slots.withdraw("a")
    assert slots.pool.freed.get(timeout=30) == "a"
    assert slots.run.told.get(timeout=30) == Answer(id=9)
    assert slots.others.topics.get(timeout=30) == "queue"


def test_the_end_of_a_step_of_a_run_that_asked_for_slots_is_told_to_whoever_waits() -> None:
    everybody = Nobody()
    committer = Committer(everybody, everybody, SystemClock())  # type: ignore[arg-type]
    committer.claimants.add("r")
    for run_id in ("r", "other"):
        one = Event(run_id=run_id, type=EventType.STEP_SUCCESS, timestamp=0.0)
        report = WorkerReport(run_id=run_id, attempt=1, events=(one,))
        committer._tell([report])
    found = [everybody.topics.get_nowait() for _ in range(3)]
    assert found == ["runs", "queue", "runs"]


def test_a_host_that_cannot_be_understood_ends_the_conversation(worker: Worker) -> None:
    answers: queue.SimpleQueue[object] = queue.SimpleQueue()
    worker.link.request(StopSteps(), answers.put)
    worker.host.take()
    worker.host.end.sendall(frame(msgspec.msgpack.encode({"type": "News"})))
    assert answers.get(timeout=10) is None
    reason = worker.over.get(timeout=10)
    assert "cannot be understood" in reason
    worker.over.put(reason)  # for the fixture
