"""Whether a value can be kept: every storage takes it and gives it back unchanged."""

from __future__ import annotations

import math
from typing import Any

#: Python itself turns numbers of some thousand digits into text and back; a longer one takes its time for that.
MOST_BITS = 8192


def unstorable(value: Any, path: str = "") -> tuple[str, str] | None:
    """The first part of a JSON value that cannot be stored, as (path, message); None when all of it can.

    Refused are numbers that JSON does not hold or that are too long, the character NUL, and halves of surrogate pairs.
    """
    if isinstance(value, dict):
        return _first(
            unstorable(key, path) or unstorable(item, f"{path}.{key}" if path else key) for key, item in value.items()
        )
    if isinstance(value, (list, tuple)):
        return _first(unstorable(item, f"{path}.{index}" if path else str(index)) for index, item in enumerate(value))
    message = scalar_fault(value)
    return (path.encode("utf-8", "backslashreplace").decode(), message) if message else None


def _first(faults: Any) -> tuple[str, str] | None:
    return next((fault for fault in faults if fault), None)


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
