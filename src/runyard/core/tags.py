"""Tags: the field's names, what a value may be, and what the priority tag means."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from . import bounds
from .errors import InvalidTag
from .foreign import LONGEST_SHOWN, exact_text, is_text, text_of
from .text import quoted, shortened

PRIORITY = "dagster/priority"
#: How many slots the run takes of every limit that counts runs; 1 without it. The field has no such tag.
SLOTS = "runyard/slots"
SCHEDULE_NAME = "dagster/schedule_name"
SENSOR_NAME = "dagster/sensor_name"
TICK = "dagster/tick"
RUN_KEY = "dagster/run_key"
CODE_LOCATION = "dagster/code_location"
MAX_RUNTIME = "dagster/max_runtime"
#: The field takes both names.
MAX_RUNTIME_SECONDS = "dagster/max_runtime_seconds"
MAX_RETRIES = "dagster/max_retries"
RETRY_STRATEGY = "dagster/retry_strategy"
RETRY_ON_STEP_FAILURE = "dagster/retry_on_asset_or_op_failure"
#: The field's wish for a process of its own; every run has one here.
ISOLATION = "dagster/isolation"
RETRY_NUMBER = "dagster/retry_number"
WILL_RETRY = "dagster/will_retry"
AUTO_RETRY_RUN_ID = "dagster/auto_retry_run_id"
#: On a run that does only what is left of its parent.
IS_RESUME_RETRY = "dagster/is_resume_retry"
#: Step keys, joined by commas: the only ones that the run does.
STEP_SELECTION = "dagster/step_selection"
PARENT_RUN_ID = "dagster/parent_run_id"
ROOT_RUN_ID = "dagster/root_run_id"
FAILURE_REASON = "dagster/failure_reason"
PARTITION = "dagster/partition"
SCHEDULED_TIME = ".dagster/scheduled_execution_time"

#: What Runyard says about one run by tags; a run that repeats it, by itself or by hand, starts without them.
OF_ONE_RUN = frozenset(
    {
        PARENT_RUN_ID,
        ROOT_RUN_ID,
        RETRY_NUMBER,
        WILL_RETRY,
        AUTO_RETRY_RUN_ID,
        IS_RESUME_RETRY,
        FAILURE_REASON,
    }
)

#: Of runs and of steps, and of both together where a step asks for slots of a pool.
LEAST_PRIORITY, MOST_PRIORITY = -(2**31), 2**31 - 1
#: Digits of a number that is worth computing; Python refuses to for some thousands.
_MOST_DIGITS = 30
MOST_SLOTS = 1000


def normalise(tags: Mapping[str, Any] | None) -> dict[str, str]:
    """Tags as they are stored: strings stay, other values become their JSON.

    Raises:
        InvalidTag: a key is not a non-empty string, a value has no JSON form, or one of them cannot be stored.
        TooLarge: there are too many.
    """
    found = {_key(key): _text(key, value) for key, value in (tags or {}).items()}
    bounds.check_count("Tags of a run", len(found), bounds.TAGS)
    for key, value in found.items():
        bounds.check_tag(key, value)
    return found


def _key(key: Any) -> str:
    if not is_text(key) or not key:
        raise InvalidTag(text_of(key, LONGEST_SHOWN), "a tag's key is a non-empty string.")
    return exact_text(key)


def _text(key: str, value: Any) -> str:
    return exact_text(value) if is_text(value) else _json(key, value)


def _json(key: str, value: Any) -> str:
    try:
        return json.dumps(value, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        told = f"a value is a string or something with a JSON form; {shortened(str(error), 200)}."
        raise InvalidTag(key, told) from None


def inherited(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of a run that go on to one that does its work again."""
    return {key: value for key, value in tags.items() if key not in OF_ONE_RUN}


def selection_text(step_keys: Iterable[str]) -> str:
    """The value of the tag that names the only steps of a run."""
    return ",".join(step_keys)


def parse_selection(tags: Mapping[str, str]) -> tuple[str, ...] | None:
    """The only steps that the run does; None when it does all of its job's."""
    text = tags.get(STEP_SELECTION)
    return None if text is None else tuple(key.strip() for key in text.split(",") if key.strip())


def parse_priority(tags: Mapping[str, str]) -> int:
    """The run's priority: an integer written as a string, negative allowed, 0 without the tag.

    Raises:
        InvalidTag: the value is no integer or needs more than 32 bits.
    """
    return _whole_number(tags, PRIORITY, 0, (LEAST_PRIORITY, MOST_PRIORITY), "'5' or '-1'")


def parse_slots(tags: Mapping[str, str]) -> int:
    """How many slots the run takes: a positive integer written as a string, 1 without the tag.

    Raises:
        InvalidTag: the value is no integer or below 1 or above 1000.
    """
    return _whole_number(tags, SLOTS, 1, (1, MOST_SLOTS), "'2'")


def _whole_number(tags: Mapping[str, str], key: str, default: int, bounds: tuple[int, int], examples: str) -> int:
    text = tags.get(key)
    if text is None:
        return default
    try:
        value = int(_bounded(text.strip()))
    except ValueError:
        raise InvalidTag(key, f"{quoted(text)} is not a whole number; write for example {examples}.") from None
    if not bounds[0] <= value <= bounds[1]:
        raise TagOutOfRange(key, value, bounds)
    return value


def _bounded(number: str) -> str:
    digits = number.lstrip("+-").isdigit()
    return number[:_MOST_DIGITS] if digits else number


class TagOutOfRange(InvalidTag):
    """A number that means something, and more than there is. ``nearest`` is the one that counts for it."""

    def __init__(self, key: str, value: int, bounds: tuple[int, int]) -> None:
        self.nearest = min(max(value, bounds[0]), bounds[1])
        super().__init__(key, f"{value} is outside {bounds[0]} to {bounds[1]}.")


def priority_from_code(tags: Mapping[str, str], whose: str = "run") -> tuple[int, str | None]:
    """The priority of runs and steps (``whose``) that code asks for, with the warning to show.

    One beyond the range is the nearest in it: what was meant to go first goes first. Any other bad value counts as 0.
    """
    try:
        return parse_priority(tags), None
    except TagOutOfRange as error:
        return error.nearest, f"{error} The {whose} counts as priority {error.nearest}."
    except InvalidTag as error:
        return 0, f"{error} The {whose} counts as priority 0."


def add_priorities(first: int, second: int) -> int:
    """Both together, kept within the range."""
    return min(MOST_PRIORITY, max(LEAST_PRIORITY, first + second))


def slots_or_one(tags: Mapping[str, str]) -> tuple[int, str | None]:
    """The slots of runs that code asks for: a bad value counts as 1, with the warning to show."""
    if SLOTS not in tags:
        return 1, None
    try:
        return parse_slots(tags), None
    except InvalidTag as error:
        return 1, f"{error} The run counts as one slot."
