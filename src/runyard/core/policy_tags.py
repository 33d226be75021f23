"""Tags by which a run says how long it may run and whether it is retried: their values, and whether they count."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple, TypeVar

from .errors import InvalidTag
from .tags import (
    MAX_RETRIES,
    MAX_RUNTIME,
    MAX_RUNTIME_SECONDS,
    RETRY_ON_STEP_FAILURE,
    RETRY_STRATEGY,
    priority_from_code,
    slots_or_one,
)
from .text import did_you_mean, quoted

T = TypeVar("T")
_MOST_RETRIES = 2**31 - 1


class RetryStrategy(str, Enum):
    """Names are the field's."""

    #: Steps that succeeded are not done again.
    FROM_FAILURE = "FROM_FAILURE"
    ALL_STEPS = "ALL_STEPS"


class TagsInForce(NamedTuple):
    """What the instance file has turned on; tags for the rest have no effect."""

    monitoring: bool = True
    retries: bool = True


def max_runtime(tags: Mapping[str, str]) -> float | None:
    """Seconds that the run may run, 0 for as long as it likes; None without the tag.

    Raises:
        InvalidTag: the value is no finite number of at least 0.
    """
    key = MAX_RUNTIME if MAX_RUNTIME in tags else MAX_RUNTIME_SECONDS
    return _read(tags, key, _seconds)


def max_retries(tags: Mapping[str, str]) -> int | None:
    """How often the run is retried at most; None without the tag.

    Raises:
        InvalidTag: the value is no whole number of at least 0.
    """
    return _read(tags, MAX_RETRIES, _count)


def retry_strategy(tags: Mapping[str, str]) -> RetryStrategy | None:
    """None without the tag.

    Raises:
        InvalidTag: the value names no strategy.
    """
    return _read(tags, RETRY_STRATEGY, _strategy)


def retry_on_step_failure(tags: Mapping[str, str]) -> bool | None:
    """Whether a failure of a step's code is retried too; None without the tag.

    Raises:
        InvalidTag: the value is neither true nor false.
    """
    return _read(tags, RETRY_ON_STEP_FAILURE, _flag)


def check_policy_tags(tags: Mapping[str, str]) -> None:
    """Raises InvalidTag for the first of these tags that has a value which means nothing."""
    for read, _ in _READERS:
        read(tags)


def bad_policy_tags(tags: Mapping[str, str]) -> list[str]:
    """For runs that code asks for: a warning for each such tag, with what counts in its place."""
    told = [(_fault(read, tags), instead) for read, instead in _READERS]
    return [f"{fault} {instead}" for fault, instead in told if fault]


def steering_from_code(tags: Mapping[str, str], in_force: TagsInForce) -> tuple[int, tuple[str, ...]]:
    """The priority of a run that code asks for, and a warning for each tag that means nothing or has no effect."""
    priority, bad_priority = priority_from_code(tags)
    _, bad_slots = slots_or_one(tags)
    bad = [told for told in (bad_priority, bad_slots) if told]
    return priority, (*bad, *bad_policy_tags(tags), *idle_policy_tags(tags, in_force))


def idle_policy_tags(tags: Mapping[str, str], in_force: TagsInForce) -> Iterator[str]:
    """A warning for each of these tags that asks for something which the instance file has not turned on."""
    runtime = MAX_RUNTIME if MAX_RUNTIME in tags else MAX_RUNTIME_SECONDS
    if not in_force.monitoring and _asks(max_runtime, tags):
        yield f"Tag '{runtime}' has no effect: {_off('run monitoring', 'is', 'run_monitoring', 'it')}"
    if not in_force.retries and _asks(max_retries, tags):
        yield f"Tag '{MAX_RETRIES}' has no effect: {_off('run retries', 'are', 'run_retries', 'them')}"


def _fault(read: Callable[[Mapping[str, str]], object], tags: Mapping[str, str]) -> InvalidTag | None:
    try:
        read(tags)
    except InvalidTag as error:
        return error
    return None


def _off(what: str, verb: str, section: str, pronoun: str) -> str:
    return f"{what} {verb} off; turn {pronoun} on with '{section}: {{enabled: true}}' in the instance file."


def _asks(read: Callable[[Mapping[str, str]], float | None], tags: Mapping[str, str]) -> bool:
    """Whether the value is good and not 0."""
    try:
        return bool(read(tags))
    except InvalidTag:
        return False


def _read(tags: Mapping[str, str], key: str, convert: Callable[[str, str], T]) -> T | None:
    text = tags.get(key)
    return None if text is None else convert(key, text.strip())


def _seconds(key: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise InvalidTag(key, f"{quoted(text)} is no number of seconds; write for example '3600', or '0' for no limit.")
    return value


def _count(key: str, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if not 0 <= value <= _MOST_RETRIES:
        raise InvalidTag(key, f"{quoted(text)} is no whole number of at least 0; write for example '3'.")
    return value


def _strategy(key: str, text: str) -> RetryStrategy:
    names = [strategy.value for strategy in RetryStrategy]
    if text not in names:
        hint = did_you_mean(text.upper(), names)
        raise InvalidTag(key, f"{quoted(text)} is neither {' nor '.join(names)}.{hint}")
    return RetryStrategy(text)


def _flag(key: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise InvalidTag(key, f"{quoted(text)} is neither 'true' nor 'false'.")
    return text.lower() == "true"


_READERS: tuple[tuple[Callable[[Mapping[str, str]], object], str], ...] = (
    (max_runtime, "The limit of the instance file counts, where it has one."),
    (max_retries, "The run is not retried."),
    (retry_strategy, f"{RetryStrategy.FROM_FAILURE.value} counts."),
    (retry_on_step_failure, "What the instance file says counts."),
)
