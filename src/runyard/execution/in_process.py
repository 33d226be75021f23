"""``execute_in_process``: a whole job here and now, with nothing stored."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import Any

from ..core.clock import SystemClock
from ..core.errors import InvalidRunConfig, UserError
from ..core.events import Event, EventType
from ..core.ids import new_id
from ..core.launch import RunEnd
from ..core.managers import contextmanager
from ..core.run import RunStatus
from ..core.text import did_you_mean, listing
from ..definitions.config.job_config import config_issues, with_job_defaults
from ..definitions.errors import OutputNotFound
from ..definitions.job import JobDefinition
from ..definitions.names import checked_tags
from ..definitions.records import DagsterRun
from ..definitions.steps import output_step
from .ephemeral import EphemeralInstance
from .errors import RunCancelled
from .run import execute_run
from .sink import MemorySink
from .user_events import DagsterEvent

_ENDS = {
    RunStatus.SUCCESS: EventType.RUN_SUCCESS,
    RunStatus.FAILURE: EventType.RUN_FAILURE,
    RunStatus.CANCELED: EventType.RUN_CANCELED,
}


class ExecuteInProcessResult:
    """How a run in this process ended, with its outputs and events."""

    def __init__(
        self,
        job_def: JobDefinition,
        dagster_run: DagsterRun,
        events: Sequence[DagsterEvent],
        outputs: Mapping[tuple[str, str], Any],
    ) -> None:
        self.job_def, self.dagster_run = job_def, dagster_run
        self.all_events = list(events)
        self._outputs = dict(outputs)

    @property
    def success(self) -> bool:
        return self.dagster_run.is_success

    @property
    def run_id(self) -> str:
        return self.dagster_run.run_id

    @property
    def all_node_events(self) -> list[DagsterEvent]:
        return [event for event in self.all_events if event.step_key is not None]

    def output_for_node(self, node_str: str, output_name: str = "result") -> Any:
        """The value of a step's output; ``outer.inner`` for a node inside a graph.

        Raises:
            OutputNotFound: there is no such step or output, or it was not produced.
        """
        if (node_str, output_name) in self._outputs:
            return self._outputs[node_str, output_name]
        keys = [step.key for step in self.job_def.steps]
        step = self.job_def.step(node_str)
        if step is None:
            raise OutputNotFound(f"Job '{self.job_def.name}' has no step '{node_str}'.{did_you_mean(node_str, keys)}")
        names = step.op.outs
        if output_name not in names:
            raise OutputNotFound(f"Step '{node_str}' has no output '{output_name}'; it has {listing(names) or 'none'}.")
        raise OutputNotFound(f"Step '{node_str}' did not produce its output '{output_name}' in this run.")

    def output_value(self, output_name: str = "result") -> Any:
        """The value of the job's own output: what its function returned.

        Raises:
            OutputNotFound: the job has no such output, or it was not produced.
        """
        graph = self.job_def.graph
        if output_name not in graph.inside.outputs:
            raise OutputNotFound(
                f"Job '{self.job_def.name}' has no output '{output_name}'. Return an op's output in its function."
            )
        source = output_step(graph, output_name)
        return self.output_for_node(source.step_key, source.output)

    def events_for_node(self, node_name: str) -> list[DagsterEvent]:
        """Events of the step, or of all steps inside a graph of this name."""
        inside = f"{node_name}."
        return [e for e in self.all_node_events if e.step_key == node_name or str(e.step_key).startswith(inside)]

    def filter_events(self, event_filter: Any) -> list[DagsterEvent]:
        return [event for event in self.all_events if event_filter(event)]

    def is_node_success(self, node_str: str) -> bool:
        return any(event.is_step_success for event in self.events_for_node(node_str))

    def is_node_failed(self, node_str: str) -> bool:
        return any(event.is_step_failure for event in self.events_for_node(node_str))

    def is_node_skipped(self, node_str: str) -> bool:
        return any(event.is_step_skipped for event in self.events_for_node(node_str))

    def retry_attempts_for_node(self, node_str: str) -> int:
        return sum(event.is_step_restarted for event in self.events_for_node(node_str))

    def asset_materializations_for_node(self, node_name: str) -> list[DagsterEvent]:
        return [event for event in self.events_for_node(node_name) if event.is_step_materialization]

    def get_asset_materialization_events(self) -> list[DagsterEvent]:
        return [event for event in self.all_events if event.is_step_materialization]

    def get_run_success_event(self) -> DagsterEvent | None:
        return next((e for e in self.all_events if e.event_type is EventType.RUN_SUCCESS), None)

    def get_run_failure_event(self) -> DagsterEvent | None:
        return next((e for e in self.all_events if e.event_type is EventType.RUN_FAILURE), None)


def execute_in_process(
    job: JobDefinition,
    *,
    run_config: Any = None,
    instance: Any = None,
    raise_on_error: bool = True,
    run_id: str | None = None,
    input_values: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
) -> ExecuteInProcessResult:
    """See JobDefinition.execute_in_process."""
    bound = job.with_resources_replaced(resources or {})
    _check(bound, run_config, input_values or {})
    run = DagsterRun(
        bound.name,
        run_id or new_id(),
        with_job_defaults(bound, run_config),
        RunStatus.STARTED,
        {**bound.run_tags, **checked_tags("execute_in_process", tags, None)},
    )
    return _Execution(bound, run, instance).execute(input_values or {}, raise_on_error)


def _check(job: JobDefinition, run_config: Any, input_values: Mapping[str, Any]) -> None:
    issues = config_issues(job, run_config)
    if issues:
        raise InvalidRunConfig(job.name, issues)
    for name in input_values:
        if name not in job.graph.input_names:
            known = job.graph.input_names
            raise UserError(f"Job '{job.name}' has no input '{name}'.{did_you_mean(name, known)}")


class _Interrupted(RunCancelled, KeyboardInterrupt):
    """Ctrl-C. To user code a KeyboardInterrupt as ever; to us no error of user code, whose own one fails a step."""


@contextmanager
def _ctrl_c_cancels() -> Iterator[list[_Interrupted]]:
    """Inside, Ctrl-C ends the run where nothing else of the program handles it; gives those that came."""
    came: list[_Interrupted] = []
    by_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not by_default or threading.current_thread() is not threading.main_thread():
        yield came
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        came.append(_Interrupted("The run was interrupted."))
        raise came[-1]

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield came
    finally:
        if signal.getsignal(signal.SIGINT) is interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)


class _Execution:
    def __init__(self, job: JobDefinition, run: DagsterRun, instance: Any) -> None:
        self._job, self._run, self._instance = job, run, instance or EphemeralInstance()
        self._clock, self._sink = SystemClock(), MemorySink()
        self._outputs: dict[tuple[str, str], Any] = {}
        self._errors: list[BaseException] = []

    def execute(self, input_values: Mapping[str, Any], raise_on_error: bool) -> ExecuteInProcessResult:
        ephemeral = self._instance if isinstance(self._instance, EphemeralInstance) else None
        if ephemeral is not None:
            ephemeral.begin(self._run)
        self._run_event(EventType.RUN_START, f"Run of '{self._job.name}' started.")
        with _ctrl_c_cancels() as interrupts:
            end = self._execute(input_values)
        self._run_event(_ENDS[end.status], end.message or f"Run of '{self._job.name}' succeeded.")
        if ephemeral is not None:
            ephemeral.end(self._run.run_id, end.status)
        if interrupts and end.status is RunStatus.CANCELED:
            raise interrupts[0]
        if raise_on_error and self._errors:
            raise self._errors[0]
        return self._result(end)

    def _execute(self, input_values: Mapping[str, Any]) -> RunEnd:
        return execute_run(
            self._job,
            run_id=self._run.run_id,
            attempt=1,
            run_config=self._run.run_config,
            tags=self._run.tags,
            sink=self._sink,
            clock=self._clock,
            instance=self._instance,
            input_values=input_values,
            keep=self._keep,
            on_failure=self._errors.append,
        )

    def _keep(self, step_key: str, output: str, value: Any) -> None:
        self._outputs[step_key, output] = value

    def _run_event(self, kind: EventType, message: str) -> None:
        self._sink.emit(
            Event(
                run_id=self._run.run_id,
                type=kind,
                timestamp=self._clock.now(),
                attempt=1,
                level="ERROR" if kind is EventType.RUN_FAILURE else "INFO",
                message=message,
            )
        )

    def _result(self, end: RunEnd) -> ExecuteInProcessResult:
        events = [DagsterEvent(event, self._job.name) for event in self._sink.events]
        return ExecuteInProcessResult(self._job, replace(self._run, status=end.status), events, self._outputs)
