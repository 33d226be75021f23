"""Executing one attempt of a run: which of its steps are to be done, by which executor, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from types import MappingProxyType
from typing import Any

from ..core.clock import Clock
from ..core.errors import InvalidRunConfig
from ..core.events import EventType
from ..core.launch import RunEnd
from ..core.run import RunFailure, RunStatus
from ..core.step import REUSED
from ..core.tags import PARENT_RUN_ID, priority_from_code
from ..core.text import counted, listing
from ..definitions.config.job_config import resolve_run_config
from ..definitions.engine import InstanceClient
from ..definitions.job import JobDefinition
from ..definitions.pools import pool_needs
from ..definitions.records import DagsterRun
from .attempt import Attempt, check_inputs, never, run_of
from .emitter import Emitter
from .errors import RunCancelled, SelectionImpossible
from .executors.in_process import InProcessExecutor
from .executors.multiprocess import MultiprocessExecutor
from .executors.progress import Progress
from .log import lines_go_to
from .resource_life import shared_resources
from .retries import failure_of
from .selection import check_selection
from .sink import EventSink
from .step_host import StepHost
from .step_try import Capture
from .value_store import ValueStore
from .values import ValuesInMemory


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
    capture: Capture = nullcontext,
    canceled: Callable[[], bool] = never,
) -> RunEnd:
    """Have every step done and say how it ended. User errors end up in the result, never as exceptions.

    The job and the run's config choose the executor. The steps are done in this process all the same where there is no
    ``host`` or nowhere to keep ``values``, and where only one step is to be done that has no retry policy: there is
    nothing to keep it apart from.

    Parameters:
        tags: of the run, the system's own included.
        sink: gets the events of steps, resources and log lines; those of the run itself are storage's.
        instance: what ``context.instance`` is; None asks the process's provider when it is used.
        keep: called with (step key, output name, value) for every output that a step in this process gives.
        on_failure: called with the exception of the first step, in order of definition, that failed in this process.
        host: gives steps their own processes and slots of pools; None: everything here, and no slots are asked for.
        values: keeps outputs for other processes and for retries; None: this process's memory only.
        done: outputs by key of the steps that are not done again; their values are in ``values``.
        only: keys of the only steps to do; None: all.
        capture: entered with the step's key around each try of a step in this process.
        canceled: whether the run is to stop, also when user code has caught what says so: no step is tried again then.
    """
    emitter = Emitter(sink, clock, run_id, attempt)
    run = run_of(job, run_id, run_config, tags)
    execution = _RunExecution(job, run, emitter, host, values, keep, capture, canceled)
    try:
        with lines_go_to(emitter.line_taker()):
            return execution.execute(clock, instance, input_values or {}, done, only)
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
        host: StepHost | None,
        store: ValueStore | None,
        keep: Callable[[str, str, Any], None] | None,
        capture: Capture,
        canceled: Callable[[], bool],
    ) -> None:
        self._job, self._run, self._emitter = job, run, emitter
        self._host, self._store, self._canceled = host, store, canceled
        self._keep, self._capture = keep, capture
        self.error: BaseException | None = None

    def execute(
        self,
        clock: Clock,
        instance: InstanceClient | None,
        input_values: Mapping[str, Any],
        done: Mapping[str, tuple[str, ...]],
        only: Collection[str] | None,
    ) -> RunEnd:
        known = {step.key: done[step.key] for step in self._job.steps if step.key in done}
        try:
            config = resolve_run_config(self._job, self._run.run_config)
            inputs = {**config.get("inputs", {}), **self._job.input_values, **input_values}
            check_inputs(self._job, inputs)
            check_selection(self._job, known, only)
        except (InvalidRunConfig, SelectionImpossible) as error:
            self.error = error
            return RunEnd(status=RunStatus.FAILURE, failure=failure_of(None, error), message=str(error))
        if known:
            self._tell_reused(known)
        self._warn_of_priorities()
        attempt = Attempt(self._job, self._run, config, inputs, self._emitter, clock, instance, self._canceled)
        return self._execute(attempt, Progress(self._job.steps, only=only, done=known))

    def _execute(self, attempt: Attempt, progress: Progress) -> RunEnd:
        if self._host is not None and self._store is not None and _is_apart(attempt, progress):
            executor = MultiprocessExecutor(attempt, progress, self._host)
            executor.run()
            return self._end(progress, executor.failures)
        return self._in_process(attempt, progress)

    def _in_process(self, attempt: Attempt, progress: Progress) -> RunEnd:
        values = ValuesInMemory(attempt, self._store, self._keep)
        with shared_resources(attempt, progress.to_do) as resources:
            executor = InProcessExecutor(
                attempt, progress, self._host, values=values, resources=resources, capture=self._capture
            )
            executor.run()
        end = self._end(progress, executor.failures)
        self.error = executor.errors.get(end.failure.step_key or "") if end.failure else None
        return end

    def _warn_of_priorities(self) -> None:
        """Once per op and value: a hundred steps may be of one."""
        judged = ((step.op.name, priority_from_code(step.tags, whose="step")[1]) for step in self._job.steps)
        for op_name, warning in dict.fromkeys(judged):
            if warning is not None:
                self._emitter.emit(EventType.ENGINE_EVENT, f"Op '{op_name}': {warning}", level="WARNING")

    def _tell_reused(self, done: Mapping[str, tuple[str, ...]]) -> None:
        data: dict[str, Any] = {REUSED: {key: list(outputs) for key, outputs in done.items()}}
        parent = self._run.tags.get(PARENT_RUN_ID)
        told = f"The outputs of {counted(len(done), 'step')} that succeeded before are used again: {listing(done)}."
        data |= {"parent_run_id": parent} if parent else {}
        self._emitter.emit(EventType.ENGINE_EVENT, told, data=data)

    def _end(self, progress: Progress, failures: Mapping[str, RunFailure]) -> RunEnd:
        if not failures:
            return RunEnd(status=RunStatus.SUCCESS)
        failed = [step.key for step in progress.to_do if step.key in failures]
        many = "Steps" if len(failed) > 1 else "Step"
        return RunEnd(
            status=RunStatus.FAILURE,
            failure=failures[failed[0]],
            message=f"{many} failed: {listing(failed)}.",
            pools_left=pool_needs(progress.left()),
        )


def _is_apart(attempt: Attempt, progress: Progress) -> bool:
    """Whether steps get processes of their own."""
    to_do = progress.to_do
    alone = len(to_do) == 1 and to_do[0].retry_policy is None
    return attempt.settings.multiprocess and not alone
