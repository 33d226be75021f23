"""Values of user code in the form in which events, metadata and run config are kept: exact JSON, any storage takes it.

Numbers of more than 64 bits stay the numbers that they are. Texts lose what no storage takes: NUL and halves of
surrogate pairs become escapes. Objects that JSON does not know become their text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import RunCancelled
from .foreign import LONGEST_SHOWN, elements, is_text, repr_of, text_of
from .jsonable import MOST_BITS
from .text import bounded, storable

#: A longer message of an event or of a tick is cut, with its length named.
LONGEST_MESSAGE = 100_000
#: The same for the texts of metadata.
LONGEST_TEXT = 1_000_000
#: An object that JSON does not know is kept as text of at most so many characters.
LONGEST_OBJECT = 10_000
DEEPEST = 100
_LONGEST_PATH = 100
#: Values and characters in all.
MOST_VALUES = 200_000
MOST_CHARACTERS = 8_000_000


class NotKept(Exception):
    """A value cannot be kept. ``path`` leads to its part, ``why`` is a clause: ``it contains itself``."""

    def __init__(self, path: str, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{bounded(path, _LONGEST_PATH)}: {why}" if path else why)


def kept(value: Any, *, longest: int = LONGEST_TEXT) -> Any:
    """``value`` as plain JSON, of exact builtin types.

    Raises:
        NotKept: it contains itself, is too deep or too large, or cannot be read.
    """
    return _Keeper(longest).keep(value, "", ())


def kept_or_said(value: Any, *, longest: int = LONGEST_TEXT) -> Any:
    """As ``kept``; a sentence in the place of what cannot be."""
    try:
        return kept(value, longest=longest)
    except NotKept as error:
        return f"<not kept: {error}>"


def kept_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an event, each entry kept or said."""
    # A part of it may be kept already: there is room for what names the length of a text that was cut.
    return {key: kept_or_said(value, longest=LONGEST_TEXT + LONGEST_SHOWN) for key, value in data.items()}


def kept_message(text: str) -> str:
    """The message of an event, or a line of a tick."""
    return storable(bounded(text, LONGEST_MESSAGE))


class _Keeper:
    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._values, self._characters = MOST_VALUES, MOST_CHARACTERS

    def keep(self, value: Any, path: str, around: tuple[int, ...]) -> Any:
        """``around``: the identities of the containers that ``value`` is in."""
        self._values -= 1
        if self._values < 0:
            raise NotKept(path, f"there are more than {MOST_VALUES:,} values in it")
        kind = type(value)
        if kind in (bool, type(None)):
            return value
        if issubclass(kind, int | float):
            return _number(value, path)
        if issubclass(kind, Mapping):
            return self._mapping(value, path, self._inside(value, path, around))
        items = elements(value)
        if items is None:
            most = self._longest if is_text(value) else LONGEST_OBJECT
            return self._text(text_of(value, most), path)
        inside = self._inside(value, path, around)
        return [self.keep(item, _join(path, str(i)), inside) for i, item in enumerate(items)]

    def _mapping(self, value: Any, path: str, inside: tuple[int, ...]) -> dict[str, Any]:
        named = ((self._key(key, path), item) for key, item in _items(value, path))
        return {key: self.keep(item, _join(path, key), inside) for key, item in named}

    def _inside(self, value: Any, path: str, around: tuple[int, ...]) -> tuple[int, ...]:
        if id(value) in around:
            raise NotKept(path, "it contains itself")
        if len(around) == DEEPEST:
            raise NotKept(path, f"it is nested more than {DEEPEST} deep")
        return (*around, id(value))

    def _key(self, key: Any, path: str) -> str:
        return self._text(text_of(key, LONGEST_OBJECT), path)

    def _text(self, text: str, path: str) -> str:
        self._characters -= len(text)
        if self._characters < 0:
            raise NotKept(path, f"it holds more than {MOST_CHARACTERS:,} characters")
        return text


def _number(value: Any, path: str) -> int | float | str:
    if issubclass(type(value), float):
        number = float.__float__(value)
        return number if math.isfinite(number) else str(number)
    whole = int.__index__(value)
    if whole.bit_length() > MOST_BITS:
        raise NotKept(path, f"the number has more than {MOST_BITS:,} bits")
    return whole


def _items(value: Any, path: str) -> Iterable[tuple[Any, Any]]:
    """The items of a mapping; a dict's own, whatever the methods of its subclass do."""
    if issubclass(type(value), dict):
        return list(dict.items(value))
    try:
        return [(key, value[key]) for key in value]
    except RunCancelled:
        raise
    except BaseException as broken:
        raise NotKept(path, f"its items cannot be read: {repr_of(broken)}") from broken


def _join(path: str, part: str) -> str:
    part = part[:_LONGEST_PATH]
    return f"{path}.{part}" if path else part
