"""Who may set which tag: under ``dagster/`` and ``runyard/`` a key has a meaning, so a wrong one is refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from . import tags as names
from .errors import InvalidTag
from .text import nearest


class TagSetter(Enum):
    """Where a tag comes from; the value begins a sentence about it."""

    PERSON = "A person"
    #: The ``tags`` and ``tags_fn`` of a schedule: the field is strict there.
    SCHEDULE = "A schedule"
    #: Jobs, graphs and sensors.
    DEFINITION = "A definition"
    #: Tags of ops stay on their steps: no run gets them.
    STEP = "An op"


FIELD, OURS, HIDDEN = "dagster/", "runyard/", ".dagster/"

#: What every setter may set, because it steers the run.
STEERING = frozenset(
    {
        names.PRIORITY,
        names.MAX_RUNTIME,
        names.MAX_RUNTIME_SECONDS,
        names.MAX_RETRIES,
        names.RETRY_STRATEGY,
        names.RETRY_ON_STEP_FAILURE,
        names.ISOLATION,
        names.SLOTS,
    }
)
#: Tags of the field that Runyard keeps and does not act on. Code that was written for the field has them.
_LABELS = frozenset(
    FIELD + name
    for name in (
        "asset_evaluation_id",
        "asset_partition_range_end",
        "asset_partition_range_start",
        "auto_materialize",
        "auto_observe",
        "backfill",
        "compute_kind",
        "concurrency_key",
        "from_automation_condition",
        "image",
        "is_asset_resume_retry",
        "parent_backfill_id",
        "partition",
        "partition_set",
        "reporting_user",
        "root_backfill_id",
        "solid_selection",
    )
)
_LABEL_FAMILIES = (f"{FIELD}kind/", f"{FIELD}partition/")
#: Tags that Runyard writes, each with what a person who sets it may mean instead.
WRITTEN = {
    names.CODE_LOCATION: "name the location where the run is launched",
    names.SCHEDULE_NAME: "",
    names.SENSOR_NAME: "",
    names.TICK: "",
    names.RUN_KEY: "a RunRequest takes run_key=…",
    names.PARENT_RUN_ID: "re-execute the run instead",
    names.ROOT_RUN_ID: "re-execute the run instead",
    names.IS_RESUME_RETRY: "re-execute the run from failure instead",
    names.STEP_SELECTION: "re-execute the run with the steps named",
    names.RETRY_NUMBER: "",
    names.WILL_RETRY: "",
    names.AUTO_RETRY_RUN_ID: "",
    names.FAILURE_REASON: "",
}
#: Two keys this alike differ by a typing error. Less alike, a definition may mean what it says.
_TYPING_ERROR = 0.75


def is_written(key: str) -> bool:
    """Whether Runyard itself writes this tag on runs."""
    return key in WRITTEN or key.startswith(HIDDEN)


def refusal(setter: TagSetter, key: str) -> str | None:
    """Why ``setter`` may not set a tag ``key``, as a sentence with the tags that it may set; None: it may."""
    if not key.startswith((FIELD, OURS, HIDDEN)) or key in STEERING:
        return None
    if is_written(key):
        return None if setter is TagSetter.STEP else _written(setter, key)
    if key in _LABELS or key.startswith(_LABEL_FAMILIES):
        return _not_allowed(setter, key) if setter is TagSetter.SCHEDULE else None
    strict = setter in (TagSetter.PERSON, TagSetter.SCHEDULE) or key.startswith(OURS)
    return _not_allowed(setter, key) if strict or mistyped(key) else None


def check_settable(setter: TagSetter, keys: Iterable[str]) -> None:
    """Raises InvalidTag for the first key that ``setter`` may not set."""
    for key in keys:
        told = refusal(setter, key)
        if told is not None:
            raise InvalidTag(key, told)


def mistyped(key: str) -> str | None:
    """The tag with a meaning that ``key`` was most likely meant to be; None for a key that nothing is near."""
    for space in (FIELD, OURS):
        if key.startswith(space) and key not in STEERING | _LABELS:
            meant = [known.removeprefix(space) for known in STEERING | _LABELS if known.startswith(space)]
            near = nearest(key.removeprefix(space), meant, cutoff=_TYPING_ERROR)
            return f"{space}{near}" if near else None
    return None


def from_request(tags: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The tags of a run request that count, and warnings for the run's log.

    A run request may hold all tags of another run: what Runyard writes about that one is left out of the new one.
    """
    kept = {key: value for key, value in tags.items() if not is_written(key)}
    warnings = [
        f"Tag '{key}' of the run request is left out: Runyard writes it itself." for key in tags if is_written(key)
    ]
    for key in kept:
        meant = mistyped(key)
        if meant is not None:
            warnings.append(f"Tag '{key}' has no meaning. Did you mean '{meant}'?")
    return kept, warnings


def _written(setter: TagSetter, key: str) -> str:
    instead = WRITTEN.get(key)
    return f"Runyard writes this tag itself{f'; {instead}' if instead else ''}. {_allowed(setter, key)}"


def _not_allowed(setter: TagSetter, key: str) -> str:
    meant = mistyped(key)
    hint = f" Did you mean '{meant}'?" if meant else ""
    return f"there is no such tag to set.{hint} {_allowed(setter, key)}"


def _allowed(setter: TagSetter, key: str) -> str:
    space = OURS if key.startswith(OURS) else FIELD
    allowed = ", ".join(sorted(each for each in STEERING if each.startswith(space)))
    others = f", and labels such as {names.PARTITION}" if space == FIELD and setter is not TagSetter.SCHEDULE else ""
    return f"{setter.value} may set under '{space}': {allowed}{others}."
