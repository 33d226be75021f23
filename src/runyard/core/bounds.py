"""How large a thing may be that a person, a program or user code hands over. Every bound is stated here and nowhere
else; the check is made where all callers pass. What was stored before stays readable and deletable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import InvalidTag, TooLarge
from .jsonable import unstorable
from .text import quoted, storable

if TYPE_CHECKING:
    # Importing definitions loads no msgspec.
    from .run import NewRun

#: Characters of a name: job, op, schedule, sensor, pool, code location; and of a tag's key.
NAME = 255
#: Characters of a tag's value; of keys that tell repetitions apart, and of the reason that a person gives.
TAG_VALUE = 8_000
RUN_KEY = 1_500
#: Characters of a sensor's cursor.
CURSOR = 1_000_000
IDEMPOTENCY_KEY = 255
REASON = 1_000
#: Tags of a run, and tags that a filter names.
TAGS = 200
FILTER_TAGS = 50
#: Bytes of run config as JSON.
RUN_CONFIG = 1024 * 1024


def check_text(subject: str, text: str | None, most: int) -> None:
    """Raises TooLarge when ``text`` has more than ``most`` characters; ``subject`` begins the sentence."""
    if text is not None and len(text) > most:
        raise TooLarge(f"{subject} may have {most:,} characters; {quoted(text)} has {len(text):,}.")


def check_count(subject: str, number: int, most: int) -> None:
    """Raises TooLarge when there are more than ``most``; ``subject`` begins the sentence."""
    if number > most:
        raise TooLarge(f"{subject}: {number:,} are too many; the most is {most:,}.")


def check_tag(key: str, value: str) -> None:
    """Raises InvalidTag for a key or value that is too long, or that no storage gives back as it was."""
    if len(key) > NAME:
        raise InvalidTag(key, f"a tag's key may have {NAME} characters; this one has {len(key):,}.")
    if len(value) > TAG_VALUE:
        raise InvalidTag(key, f"a tag's value may have {TAG_VALUE:,} characters; this one has {len(value):,}.")
    fault = unstorable([key, value])
    if fault:
        raise InvalidTag(storable(key), f"{fault[1]}.")


def check_filter(*names: str | None, tags: Mapping[str, str]) -> None:
    """Raises TooLarge for a filter that names more than a database looks for at once."""
    for name in names:
        check_text("A name in a filter", name, NAME)
    check_count("Tags in a filter", len(tags), FILTER_TAGS)
    for key, value in tags.items():
        check_text("A tag's key in a filter", key, NAME)
        check_text("A tag's value in a filter", value, TAG_VALUE)


def check_run(run: NewRun) -> None:
    """Whether a new run is of a size that is stored, whoever wants it.

    Raises:
        TooLarge: a name is too long, there are too many tags, or the run config is too large.
        InvalidTag: a tag is too long, or cannot be given back as it was.
    """
    check_text("The name of a job", run.job_name, NAME)
    check_text("The name of a code location", run.location_name, NAME)
    check_count("Tags of a run", len(run.tags), TAGS)
    for key, value in run.tags.items():
        check_tag(key, value)
    check_run_config(run.job_name, run.run_config)


def check_run_config(job_name: str, run_config: Mapping[str, Any]) -> None:
    """Raises TooLarge for run config that is too large or nested too deeply."""
    subject = f"Run config of {quoted(job_name)}"
    try:
        size = len(json.dumps(run_config, default=str)) if run_config else 0
    except RecursionError:
        raise TooLarge(f"{subject} is nested too deeply.") from None
    if size > RUN_CONFIG:
        raise TooLarge(f"{subject} has {size:,} bytes as JSON; the most is {RUN_CONFIG:,}.")
