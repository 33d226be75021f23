"""Names, tags and places: what every definition checks about itself."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..core.bounds import NAME, check_text
from ..core.errors import InvalidDefinition, InvalidTag, TooLarge
from ..core.tag_owners import TagSetter, check_settable
from ..core.tags import normalise
from ..core.text import shortened
from .callables import innermost, name_of

_NAME = re.compile(r"[A-Za-z0-9_]+\Z")
_RESERVED = frozenset({"context", "config"})


def check_name(kind: str, name: Any) -> str:
    """``name`` when it is letters, digits and underscores, and not too long.

    Raises:
        InvalidDefinition: it is anything else.
        TooLarge: it is too long.
    """
    if not isinstance(name, str) or not _NAME.match(name):
        raise InvalidDefinition(f"{shortened(repr(name))} is no name for {kind}: use letters, digits and underscores.")
    check_text(f"The name of {kind}", name, NAME)
    return name


def check_slot_name(owner: str, kind: str, name: str) -> None:
    """As ``check_name``, for inputs and outputs, which may not be called like a parameter with a meaning."""
    check_name(f"an {kind} of {owner}", name)
    if name in _RESERVED:
        raise InvalidDefinition(f"{owner}: '{name}' cannot be the name of an {kind}; it has a meaning of its own.")


def own_name(kind: str, name: str | None, function: Callable[..., Any]) -> str:
    """The name given, else the function's.

    Raises:
        InvalidDefinition: neither is there, as for a partial or an object to call.
    """
    found = name or name_of(function)
    if found is None:
        raise InvalidDefinition(f"{kind} of a {type(function).__name__} needs a name: give it as name=….")
    return found


def checked_tags(
    owner: str, tags: Mapping[str, Any] | None, by: TagSetter | None = TagSetter.DEFINITION
) -> dict[str, str]:
    """Tags as they are stored. ``by`` None: every key will do, because no run is stored with them.

    Raises:
        InvalidDefinition: a key is no string or not ``by``'s to set, or a value has no JSON form; names ``owner`` and
            the tag.
    """
    if tags is not None and not isinstance(tags, Mapping):
        raise InvalidDefinition(f"{owner}: tags are a dict, not {type(tags).__name__}.")
    try:
        found = normalise(tags)
        if by is not None:
            check_settable(by, found)
    except (InvalidTag, TooLarge) as error:
        raise InvalidDefinition(f"{owner}: {error}") from None
    return found


def place(function: Callable[..., Any]) -> str:
    """`` (jobs.py:12)`` for messages, empty when the function has no source."""
    code = getattr(innermost(function), "__code__", None)
    return f" ({code.co_filename.rpartition('/')[2]}:{code.co_firstlineno})" if code else ""


def describe_function(function: Callable[..., Any], description: str | None) -> str | None:
    """The description given, else the function's docstring with its indentation taken off."""
    # A partial has the docstring of partials.
    text = getattr(function if name_of(function) else innermost(function), "__doc__", None)
    return inspect.cleandoc(text) if description is None and text else description
