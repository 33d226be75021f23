"""What schedules and sensors answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import InvalidDefinition
from .config.run_config import RunConfig, as_run_config


class RunRequest:
    """Ask for a run.

    Parameters:
        run_key: at most one run is ever made for a key of this sensor, or of this schedule and time.
        job_name: needed when the sensor has several jobs.

    Raises:
        InvalidDefinition: run_key or job_name is no string.
        UserError: run_config is no dict or RunConfig.
    """

    def __init__(
        self,
        run_key: str | None = None,
        run_config: RunConfig | Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        job_name: str | None = None,
    ) -> None:
        for label, text in (("run_key", run_key), ("job_name", job_name)):
            if text is not None and not isinstance(text, str):
                raise InvalidDefinition(f"RunRequest: {label} is a string, not {text!r}.")
        self.run_key, self.job_name = run_key, job_name
        self.run_config = as_run_config(run_config)
        self.tags = dict(tags or {})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunRequest) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # holds dicts

    def __repr__(self) -> str:
        told = ", ".join(f"{key}={value!r}" for key, value in self.__dict__.items() if value)
        return f"RunRequest({told})"


class SkipReason:
    """Say why no run is asked for."""

    def __init__(self, skip_message: str | None = None) -> None:
        self.skip_message = skip_message

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SkipReason) and self.skip_message == other.skip_message

    def __hash__(self) -> int:
        return hash(self.skip_message)

    def __repr__(self) -> str:
        return f"SkipReason({self.skip_message!r})"


class SensorResult:
    """A sensor's whole answer: run requests or a skip reason, and the new cursor.

    Raises:
        InvalidDefinition: both run requests and a skip reason are given.
    """

    def __init__(
        self,
        run_requests: Sequence[RunRequest] | None = None,
        skip_reason: SkipReason | str | None = None,
        cursor: str | None = None,
    ) -> None:
        if run_requests and skip_reason:
            raise InvalidDefinition("SensorResult: give run_requests or a skip_reason, not both.")
        self.run_requests = list(run_requests) if run_requests is not None else None
        self.skip_reason = SkipReason(skip_reason) if isinstance(skip_reason, str) else skip_reason
        self.cursor = cursor

    def __repr__(self) -> str:
        return f"SensorResult({self.run_requests!r}, skip_reason={self.skip_reason!r}, cursor={self.cursor!r})"
