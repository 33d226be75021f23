"""Executing one attempt of a run in this process: resources up, steps in order, resources down."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import MappingProxyType
from typing import Any

from ..core.clock import Clock
from ..core.error_info import message_of
from ..core.errors import InvalidRunConfig
from ..core.events import EventType
from ..core.launch import RunEnd
from ..core.run import RunStatus
from ..core.tags import CODE_LOCATION, PARENT_RUN_ID, ROOT_RUN_ID
from ..core.text import listing
from ..definitions.config.job_config import resolve_run_config, with_job_defaults
from ..definitions.engine import InstanceClient
from ..definitions.job import JobDefinition
from ..definitions.records import DagsterRun
from ..definitions.steps import FromJobInput, single_sources
from .emitter import Emitter, error_data
from .errors import RunCancelled
from .log import LogLine, line_logger, lines_go_to
from .resources import ResourceScope
from .sink import EventSink
from .step_host import StepHost
from .steps import StepRunner, failure_of
from .value_store import ValueStore
from .values import Values


def execute_run(
    job: JobDefinition,
    *,
    run_id: str,
    attempt: int,
    run_config: Mapping[str, Any] | None,
    tags: Mapping[str, str],
    sink: EventSink,
    clock: Clock,
    instance: InstanceClient | None = None,
    input_values: Mapping[str, Any] | None = None,
    keep: Callable[[str, str, Any], None] | None = None,
    on_failure: Callable[[BaseException], None] | None = None,
    host: StepHost | None = None,
    values: ValueStore | None = None,
    done: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    only: Collection[str] | None = None,
    capture: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> RunEnd:
    """Run every step and say how it ended. User errors end up in the result, never as exceptions.

    Parameters:
        tags: of the run, the system's own included.
        sink: gets the events of steps, resources and log lines; those of the run itself are storage's.
        instance: what ``context.instance`` is; None asks the process's provider when it is used.
        keep: called with (step key, output name, value) for every output; None drops values once nobody needs them.
        on_failure: called with the exception of the first failure.
        host: gives steps their own processes and slots of pools; None: everything here, and no slots are asked for.
        values: keeps outputs for other processes and for retries; None: this process's memory only.
        done: outputs by key of the steps that are not done again; their values are in ``values``.
        only: keys of the only steps to do; None: all.
        capture: entered with the step's key around each try of a step in this process.
    """
    run = DagsterRun(
        job.name,
        run_id,
        with_job_defaults(job, run_config),
        RunStatus.STARTED,
        dict(tags),
        tags.get(ROOT_RUN_ID),
        tags.get(PARENT_RUN_ID),
    )
    execution = _RunExecution(job, run, Emitter(sink, clock, run_id, attempt), clock, instance, keep)
    try:
        return execution.execute({**job.input_values, **(input_values or {})})
    except RunCancelled as error:
        return RunEnd(status=RunStatus.CANCELED, message=str(error))
    finally:
        if execution.error is not None and on_failure is not None:
            on_failure(execution.error)


class _RunExecution:
    """One attempt. ``error`` is the exception of the first failure."""

    def __init__(
        self,
        job: JobDefinition,
        run: DagsterRun,
        emitter: Emitter,
        clock: Clock,
        instance: InstanceClient | None,
        keep: Callable[[str, str, Any], None] | None,
    ) -> None:
        self._job, self._run, self._emitter, self._clock = job, run, emitter, clock
        self._instance, self._keep = instance, keep
        self.error: BaseException | None = None
        self._log = line_logger(job.name, self._take_line)

    def execute(self, input_values: Mapping[str, Any]) -> RunEnd:
        try:
            config = resolve_run_config(self._job, self._run.run_config)
            inputs = {**config.get("inputs", {}), **input_values}
            _check_inputs(self._job, inputs)
        except InvalidRunConfig as error:
            return self._failed(None, error, str(error))
        return self._with_resources(config, inputs)

    def _with_resources(self, config: Mapping[str, Any], inputs: Mapping[str, Any]) -> RunEnd:
        definitions = self._job.needed_resources()
        scope = ResourceScope(
            definitions, config.get("resources", {}), log=self._log, run=self._run, instance=self._instance
        )
        try:
            try:
                error = self._open(scope, definitions)
                if error is not None:
                    return self._failed(None, error, f"Resources could not be initialised: {message_of(error)}")
                return self._run_steps(config, inputs, scope.values)
            finally:
                self._close(scope)
        finally:
            # A cancellation may have struck while the first call took resources down; it strikes once only.
            self._close(scope)

    def _close(self, scope: ResourceScope) -> None:
        with lines_go_to(self._take_line):
            scope.close(self._teardown_failed)

    def _open(self, scope: ResourceScope, definitions: Mapping[str, Any]) -> BaseException | None:
        if not definitions:
            return None
        names = listing(definitions)
        self._emitter.emit(EventType.RESOURCE_INIT_STARTED, f"Initialising resources {names}.")
        try:
            with lines_go_to(self._take_line):
                scope.open()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - user code raises anything; it ends the run
            self._emitter.emit(
                EventType.RESOURCE_INIT_FAILURE,
                f"Initialising resources {names} failed.",
                level="ERROR",
                data=error_data(error),
                wait=True,
            )
            return error
        self._emitter.emit(EventType.RESOURCE_INIT_SUCCESS, f"Resources {names} are ready.")
        return None

    def _run_steps(self, config: Mapping[str, Any], inputs: Mapping[str, Any], resources: Mapping[str, Any]) -> RunEnd:
        values = Values(self._job.steps, inputs, self._keep)
        runner = StepRunner(
            self._job,
            self._run,
            emitter=self._emitter,
            clock=self._clock,
            resources=resources,
            config=config,
            location_name=self._run.tags.get(CODE_LOCATION),
            instance=self._instance,
        )
        failed: dict[str, BaseException] = {}
        for step in self._job.steps:
            why = values.why_skip(step)
            if why is not None:
                self._emitter.emit(EventType.STEP_SKIPPED, f"Step '{step.key}' skipped: {why}.", step_key=step.key)
            else:
                error = runner.run(step, values.inputs_of(step, config), values.taker(step))
                if error is not None:
                    failed[step.key] = error
                    values.failed(step)
            values.done_with(step)
        return self._end(failed)

    def _end(self, failed: Mapping[str, BaseException]) -> RunEnd:
        if not failed:
            return RunEnd(status=RunStatus.SUCCESS)
        key, error = next(iter(failed.items()))
        many = "Steps" if len(failed) > 1 else "Step"
        return self._failed(key, error, f"{many} failed: {listing(failed)}.")

    def _failed(self, step_key: str | None, error: BaseException, message: str) -> RunEnd:
        self.error = error
        return RunEnd(status=RunStatus.FAILURE, failure=failure_of(step_key, error), message=message)

    def _teardown_failed(self, name: str, error: BaseException) -> None:
        """The work is done whether or not cleaning up fails: said in the log, no reason to fail the run."""
        self._emitter.emit(
            EventType.ENGINE_EVENT,
            f"Taking down the resource '{name}' failed: {type(error).__name__}: {message_of(error)}",
            level="ERROR",
            data=error_data(error),
        )

    def _take_line(self, line: LogLine) -> None:
        self._emitter.emit(EventType.LOG, line.message, level=line.level, data=line.data())


def _check_inputs(job: JobDefinition, given: Mapping[str, Any]) -> None:
    """Raises InvalidRunConfig for an input of the job that a step needs and nothing gives."""
    needed = {
        one.name
        for step in job.steps
        for name, source in step.inputs.items()
        if not step.op.ins[name].has_default
        for one in single_sources(source)
        if isinstance(one, FromJobInput)
    }
    missing = sorted(needed - given.keys())
    if missing:
        raise InvalidRunConfig(job.name, [(f"inputs.{name}", "is required") for name in missing])
