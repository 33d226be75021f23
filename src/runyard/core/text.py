"""Small helpers for messages that people read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import datetime, timezone

#: Characters of something that a person wrote, where a sentence repeats it.
_ECHO = 80


def shortened(text: str, most: int = _ECHO) -> str:
    """``text``, or its first ``most`` characters and an ellipsis."""
    return text if len(text) <= most else f"{text[:most]}…"


def quoted(text: str) -> str:
    """``text`` between quotation marks as a sentence repeats it: cut, whatever its length."""
    return f"'{shortened(text)}'"


def nearest(word: str, options: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The option that ``word`` most likely means, or None when none is as near as ``cutoff`` (1: the same)."""
    # Comparing takes the product of the lengths: a word beyond what is repeated to a person means none of them.
    if len(word) > _ECHO:
        return None
    short = [option for option in options if len(option) <= 2 * _ECHO]
    found = difflib.get_close_matches(word, short, n=1, cutoff=cutoff)
    return found[0] if found else None


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` with a leading space, or an empty string."""
    option = nearest(word, options)
    return f" Did you mean {quoted(option)}?" if option else ""


def storable(text: str) -> str:
    """Text that every storage takes: NUL and halves of surrogate pairs are written as escapes."""
    if text.isascii():
        return text.replace("\0", "\\x00")
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def bounded(text: str, most: int) -> str:
    """``text``, cut after ``most`` characters with its length named."""
    return text if len(text) <= most else f"{shortened(text, most)} ({len(text):,} characters)"


def listing(names: Iterable[str], most: int = 8) -> str:
    """Names for a sentence: sorted, comma separated, cut after ``most``."""
    ordered = sorted(names)
    shown = ", ".join(shortened(name) for name in ordered[:most])
    return shown if len(ordered) <= most else f"{shown} and {len(ordered) - most} more"


_SENTENCE_ENDS = (".", "!", "?", "\u2026", "\u3002")
_CLOSING_MARKS = "\"'\u201d\u2019\u00bb`)]*"


def sentence(text: str) -> str:
    """The first line of somebody's text, ended so that another sentence can follow; empty when it has none."""
    line = next((line for line in map(str.strip, text.splitlines()) if line), "").rstrip(",;:")
    return line if not line or line.rstrip(_CLOSING_MARKS).endswith(_SENTENCE_ENDS) else f"{line}."


def counted(number: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """``0.3 s``, ``42 s``, ``3 min 20 s``, ``1 min``, ``5 h 2 min``, ``3 d 4 h``."""
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{left} s"
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return _parts((minutes, "min"), (left, "s"))
    days, hours = divmod(hours, 24)
    return _parts((hours, "h"), (minutes, "min")) if days == 0 else _parts((days, "d"), (hours, "h"))


def _parts(*parts: tuple[int, str]) -> str:
    return " ".join(f"{number} {unit}" for number, unit in parts if number)


def utc_time(seconds: float, *, now: float) -> str:
    """``12:00 UTC``, with the date when it is not the day of ``now``; both seconds since the epoch."""
    time, today = (datetime.fromtimestamp(moment, tz=timezone.utc) for moment in (seconds, now))
    return time.strftime("%H:%M UTC" if time.date() == today.date() else "%Y-%m-%d %H:%M UTC")
