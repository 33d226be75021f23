"""Whether a failed try of a step is followed by another, and why a run failed."""

from __future__ import annotations

import traceback

from ..core.error_info import message_of
from ..core.foreign import class_name, is_of
from ..core.run import RunFailure
from ..definitions.policies import Failure, RetryRequested
from ..definitions.steps import Step
from .errors import RunCancelled

#: What a RetryPolicy applies to. Any other BaseException asks for more than the end of one try.
_TRIED_AGAIN = (Exception, KeyboardInterrupt, SystemExit)


def retry_delay(step: Step, error: BaseException, tries: int) -> float | None:
    """Seconds to wait before the next try, None when there is none; ``tries`` went before the one that failed."""
    if is_of(error, RunCancelled):
        return None
    if is_of(error, RetryRequested):
        return (error.seconds_to_wait or 0.0) if tries < error.max_retries else None
    if is_of(error, Failure) and not error.allow_retries:
        return None
    if not issubclass(type(error), _TRIED_AGAIN):
        return None
    return delay_by_policy(step, tries)


def delay_by_policy(step: Step, tries: int) -> float | None:
    """What the step's RetryPolicy says to a try that failed of itself or whose process died."""
    policy = step.retry_policy
    if policy is None or tries >= policy.max_retries:
        return None
    return policy.calculate_delay(tries + 1)


def free_memory(error: BaseException) -> None:
    """Drop the local variables of the calls that ran out of memory: telling of it needs some."""
    if is_of(error, MemoryError):
        traceback.clear_frames(error.__traceback__)


def failure_of(step_key: str | None, error: BaseException, *, by_step: bool = False) -> RunFailure:
    """Why a run failed, for its record."""
    cause = error.__cause__ if is_of(error, RetryRequested) and error.__cause__ is not None else error
    return RunFailure(class_name(type(cause)), message_of(cause), step_key, by_step)
