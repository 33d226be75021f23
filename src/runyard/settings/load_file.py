"""A load to simulate: a list of jobs with how often they come and how long they last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ..core.pool_names import pool_name_fault
from ..core.tags import MOST_SLOTS
from ..queue.simulation.arrivals import LoadEntry
from .concurrency import LONGEST_PERIOD
from .document import Source, compose, compose_json, empty_node
from .kinds import Either, Integer, Keys, Listing, Named, Number, Section, Text
from .text_file import read_text

#: More than this and a duration may be longer than a number can be.
MOST_SPREAD = 1000
#: ``duration``: seconds of every run, or a median with a spread (see LoadEntry).
_SECONDS = Number(maximum=LONGEST_PERIOD)
_ENTRY = Keys(
    {
        "job": Text(),
        "location": Text(),
        "at": _SECONDS,
        "every": Number(maximum=LONGEST_PERIOD, above=True),
        "count": Integer(minimum=1),
        "duration": Either(
            _SECONDS, Keys({"median": _SECONDS, "spread": Number(1, MOST_SPREAD)}, required=("median",))
        ),
        "priority": Integer(),
        "tags": Named(Text()),
        "pools": Named(Integer(minimum=1, maximum=MOST_SLOTS), pool_name_fault),
        "slots": Integer(minimum=1, maximum=MOST_SLOTS),
    },
    required=("job", "duration"),
)
_LOAD = Listing(_ENTRY)


def load_of_file(path: Path, *, env: Mapping[str, str]) -> list[LoadEntry]:
    """The load that a YAML or JSON file describes.

    Raises:
        ConfigError: the file cannot be read or says something that cannot be meant; names key, file and line.
    """
    source = Source(str(path), env)
    return _read(compose(read_text(path), source.file), "load", source)


def load_of_list(entries: Sequence[Any], *, at: str) -> list[LoadEntry]:
    """The same for a list that came as JSON; ``at`` is what errors call it."""
    source = Source("", {})
    return _read(compose_json(entries), at, source)


def _read(node: yaml.Node | None, at: str, source: Source) -> list[LoadEntry]:
    entries = _LOAD.read(node or empty_node(), at, source)
    if not entries:
        raise source.error(at, "expected a list of jobs with their durations, got nothing.", 1)
    return [_entry(entry) for entry in entries]


def _entry(entry: Section) -> LoadEntry:
    if "every" in entry and "count" not in entry:
        raise entry.error("every", f"this needs '{entry.path('count')}': how many come.")
    values = {key: value for key, value in entry.values.items() if key != "duration"}
    duration = entry.get("duration")
    if isinstance(duration, Section):
        return LoadEntry(**values, **duration.values)
    return LoadEntry(**values, median=duration)
