"""What schedules and sensors answer. Each part is checked when it is made, so that an error shows the user's line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.bounds import CURSOR, RUN_KEY, check_run_config
from ..core.errors import InvalidDefinition, TooLarge, UserError
from ..core.foreign import repr_of
from .config.plain import plain_config
from .config.run_config import RunConfig, as_run_config
from .names import checked_tags
from .texts import checked_text, optional_text, unchanged_text


class RunRequest:
    """Ask for a run.

    Parameters:
        run_key: at most one run is ever made for a key of this sensor, or of this schedule and time.
        job_name: needed when the sensor has several jobs.

    Raises:
        InvalidDefinition: run_key or job_name is no string, or a tag or a value of run_config cannot be stored.
        UserError: run_config is no dict or RunConfig.
    """

    def __init__(
        self,
        run_key: str | None = None,
        run_config: RunConfig | Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        job_name: str | None = None,
    ) -> None:
        self.run_key = unchanged_text("RunRequest: run_key", run_key, RUN_KEY)
        self.job_name = optional_text("RunRequest: job_name", job_name)
        self.run_config = as_run_config(run_config)
        _check_config(self.run_config)
        self.tags = checked_tags("RunRequest", tags, by=None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunRequest) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # holds dicts

    def __repr__(self) -> str:
        told = ", ".join(f"{key}={value!r}" for key, value in self.__dict__.items() if value)
        return f"RunRequest({told})"


def _check_config(config: Mapping[str, Any]) -> None:
    try:
        check_run_config("RunRequest", plain_config(config))
    except TooLarge as error:
        raise InvalidDefinition(str(error)) from None
    except UserError as error:
        raise InvalidDefinition(f"RunRequest: run_config, {error}") from None
    except RecursionError:
        raise InvalidDefinition("RunRequest: run_config contains itself, or is nested too deep.") from None


class SkipReason:
    """Say why no run is asked for.

    Raises:
        InvalidDefinition: it is no string.
    """

    def __init__(self, skip_message: str | None = None) -> None:
        self.skip_message = optional_text("SkipReason: the reason", skip_message)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SkipReason) and self.skip_message == other.skip_message

    def __hash__(self) -> int:
        return hash(self.skip_message)

    def __repr__(self) -> str:
        return f"SkipReason({self.skip_message!r})"


class SensorResult:
    """A sensor's whole answer: run requests or a skip reason, and the new cursor.

    Raises:
        InvalidDefinition: both run requests and a skip reason are given, or a part is of another type.
    """

    def __init__(
        self,
        run_requests: Sequence[RunRequest] | None = None,
        skip_reason: SkipReason | str | None = None,
        cursor: str | None = None,
    ) -> None:
        self.run_requests = None if run_requests is None else _checked_requests(run_requests)
        self.skip_reason = _checked_reason(skip_reason)
        self.cursor = checked_cursor("SensorResult: cursor", cursor)
        if self.run_requests and self.skip_reason:
            raise InvalidDefinition("SensorResult: give run_requests or a skip_reason, not both.")

    def __repr__(self) -> str:
        return f"SensorResult({self.run_requests!r}, skip_reason={self.skip_reason!r}, cursor={self.cursor!r})"


def checked_cursor(place: str, cursor: Any) -> str | None:
    """Raises InvalidDefinition for what is no string, or would not be given back to the next tick as it is."""
    return unchanged_text(place, cursor, CURSOR, "; json.dumps it")


def _checked_requests(requests: Any) -> list[RunRequest]:
    if isinstance(requests, str) or not isinstance(requests, Sequence):
        raise InvalidDefinition(f"SensorResult: run_requests is a list of RunRequests, not {repr_of(requests)}.")
    for number, request in enumerate(requests):
        if not isinstance(request, RunRequest):
            raise InvalidDefinition(f"SensorResult: run_requests[{number}] is a RunRequest, not {repr_of(request)}.")
    return list(requests)


def _checked_reason(reason: Any) -> SkipReason | None:
    if reason is None or isinstance(reason, SkipReason):
        return reason
    return SkipReason(checked_text("SensorResult: skip_reason", reason))
