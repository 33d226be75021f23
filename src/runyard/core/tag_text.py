r"""A tag as one text, ``KEY=VALUE``: split at the first ``=``; in the key a ``\`` takes the next character as it is.

So every tag has a spelling: the key ``t=1`` is written ``t\=1``. The value is everything behind, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .errors import UserError
from .text import quoted

_KEY = re.compile(r"(?:[^=\\]|\\.)*", re.DOTALL)
_SPECIAL = re.compile(r"[=\\]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
HOW = r"write KEY=VALUE; a '=' of the key itself is written '\='"


class InvalidTagText(UserError):
    """Text that names no tag."""

    def __init__(self, text: str, why: str = HOW) -> None:
        super().__init__(f"{quoted(text)} names no tag: {why}.")


def spell_key(key: str) -> str:
    """The key as ``KEY=VALUE`` has it; most keys are spelled as they are."""
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", key)


def spell_tag(key: str, value: str) -> str:
    """What ``parse_tag`` reads as this tag."""
    return f"{spell_key(key)}={value}"


def parse_tag(text: str) -> tuple[str, str]:
    """The key and the value.

    Raises:
        InvalidTagText: there is no ``=`` behind a key.
    """
    spelled, value = split_spelled(text)
    if not spelled or value is None:
        raise InvalidTagText(text)
    return _ESCAPED.sub(r"\1", spelled), value


def parse_tags(texts: Iterable[str]) -> dict[str, str]:
    """Several tags that a run must have together.

    Raises:
        InvalidTagText: one names no tag, or two give one key different values.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, value = parse_tag(text)
        if found.setdefault(key, value) != value:
            raise InvalidTagText(text, f"'{spell_tag(key, found[key])}' is given too, and no run has both")
    return found


def split_spelled(text: str) -> tuple[str, str | None]:
    """The key as it is spelled, and the value; None where there is no ``=`` behind the key."""
    found = _KEY.match(text)
    end = found.end() if found else 0
    return text[:end], text[end + 1 :] if text[end : end + 1] == "=" else None
