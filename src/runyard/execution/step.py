"""One try of one step in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..core.clock import Clock
from ..core.error_info import error_info
from ..core.errors import InvalidRunConfig, NotFound
from ..core.step import StepEnd, StepOrder, StepStatus, first_seq
from ..definitions.config.job_config import resolve_step_config
from ..definitions.engine import InstanceClient
from ..definitions.job import JobDefinition
from ..definitions.steps import Step
from .attempt import Attempt, never, run_of
from .emitter import Emitter
from .errors import RunCancelled
from .log import lines_go_to
from .resource_life import step_resources
from .retries import failure_of
from .sink import EventSink
from .step_events import StepEvents
from .step_try import StepTry
from .value_store import ValueStore
from .values import Values


def execute_step(
    job: JobDefinition,
    order: StepOrder,
    *,
    run_id: str,
    attempt: int,
    run_config: Mapping[str, Any] | None,
    tags: Mapping[str, str],
    sink: EventSink,
    clock: Clock,
    values: ValueStore,
    instance: InstanceClient | None = None,
    canceled: Callable[[], bool] = never,
) -> StepEnd:
    """Do what ``order`` says and tell how it ended; all of the step's events are committed by then.

    Only the resources that the step needs are opened, after it is committed that it has started, and taken down before
    its end is told. User errors end up in the result, and so does a cancellation. Parameters are those of
    ``execute_run``.
    """
    emitter = Emitter(sink, clock, run_id, attempt, after=first_seq(order.number))
    execution = _StepExecution(order, emitter)
    try:
        with lines_go_to(emitter.line_taker(order.step_key)):
            step = _step(job, order.step_key)
            config = resolve_step_config(job, run_config, step.path)
            inputs = {**config.get("inputs", {}), **job.input_values}
            run = run_of(job, run_id, run_config, tags)
            shared = Attempt(job, run, config, inputs, emitter, clock, instance, canceled)
            return execution.execute(step, shared, values)
    except (InvalidRunConfig, NotFound, RunCancelled) as error:
        return execution.end or execution.failed(error)


class _StepExecution:
    """``end`` is set as soon as the step's last event is handed over: a cancellation after that changes nothing."""

    def __init__(self, order: StepOrder, emitter: Emitter) -> None:
        self._order, self._emitter = order, emitter
        self.end: StepEnd | None = None

    def execute(self, step: Step, attempt: Attempt, store: ValueStore) -> StepEnd:
        one_try = StepTry(attempt, step, self._order.retry_number, Values(attempt, store, for_others=True))
        resources = step_resources(attempt, step)
        computed = one_try.compute(frozenset(self._order.outputs), resources, wait=True)
        self.end = one_try.end_of(computed, self._order.number)
        one_try.tell(computed, self.end)
        return self.end

    def failed(self, error: BaseException) -> StepEnd:
        """The step's own code is not what failed."""
        StepEvents(self._emitter, self._order.step_key).failed(error_info(error))
        return StepEnd(
            step_key=self._order.step_key,
            number=self._order.number,
            status=StepStatus.CANCELED if isinstance(error, RunCancelled) else StepStatus.FAILURE,
            failure=failure_of(self._order.step_key, error),
        )


def _step(job: JobDefinition, key: str) -> Step:
    step = job.step(key)
    if step is None:
        raise NotFound("step", key, [one.key for one in job.steps])
    return step
