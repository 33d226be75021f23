"""What every executor does: begin steps as they become ready, and wait for what happens."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence

from ...core.error_info import error_info
from ...core.events import ErrorInfo
from ...core.run import RunFailure
from ...core.step import SlotsGranted, SlotsRefused, StepEnd, StepStatus
from ...definitions.config.executor_config import ExecutorSettings
from ...definitions.steps import Step
from ..attempt import Attempt
from ..errors import RunCancelled
from ..step_events import StepEvents
from ..step_host import StepHost
from .choice import choose
from .progress import Progress
from .slots import Slots


class Executor(ABC):
    """Has the steps of one attempt done. ``failures`` are why those failed that did, by key."""

    def __init__(self, attempt: Attempt, progress: Progress, settings: ExecutorSettings, host: StepHost | None) -> None:
        self._attempt, self._progress, self._settings, self._host = attempt, progress, settings, host
        self._clock = attempt.clock
        self._slots = Slots(host, dict(attempt.run.tags))
        self._steps = {step.key: step for step in attempt.job.steps}
        self.failures: dict[str, RunFailure] = {}
        #: A try was told to stop: it is not known what would have become of it.
        self._stopped_a_try = False

    def run(self) -> None:
        """Return once every step has ended or never will begin. Raises RunCancelled, with every step ended too."""
        try:
            self._tell_skips()
            while not self._progress.finished:
                if not self._begin_ready():
                    self._wait()
                self._tell_skips()
            self._raise_if_canceled()
        except RunCancelled as canceled:
            self._stop()
            for key in self._progress.between_tries():
                self._events(key).failed(error_info(canceled))
            raise

    def _raise_if_canceled(self) -> None:
        if self._stopped_a_try and self._attempt.canceled():
            raise RunCancelled

    # -- what differs --------------------------------------------------------------------------------------------

    @abstractmethod
    def _running(self) -> Sequence[Step]: ...

    @abstractmethod
    def _begin(self, step: Step) -> None:
        """Have one try done; ``_ended`` is called with how it ended, now or later."""

    @abstractmethod
    def _settled(self, step: Step) -> None:
        """The step will not be tried any more."""

    @abstractmethod
    def _stop(self) -> None:
        """End what is running, whatever it takes."""

    # -- the loop ------------------------------------------------------------------------------------------------

    def _begin_ready(self) -> bool:
        now = self._clock.monotonic()
        ready = self._progress.ready(now)
        moves = choose(ready, self._running(), self._slots.claims, self._settings, now)
        for key in moves.withdraw:
            self._slots.withdraw(key)
        for step in moves.claim:
            self._slots.ask(step, now)
        for step in moves.begin:
            self._progress.begin(step.key)
            self._slots.over(step.key)
            self._begin(step)
        return bool(moves.begin)

    def _wait(self) -> None:
        """Until something happens or a time comes that the next choice depends on."""
        now = self._clock.monotonic()
        times = [at for at in (self._progress.next_retry(), self._slots.patient_until(now)) if at is not None]
        timeout = max(0.0, min(times) - now) if times else None
        if self._host is not None:
            self._handle(self._host.next(timeout))
        else:
            # Nothing sets this event: a cancellation ends the wait by raising in it.
            self._clock.wait(threading.Event(), timeout or 0.0)

    def _handle(self, message: StepEnd | SlotsGranted | SlotsRefused | None) -> None:
        if isinstance(message, SlotsGranted):
            self._slots.granted(message.step_key)
        elif isinstance(message, SlotsRefused):
            self._refused(message)
        elif message is not None:
            self._ended(message)

    def _refused(self, refused: SlotsRefused) -> None:
        key = refused.step_key
        self._slots.over(key)
        self._fail(key, RunFailure("NeverAdmissible", refused.reason, key))

    def _ended(self, end: StepEnd) -> None:
        if end.status is StepStatus.SUCCESS:
            self._progress.succeeded(end.step_key, end.outputs)
        elif end.status is StepStatus.UP_FOR_RETRY:
            self._progress.again(end.step_key, self._clock.monotonic() + (end.retry_after or 0.0))
            return
        else:
            self._stopped_a_try = self._stopped_a_try or end.status is StepStatus.CANCELED
            self.failures[end.step_key] = end.failure or RunFailure("StepFailed", "It did not say why.", end.step_key)
            self._progress.failed(end.step_key)
        self._settled(self._steps[end.step_key])

    def _fail(self, key: str, failure: RunFailure) -> None:
        """The step fails, and nobody else says so."""
        self._events(key).failed(ErrorInfo(failure.error_class, failure.message))
        self._ended(StepEnd(step_key=key, number=0, status=StepStatus.FAILURE, failure=failure))

    def _tell_skips(self) -> None:
        for skip in self._progress.take_skips():
            self._events(skip.step.key).skipped(skip.why)
            self._settled(skip.step)

    def _events(self, key: str) -> StepEvents:
        return StepEvents(self._attempt.emitter, key)
