"""One try of a step in this process: its function called, its outputs kept, its end told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Any, NamedTuple

from ..core.error_info import error_info
from ..core.foreign import is_of
from ..core.step import StepEnd, StepStatus
from ..definitions.policies import Failure
from ..definitions.slots import Output
from ..definitions.steps import Step
from .attempt import Attempt, config_entry
from .compute import call_op, check_input_types, check_output_type, results
from .contexts.op import OpExecutionContext
from .contexts.resources import Resources
from .errors import RunCancelled
from .forked import only_here
from .log import line_logger, lines_go_to
from .pooled_calls import running
from .resource_life import ResourcesNotReady
from .retries import failure_of, free_memory, retry_delay
from .step_events import StepEvents
from .values import Values

Capture = Callable[[str], AbstractContextManager[object]]


class Computed(NamedTuple):
    """What a try came to. ``by_step``: the step's own code is why it failed."""

    outputs: Mapping[str, Any] = {}
    took: float = 0.0
    error: BaseException | None = None
    by_step: bool = True


class StepTry:
    """Try number ``retry_number``, counted from 0."""

    def __init__(self, attempt: Attempt, step: Step, retry_number: int, values: Values) -> None:
        self._attempt, self._step, self._tries, self._values = attempt, step, retry_number, values
        self.events = StepEvents(attempt.emitter, step.key)

    def compute(
        self,
        given: Collection[tuple[str, str]],
        resources: AbstractContextManager[Mapping[str, Any]],
        *,
        capture: Capture = nullcontext,
        wait: bool = False,
    ) -> Computed:
        """Call the step's function. Whatever it raises, a cancellation too, is in the result.

        Parameters:
            given: outputs of other steps that exist, as (step key, output name).
            resources: by name, up for as long as the function runs.
            wait: call no user code before it is committed that the step has started.
        """
        outputs: dict[str, Any] = {}
        started: float | None = None
        try:
            self.events.started(self._tries, wait=wait)
            with only_here(), capture(self._step.key), lines_go_to(self.events.lines), running(self._step.op):
                inputs = self._values.inputs_of(self._step, given)
                with resources as ready:
                    started = self._attempt.clock.monotonic()
                    self._call(inputs, ready, outputs)
        except ResourcesNotReady as error:
            return Computed(error=error.cause, by_step=False)
        except BaseException as error:  # noqa: BLE001 - user code raises anything; it ends the try
            free_memory(error)
            return Computed(error=error, by_step=started is not None and not is_of(error, RunCancelled))
        return Computed(outputs, self._attempt.clock.monotonic() - started)

    def end_of(self, computed: Computed, number: int = 0) -> StepEnd:
        """How the try ended, and whether there will be another; ``number`` is that of the step's process."""
        key, error = self._step.key, computed.error
        if error is None:
            return StepEnd(step_key=key, number=number, status=StepStatus.SUCCESS, outputs=tuple(computed.outputs))
        failure = failure_of(key, error, by_step=computed.by_step)
        delay = retry_delay(self._step, error, self._tries) if self._attempt.settings.retries else None
        status = StepStatus.FAILURE if delay is None else StepStatus.UP_FOR_RETRY
        if is_of(error, RunCancelled) or (delay is not None and self._attempt.canceled()):
            status, delay = StepStatus.CANCELED, None
        return StepEnd(step_key=key, number=number, status=status, failure=failure, retry_after=delay)

    def tell(self, computed: Computed, end: StepEnd) -> None:
        """Say so; committed when this returns."""
        error = computed.error
        if error is None:
            self.events.succeeded(computed.took)
        elif end.retry_after is not None:
            self.events.up_for_retry(error_info(error), end.retry_after, self._tries + 1)
        else:
            self.events.failed(error_info(error), error.metadata if is_of(error, Failure) else None)

    def _call(self, inputs: Mapping[str, Any], resources: Mapping[str, Any], outputs: dict[str, Any]) -> None:
        step, op = self._step, self._step.op
        check_input_types(step.key, op, inputs)
        config = config_entry(self._attempt.config, step.path).get("config")
        needed = {key: resources[key] for key in op.required_resource_keys}
        context = self._context(needed, config)
        with closing(results(op, call_op(op, context, inputs, config, needed))) as items:
            for item in items:
                if isinstance(item, Output):
                    check_output_type(step.key, op, item)
                    outputs[item.output_name] = item.value
                    self._keep(item, context)
                else:
                    self.events.report(op.name, item)
        for name, out in op.outs.items():
            if out.is_nothing and out.is_required:
                outputs.setdefault(name, None)

    def _keep(self, output: Output, context: OpExecutionContext) -> None:
        name = output.output_name
        not_stored = self._values.store(self._step, name, output.value)
        metadata = {**output.metadata, **context.output_metadata.get(name, {})}
        self.events.output(output, self._step.op.outs[name].dagster_type, metadata, not_stored)

    def _context(self, resources: Mapping[str, Any], config: Any) -> OpExecutionContext:
        attempt, step = self._attempt, self._step
        return OpExecutionContext(
            op=step.op,
            run=attempt.run,
            log=line_logger(step.op.name, self.events.lines),
            resources=Resources(resources, f"Op '{step.key}'"),
            op_config=plain_config(config),
            job=attempt.job,
            step_key=step.key,
            retry_number=self._tries,
            location_name=attempt.location_name,
            instance=attempt.instance,
            take_event=lambda event: self.events.report(step.op.name, event),
        )


def plain_config(config: Any) -> Any:
    """Config as ``context.op_config`` shows it: a dict also for a Config class."""
    if hasattr(type(config), "model_fields"):
        return dict(config.__dict__)
    return config
