"""Small helpers for messages that people read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, options: Iterable[str]) -> str | None:
    """The option that ``word`` most likely means, or None when none is near."""
    found = difflib.get_close_matches(word, list(options), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` with a leading space, or an empty string."""
    option = nearest(word, options)
    return f" Did you mean '{option}'?" if option else ""


def listing(names: Iterable[str], most: int = 8) -> str:
    """Names for a sentence: sorted, comma separated, cut after ``most``."""
    ordered = sorted(names)
    shown = ", ".join(ordered[:most])
    return shown if len(ordered) <= most else f"{shown} and {len(ordered) - most} more"
