"""Whether a value can be kept: every storage takes it and gives it back unchanged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from .text import shortened, storable

#: Python itself turns numbers of some thousand digits into text and back; a longer one takes its time for that.
MOST_BITS = 8192
#: Levels of lists and mappings inside each other: more than any configuration has, and less than what parsers in C and
#: Python's own recursion take.
DEEPEST = 100
#: Values of one document, so that looking at each takes a fraction of a second.
MOST_VALUES = 250_000


def unstorable(value: Any) -> tuple[str, str] | None:
    """The first part of a JSON value that cannot be stored, as (path, message); None when all of it can.

    Refused are numbers that JSON does not hold or that are too long, the character NUL, halves of surrogate pairs, and
    values that are nested too deeply or are too many.
    """
    trail: list[str] = []
    levels = [iter([("", value)])]
    seen = 0
    while levels:
        pair = next(levels[-1], None)
        if pair is None:
            levels.pop()
            del trail[-1:]
            continue
        key, item = pair
        seen += 1
        if fault := text_fault(key):
            return _path(trail), fault
        if fault := _size_fault(len(levels), seen) or scalar_fault(item):
            return _path([*trail, key]), fault
        if isinstance(item, (dict, list, tuple)):
            trail.append(key)
            levels.append(_inside(item))
    return None


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return ((str(key), item) for key, item in pairs)


def _path(keys: Sequence[str]) -> str:
    """The first is the name of the whole, which has none."""
    return ".".join(shortened(storable(key)) for key in keys[1:])


def _size_fault(depth: int, seen: int) -> str | None:
    if depth > DEEPEST:
        return f"nested more than {DEEPEST} levels deep"
    return f"more than {MOST_VALUES:,} values" if seen > MOST_VALUES else None


def scalar_fault(value: Any) -> str | None:
    """Why a string or number cannot be stored as it is; a clause."""
    if isinstance(value, str):
        return text_fault(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is not a number that JSON knows"
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return f"the number has more than {MOST_BITS:,} bits"
    return None


def text_fault(text: str) -> str | None:
    """Why a text cannot be stored as it is; a clause."""
    if "\0" in text:
        return "text may not contain the character NUL"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "text is not valid Unicode: half of a surrogate pair"
    return None
