"""Executing one step: its inputs, tries and events."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..core.clock import Clock
from ..core.error_info import message_of
from ..core.events import EventType
from ..core.run import RunFailure
from ..definitions.assets.reports import AssetMaterialization, AssetObservation, ExpectationResult
from ..definitions.engine import InstanceClient
from ..definitions.errors import InvariantViolation
from ..definitions.job import JobDefinition
from ..definitions.metadata import plain_metadata
from ..definitions.policies import Failure, RetryRequested
from ..definitions.records import DagsterRun
from ..definitions.slots import Output
from ..definitions.steps import Step
from ..definitions.types import shown, type_name
from .compute import REPORTS, call_op, check_input_types, check_output_type, results
from .contexts.op import OpExecutionContext
from .contexts.resources import Resources
from .emitter import Emitter, error_data
from .errors import RunCancelled
from .log import LineTaker, LogLine, line_logger, lines_go_to


class StepRunner:
    """Runs the steps of one attempt of a run."""

    def __init__(
        self,
        job: JobDefinition,
        run: DagsterRun,
        *,
        emitter: Emitter,
        clock: Clock,
        resources: Mapping[str, Any],
        config: Mapping[str, Any],
        location_name: str | None,
        instance: InstanceClient | None,
    ) -> None:
        self._job, self._run, self._emitter, self._clock = job, run, emitter, clock
        self._resources, self._config, self._instance = resources, config, instance
        self._location_name = location_name

    def run(self, step: Step, inputs: Mapping[str, Any], keep: Callable[[str, Any], None]) -> BaseException | None:
        """Run the step, again where its policy says so; the error of the last try, None after success.

        ``keep(output_name, value)`` is called for each output of the try that succeeds.
        """
        self._event(step, EventType.STEP_START, f"Step '{step.key}' started.")
        tries = 0
        while True:
            outputs: dict[str, Any] = {}
            error = self._attempt(step, inputs, outputs, tries)
            if error is None:
                for name, value in outputs.items():
                    keep(name, value)
                return None
            delay = _retry_delay(step, error, tries)
            if delay is None:
                self._fail(step, error)
                return error
            tries += 1
            try:
                self._wait_for_retry(step, error, tries, delay)
            except RunCancelled as canceled:
                self._fail(step, canceled)
                raise

    def _attempt(
        self, step: Step, inputs: Mapping[str, Any], outputs: dict[str, Any], tries: int
    ) -> BaseException | None:
        log = line_logger(step.op.name, self._line_taker(step))
        started = self._clock.monotonic()
        try:
            with lines_go_to(self._line_taker(step)):
                self._compute(step, inputs, outputs, self._context(step, log, tries))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - user code raises anything; it becomes the step's end
            return error
        except RunCancelled as error:
            self._fail(step, error)
            raise
        took = self._clock.monotonic() - started
        self._event(step, EventType.STEP_SUCCESS, f"Step '{step.key}' succeeded in {took:.3g} s.", wait=True)
        return None

    def _compute(
        self, step: Step, inputs: Mapping[str, Any], outputs: dict[str, Any], context: OpExecutionContext
    ) -> None:
        check_input_types(step.key, step.op, inputs)
        config = self._entry(step).get("config")
        resources = {key: self._resources[key] for key in step.op.required_resource_keys}
        for item in results(step.op, call_op(step.op, context, inputs, config, resources)):
            if isinstance(item, Output):
                check_output_type(step.key, step.op, item)
                outputs[item.output_name] = item.value
                self._output_event(step, item, context)
            else:
                self._report(step, item)
        for name, out in step.op.outs.items():
            if out.is_nothing and out.is_required:
                outputs.setdefault(name, None)

    def _context(self, step: Step, log: logging.Logger, tries: int) -> OpExecutionContext:
        values = {key: self._resources[key] for key in step.op.required_resource_keys}
        return OpExecutionContext(
            op=step.op,
            run=self._run,
            log=log,
            resources=Resources(values, f"Op '{step.key}'"),
            op_config=plain_config(self._entry(step).get("config")),
            job=self._job,
            step_key=step.key,
            retry_number=tries,
            location_name=self._location_name,
            instance=self._instance,
            take_event=lambda event: self._report(step, event),
        )

    def _entry(self, step: Step) -> Mapping[str, Any]:
        """The step's part of the resolved run config."""
        return config_entry(self._config, step.path)

    def _wait_for_retry(self, step: Step, error: BaseException, tries: int, delay: float) -> None:
        again = f" It is tried again in {delay:.3g} s (retry {tries})."
        self._event(
            step,
            EventType.STEP_UP_FOR_RETRY,
            f"Step '{step.key}' failed: {_first_line(error)}.{again}",
            level="WARNING",
            data={**error_data(error), "seconds_to_wait": delay, "retry_number": tries},
            wait=True,
        )
        # Nothing sets this event: a cancellation ends the wait by raising in it.
        self._clock.wait(threading.Event(), delay)
        self._event(step, EventType.STEP_RESTARTED, f"Step '{step.key}' restarted, retry {tries}.")

    def _fail(self, step: Step, error: BaseException) -> None:
        metadata = plain_metadata(error.metadata) if isinstance(error, Failure) else {}
        self._event(
            step,
            EventType.STEP_FAILURE,
            f"Step '{step.key}' failed: {type(error).__name__}: {_first_line(error)}",
            level="ERROR",
            data={**error_data(error), **({"metadata": metadata} if metadata else {})},
            wait=True,
        )

    def _output_event(self, step: Step, output: Output, context: OpExecutionContext) -> None:
        metadata = {**output.metadata, **context.output_metadata.get(output.output_name, {})}
        kind = type_name(step.op.outs[output.output_name].dagster_type)
        self._event(
            step,
            EventType.STEP_OUTPUT,
            f"Output '{output.output_name}' of type {kind}.",
            data={"output_name": output.output_name, "metadata": plain_metadata(metadata)},
        )

    def _report(self, step: Step, report: Any) -> None:
        if not isinstance(report, REPORTS):
            raise InvariantViolation(
                f"Op '{step.op.name}' reported {shown(report)}; give an AssetMaterialization, AssetObservation or "
                "ExpectationResult."
            )
        kind, told, data = _expectation(report) if isinstance(report, ExpectationResult) else _asset_report(report)
        self._event(step, kind, told, data={**data, "metadata": plain_metadata(report.metadata)}, wait=True)

    def _line_taker(self, step: Step) -> LineTaker:
        def take(line: LogLine) -> None:
            self._event(step, EventType.LOG, line.message, level=line.level, data=line.data())

        return take

    def _event(self, step: Step, kind: EventType, message: str, **more: Any) -> None:
        self._emitter.emit(kind, message, step_key=step.key, **more)


