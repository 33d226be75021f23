"""The events of one step."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from ..core.events import ErrorInfo, EventType
from ..definitions.assets.reports import AssetMaterialization, AssetObservation, ExpectationResult
from ..definitions.errors import InvariantViolation
from ..definitions.metadata import plain_metadata, plain_or_said
from ..definitions.slots import Output
from ..definitions.types import shown, type_name
from .compute import REPORTS
from .emitter import Emitter
from .log import LineTaker


class StepEvents:
    """Says what becomes of a step. What others go by is committed when these return: reports, and how a try ended."""

    def __init__(self, emitter: Emitter, step_key: str) -> None:
        self._emitter, self._key = emitter, step_key
        self.lines: LineTaker = emitter.line_taker(step_key)

    def skipped(self, why: str) -> None:
        self._emit(EventType.STEP_SKIPPED, f"Step '{self._key}' skipped: {why}.")

    def worker_starting(self, number: int, retry_number: int) -> None:
        data = {"number": number, "retry_number": retry_number}
        self._emit(EventType.STEP_WORKER_STARTING, f"A process is started for step '{self._key}'.", data=data)

    def started(self, retry_number: int, *, wait: bool) -> None:
        """User code is about to be called, in this process."""
        data = {"pid": os.getpid(), "retry_number": retry_number}
        if retry_number:
            told = f"Step '{self._key}' restarted, retry {retry_number}."
            self._emit(EventType.STEP_RESTARTED, told, data=data, wait=wait)
        else:
            self._emit(EventType.STEP_START, f"Step '{self._key}' started.", data=data, wait=wait)

    def output(self, output: Output, kind: Any, metadata: Mapping[str, Any], not_stored: str | None) -> None:
        """``not_stored``: a sentence or an empty one when the value is in this process's memory only."""
        told = f"Output '{output.output_name}' of type {type_name(kind)}."
        data = {
            "output_name": output.output_name,
            "metadata": plain_metadata(metadata, f"output '{output.output_name}'"),
            "stored": not_stored is None,
        }
        self._emit(EventType.STEP_OUTPUT, f"{told} {not_stored}" if not_stored else told, data=data)

    def report(self, op_name: str, report: Any) -> None:
        """Raises InvariantViolation for what is no report."""
        if not isinstance(report, REPORTS):
            raise InvariantViolation(
                f"Op '{op_name}' reported {shown(report)}; give an AssetMaterialization, AssetObservation or "
                "ExpectationResult."
            )
        kind, told, data = _expectation(report) if isinstance(report, ExpectationResult) else _asset_report(report)
        self._emit(
            kind, told, data={**data, "metadata": plain_metadata(report.metadata, type(report).__name__)}, wait=True
        )

    def succeeded(self, took: float) -> None:
        self._emit(EventType.STEP_SUCCESS, f"Step '{self._key}' succeeded in {took:.3g} s.", wait=True)

    def up_for_retry(self, error: ErrorInfo, delay: float, retry_number: int) -> None:
        again = f"It is tried again in {delay:.3g} s (retry {retry_number})."
        self._emit(
            EventType.STEP_UP_FOR_RETRY,
            f"Step '{self._key}' failed: {error.sentence} {again}",
            level="WARNING",
            data={"error": msgspec.to_builtins(error), "seconds_to_wait": delay, "retry_number": retry_number},
            wait=True,
        )

    def failed(self, error: ErrorInfo, metadata: Mapping[str, Any] | None = None) -> None:
        more = {"metadata": plain_or_said(metadata, "the Failure")} if metadata else {}
        self._emit(
            EventType.STEP_FAILURE,
            f"Step '{self._key}' failed: {error.sentence}",
            level="ERROR",
            data={"error": msgspec.to_builtins(error), **more},
            wait=True,
        )

    def _emit(self, kind: EventType, message: str, **more: Any) -> None:
        self._emitter.emit(kind, message, step_key=self._key, **more)


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
