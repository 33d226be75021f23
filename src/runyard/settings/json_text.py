"""JSON that a person writes, within the bounds of YAML."""

from __future__ import annotations

import json
from typing import Any

from .composer import DEEPEST


def read_json(text: str) -> Any:
    """The value.

    Raises:
        ValueError: this is not JSON (``json.JSONDecodeError``, which knows the place), or is nested too deeply.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise _too_deep() from None
    level = [value]
    for _ in range(DEEPEST):
        level = [item for each in level for item in _items(each)]
        if not level:
            return value
    raise _too_deep()


def _items(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> ValueError:
    return ValueError(f"nested too deeply: more than {DEEPEST} levels")