def _expectation(report: ExpectationResult) -> tuple[EventType, str, dict[str, Any]]:
    told = f"Expectation '{report.label or 'unnamed'}' {'met' if report.success else 'not met'}."
    data = {"success": report.success, "label": report.label, "description": report.description}
    return EventType.STEP_EXPECTATION_RESULT, told, data


def _asset_report(
    report: AssetMaterialization | AssetObservation,
) -> tuple[EventType, str, dict[str, Any]]:
    key = report.asset_key
    data = {
        "asset_key": key.path,
        "description": report.description,
        "partition": report.partition,
        "tags": report.tags,
    }
    if isinstance(report, AssetMaterialization):
        return EventType.ASSET_MATERIALIZATION, f"Materialized asset '{key.to_user_string()}'.", data
    return EventType.ASSET_OBSERVATION, f"Observed asset '{key.to_user_string()}'.", data


def config_entry(config: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    """The part of run config that belongs to the node at ``path``."""
    entry: Mapping[str, Any] = config
    for name in path:
        entry = entry.get("ops", {}).get(name, {})
    return entry


def plain_config(config: Any) -> Any:
    """Config as ``context.op_config`` shows it: a dict also for a Config class."""
    if hasattr(type(config), "model_fields"):
        return dict(config.__dict__)
    return config


def _first_line(error: BaseException) -> str:
    return message_of(error).partition("\n")[0]


def _retry_delay(step: Step, error: BaseException, tries: int) -> float | None:
    """Seconds to wait before the next try, None when there is none."""
    if isinstance(error, RetryRequested):
        return (error.seconds_to_wait or 0.0) if tries < error.max_retries else None
    if isinstance(error, Failure) and not error.allow_retries:
        return None
    policy = step.retry_policy
    if policy is None or tries >= policy.max_retries:
        return None
    return policy.calculate_delay(tries + 1)


def failure_of(step_key: str | None, error: BaseException) -> RunFailure:
    """Why a run failed, for its record."""
    cause = error.__cause__ if isinstance(error, RetryRequested) and error.__cause__ is not None else error
    return RunFailure(type(cause).__name__, message_of(cause), step_key)
