"""What a run worker's executor asks of the location's host."""

from __future__ import annotations

import queue

from ...core.clock import Clock
from ...core.run import RunFailure
from ...core.step import SlotsGranted, SlotsRefused, StepEnd, StepOrder, StepStatus
from ..messages import Answer, ClaimSlots, Granted, StartStep, StepEnded, StopSteps, WithdrawClaim
from .cancellation import Cancellation
from .link import HostLink

_Reply = Answer | StepEnded | Granted | None
_Event = StepEnd | SlotsGranted | SlotsRefused


class HostSteps:
    """``execution.step_host.StepHost`` over the conversation with the host. Belongs to the main thread.

    From the first step process on, a cancellation strikes in ``next`` and nowhere else, so that no step is forgotten.
    """

    def __init__(self, link: HostLink, cancellation: Cancellation, clock: Clock) -> None:
        self._link, self._cancellation, self._clock = link, cancellation, clock
        #: None: a signal came, look whether it is a cancellation.
        self._inbox: queue.SimpleQueue[tuple[int, _Event] | None] = queue.SimpleQueue()
        self._running: set[int] = set()
        #: By step, which claim counts: its number among all claims.
        self._claims: dict[str, int] = {}
        self._claimed = 0
        self._in_control = False

    def start(self, order: StepOrder) -> None:
        if not self._in_control:
            self._in_control = True
            self._cancellation.strike_only_when_told(lambda: self._inbox.put(None))
        self._running.add(order.number)

        def ended(reply: _Reply) -> None:
            end = reply.end if isinstance(reply, StepEnded) else _lost(order)
            self._inbox.put((order.number, end))

        self._link.request(StartStep(id=0, order=order), ended)

    def stop_all(self) -> frozenset[int]:
        with self._cancellation.shield():
            self._link.request(StopSteps(), _nothing)
        return frozenset(self._running)

    def claim(self, step_key: str, *, pool: str, slots: int, priority: int) -> None:
        self._claimed += 1
        number = self._claims[step_key] = self._claimed

        def answered(reply: _Reply) -> None:
            self._inbox.put((number, _slots(step_key, reply)))

        message = ClaimSlots(id=0, step_key=step_key, pool=pool, slots=slots, priority=priority)
        with self._cancellation.shield():
            self._link.request(message, answered)

    def withdraw(self, step_key: str) -> None:
        self._claims.pop(step_key, None)
        with self._cancellation.shield():
            self._link.request(WithdrawClaim(step_key=step_key), _nothing)

    def check(self) -> None:
        self._cancellation.strike_again()

    def next(self, timeout: float | None) -> _Event | None:
        until = None if timeout is None else self._clock.monotonic() + timeout
        while True:
            self._cancellation.strike()
            left = None if until is None else max(0.0, until - self._clock.monotonic())
            try:
                item = self._inbox.get(timeout=left)
            except queue.Empty:
                return None
            if item is not None and self._counts(*item):
                return item[1]

    def _counts(self, number: int, event: _Event) -> bool:
        """Note that the event is given out; False for the answer to a claim that was withdrawn."""
        if isinstance(event, StepEnd):
            self._running.discard(number)
            return True
        if self._claims.get(event.step_key) != number:
            return False
        del self._claims[event.step_key]
        return True


def _slots(step_key: str, reply: _Reply) -> SlotsGranted | SlotsRefused:
    if not isinstance(reply, Granted):
        return SlotsRefused(step_key=step_key, reason="The location's host is gone: nobody gives slots of pools.")
    if reply.error is not None:
        return SlotsRefused(step_key=step_key, reason=reply.error)
    return SlotsGranted(step_key=step_key)


def _lost(order: StepOrder) -> StepEnd:
    message = f"The host of step '{order.step_key}' is gone, and nobody knows what became of its process."
    failure = RunFailure("HostLost", message, order.step_key)
    return StepEnd(step_key=order.step_key, number=order.number, status=StepStatus.DIED, failure=failure)


def _nothing(_: _Reply) -> None:
    """The answer only says that the request need not be sent again."""
