"""Steps one after the other, in the run's own process."""

from __future__ import annotations

from collections.abc import Sequence

from ...core.step import StepStatus
from ...definitions.steps import Step
from ..attempt import Attempt
from ..errors import RunCancelled
from ..resource_life import SharedResources
from ..step_host import StepHost
from ..step_try import Capture, StepTry
from ..values import ValuesInMemory
from .executor import Executor
from .progress import Progress


class InProcessExecutor(Executor):
    """One step at a time; one that waits for its retry or for slots holds up no other.

    ``errors`` are what the failed steps raised, by key.
    """

    def __init__(
        self,
        attempt: Attempt,
        progress: Progress,
        host: StepHost | None,
        *,
        values: ValuesInMemory,
        resources: SharedResources,
        capture: Capture,
    ) -> None:
        super().__init__(attempt, progress, attempt.settings._replace(max_concurrent=1, tag_limits=()), host)
        self._values, self._resources, self._capture = values, resources, capture
        self.errors: dict[str, BaseException] = {}

    def _running(self) -> Sequence[Step]:
        return ()

    def _begin_ready(self) -> bool:
        if self._host is not None:
            self._host.check()
        return super()._begin_ready()

    def _begin(self, step: Step) -> None:
        tries = self._progress.tries(step.key)
        one_try = StepTry(self._attempt, step, tries, self._values)
        resources = self._resources.for_try(step, tries)
        computed = one_try.compute(self._progress.given, resources, capture=self._capture)
        end = one_try.end_of(computed)
        one_try.tell(computed, end)
        if end.status is StepStatus.CANCELED:
            raise computed.error if isinstance(computed.error, RunCancelled) else RunCancelled
        if computed.error is None:
            self._values.remember(step, computed.outputs)
        elif end.status is StepStatus.FAILURE:
            self.errors[step.key] = computed.error
        self._ended(end)

    def _settled(self, step: Step) -> None:
        self._values.done_with(step)

    def _stop(self) -> None:
        """Nothing runs while the executor waits."""
