"""Steps side by side, each try in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.events import ErrorInfo
from ...core.run import RunFailure
from ...core.step import StepEnd, StepOrder, StepStatus
from ...definitions.steps import Step
from ..attempt import Attempt
from ..retries import delay_by_policy
from ..step_host import StepHost
from .executor import Executor
from .progress import Progress


class MultiprocessExecutor(Executor):
    """Has up to ``max_concurrent`` steps done by processes of ``host``, which tell their own events.

    A step that waits for its retry has neither a process nor slots.
    """

    def __init__(self, attempt: Attempt, progress: Progress, host: StepHost) -> None:
        super().__init__(attempt, progress, attempt.settings, host)
        self._step_host = host
        self._by_number: dict[int, Step] = {}
        self._last_number = 0

    def _running(self) -> Sequence[Step]:
        return list(self._by_number.values())

    def _begin(self, step: Step) -> None:
        self._last_number += 1
        order = StepOrder(
            step_key=step.key,
            number=self._last_number,
            retry_number=self._progress.tries(step.key),
            outputs=self._progress.given_to(step),
        )
        self._by_number[order.number] = step
        self._events(step.key).worker_starting(order.number, order.retry_number)
        self._step_host.start(order)

    def _ended(self, end: StepEnd) -> None:
        self._by_number.pop(end.number, None)
        super()._ended(self._after_death(end) if end.status is StepStatus.DIED else end)

    def _settled(self, step: Step) -> None:
        """Values are not in this process."""

    def _after_death(self, end: StepEnd) -> StepEnd:
        """What the process did not live to say; a crash is a failed try like any other."""
        key, tries = end.step_key, self._progress.tries(end.step_key)
        failure = end.failure or RunFailure("StepWorkerDied", "Its process ended without a word.", key)
        error = ErrorInfo(failure.error_class, failure.message)
        delay = delay_by_policy(self._steps[key], tries) if self._settings.retries else None
        if delay is None or self._attempt.canceled():
            status = StepStatus.FAILURE if delay is None else StepStatus.CANCELED
            self._events(key).failed(error)
            return StepEnd(step_key=key, number=end.number, status=status, failure=failure)
        self._events(key).up_for_retry(error, delay, tries + 1)
        return StepEnd(
            step_key=key, number=end.number, status=StepStatus.UP_FOR_RETRY, failure=failure, retry_after=delay
        )

    def _stop(self) -> None:
        """The worker raises a cancellation once, so nothing interrupts the wait for those that are stopping."""
        waiting = set(self._step_host.stop_all())
        while waiting:
            message = self._step_host.next(None)
            if isinstance(message, StepEnd):
                waiting.discard(message.number)
                if message.status is StepStatus.UP_FOR_RETRY:
                    self._progress.again(message.step_key, self._clock.monotonic())
                if message.status is StepStatus.DIED:
                    failure = message.failure or RunFailure("StepWorkerDied", "Its process ended without a word.")
                    self._events(message.step_key).failed(ErrorInfo(failure.error_class, failure.message))
