"""Texts and flags that user code gives, checked where it gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import InvalidDefinition
from ..core.foreign import class_name, exact_text, is_text, repr_of
from ..core.jsonable import text_fault


def checked_text(place: str, value: Any, hint: str = "") -> str:
    """Raises InvalidDefinition for what is no string; ``place`` names it: ``SensorResult: cursor``."""
    if not is_text(value):
        raise InvalidDefinition(f"{place} is a string, not {repr_of(value)}{hint}.")
    return exact_text(value)


def optional_text(place: str, value: Any) -> str | None:
    """As ``checked_text``; None stays None."""
    return None if value is None else checked_text(place, value)


def unchanged_text(place: str, value: Any, most: int, hint: str = "") -> str | None:
    """A text that has to come back as it was given, or None.

    Raises:
        InvalidDefinition: it is no string, is longer than ``most`` characters, or cannot be stored as it is.
    """
    if value is None:
        return None
    text = checked_text(place, value, hint)
    if len(text) > most:
        raise InvalidDefinition(f"{place} has {len(text):,} characters; {most:,} are the most.")
    fault = text_fault(text)
    if fault:
        raise InvalidDefinition(f"{place} {repr_of(text)} cannot be stored: {fault}.")
    return text


def text_tags(owner: str, tags: Any) -> dict[str, str]:
    """Tags whose keys and values are strings. Raises InvalidDefinition for others."""
    if tags is None:
        return {}
    if not isinstance(tags, Mapping):
        raise InvalidDefinition(f"{owner}: tags is a dict, not {repr_of(tags)}.")
    return {
        checked_text(f"{owner}: a tag's key", key): checked_text(f"{owner}: tag {repr_of(key)}", tags[key])
        for key in tags
    }


def checked_bool(place: str, value: Any) -> bool:
    """Raises InvalidDefinition for what is neither True nor False."""
    # numpy's own kind of bool is no subclass: its comparisons answer with it.
    if not issubclass(type(value), bool) and class_name(type(value)) not in ("bool_", "bool"):
        raise InvalidDefinition(f"{place} is True or False, not {repr_of(value)}.")
    return bool(value)
