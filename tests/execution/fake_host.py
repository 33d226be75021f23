"""A step host without processes: execute_step does the steps while the executor waits, in an order of the test's."""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Callable

from runyard.core.clock import ManualClock
from runyard.core.errors import ValueMissing, ValueNotStorable
from runyard.core.events import Event
from runyard.core.run import RunFailure
from runyard.core.step import SlotsGranted, SlotsRefused, StepEnd, StepOrder, StepStatus
from runyard.execution.run import execute_run
from runyard.execution.step import execute_step


class Sink:
    """Remembers events and which of them were waited for."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.waited: list[Event] = []

    def emit(self, event: Event, *, wait: bool = False) -> None:
        self.events.append(event)
        if wait:
            self.waited.append(event)

    def told(self, key=None):
        wanted = [event for event in self.events if event.type.value != "LOG" and key in (None, event.step_key)]
        return [event.type.value if key else (event.type.value, event.step_key) for event in wanted]

    def of(self, kind):
        return [event for event in self.events if event.type.value == kind]


class PickledValues:
    """A ValueStore in memory that tells what a file would."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], bytes] = {}

    def get(self, run_id, step_key, output):
        if (run_id, step_key, output) not in self.kept:
            raise ValueMissing(step_key, output, "it is not kept")
        return pickle.loads(self.kept[run_id, step_key, output])  # noqa: S301 - made below

    def has(self, run_id, step_key, output):
        return (run_id, step_key, output) in self.kept

    def put(self, run_id, step_key, output, value):
        try:
            self.kept[run_id, step_key, output] = pickle.dumps(value)
        except Exception as error:
            raise ValueNotStorable(step_key, output, type(value).__name__, str(error)) from error


class FakeHost:
    """``pools``: limit by pool; one that is not named has no limit. ``deaths``: numbers whose process dies."""

    def __init__(self, clock: ManualClock, pools=None, deaths=(), pick: Callable[[int], int] = lambda _: 0) -> None:
        self.clock, self.deaths, self.pick = clock, frozenset(deaths), pick
        self.limits, self.used = dict(pools or {}), Counter()
        self.holding: dict[str, tuple[str, int]] = {}
        self.waiting: list[tuple[int, str, str, int]] = []
        self.messages: deque = deque()
        self.orders: list[StepOrder] = []
        self.running: list[StepOrder] = []
        self.most_running = 0
        self.asked: list[tuple[str, str, int, int]] = []
        self.interrupt: BaseException | None = None
        self.stopped = False
        self.do: Callable[[StepOrder], StepEnd] = _end

    # -- what the executor calls --

    def start(self, order):
        self.orders.append(order)
        self.running.append(order)
        self.most_running = max(self.most_running, len(self.running))

    def stop_all(self):
        self.stopped = True
        return frozenset(order.number for order in self.running)

    def claim(self, step_key, *, pool, slots, priority):
        self.asked.append((step_key, pool, slots, priority))
        if slots > self.limits.get(pool, slots):
            self.messages.append(SlotsRefused(step_key=step_key, reason=f"'{pool}' has not so many."))
            return
        self.waiting.append((-priority, step_key, pool, slots))
        self.waiting.sort(key=lambda one: one[0])
        self.serve()

    def withdraw(self, step_key):
        self.messages = deque(one for one in self.messages if getattr(one, "step_key", None) != step_key)
        self.waiting = [one for one in self.waiting if one[1] != step_key]
        self.free(step_key)

    def check(self):
        if self.interrupt is not None:
            raise self.interrupt

    def next(self, timeout):
        if self.interrupt is not None and not self.stopped:
            raise self.interrupt
        if self.messages:
            return self.messages.popleft()
        if self.running:
            return self.finish(self.running.pop(self.pick(len(self.running))))
        assert timeout is not None, "the executor waits for nothing"
        self.clock.advance(timeout)
        return None

    # -- what becomes of it --

    def finish(self, order):
        end = _died(order) if order.number in self.deaths else self.do(order)
        self.free(order.step_key)
        return end

    def free(self, step_key):
        pool, slots = self.holding.pop(step_key, ("", 0))
        self.used[pool] -= slots
        self.serve()

    def serve(self):
        for one in list(self.waiting):
            _, step_key, pool, slots = one
            if self.used[pool] + slots <= self.limits.get(pool, 10**6):
                self.waiting.remove(one)
                self.used[pool] += slots
                self.holding[step_key] = (pool, slots)
                self.messages.append(SlotsGranted(step_key=step_key))


def _end(order):
    return StepEnd(step_key=order.step_key, number=order.number, status=StepStatus.SUCCESS)


def _died(order):
    failure = RunFailure("WorkerKilled", "The process of the step was killed by SIGKILL.", order.step_key)
    return StepEnd(step_key=order.step_key, number=order.number, status=StepStatus.DIED, failure=failure)


def run_with(job, host, *, sink=None, values=None, **more):
    """execute_run, its steps by execute_step where ``host`` is asked for processes."""
    sink, values = sink or Sink(), values if values is not None else PickledValues()
    same = {
        "run_id": "r1",
        "attempt": 2,
        "run_config": more.pop("run_config", {}),
        "tags": more.pop("tags", {}),
        "sink": sink,
        "clock": host.clock,
        "values": values,
    }
    host.do = lambda order: execute_step(job, order, **same)
    return execute_run(job, host=host, **same, **more)
