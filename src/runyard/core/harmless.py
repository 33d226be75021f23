"""Text of others for terminals and logs: what a terminal would obey, or hide text by, becomes a visible escape."""

from __future__ import annotations

import logging
import re

#: C0 except the line feed and the tab, DEL, C1, halves of surrogate pairs, line and paragraph separators, and what
#: turns the direction of writing or takes no room.
_OBEYED = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
    "\u200b\u200e\u200f\u061c\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f"
)
_IN_LINES = re.compile(f"[{_OBEYED}]")
_IN_A_LINE = re.compile(f"[\t\n{_OBEYED}]")


def harmless(text: str, *, lines: bool = False) -> str:
    """``text`` with escapes such as ``\\x1b`` in the place of characters that do something.

    Parameters:
        lines: keep line feeds and tabs.
    """
    return (_IN_LINES if lines else _IN_A_LINE).sub(_escape, text)


def harmless_json(text: str) -> str:
    """The same for a JSON document, which stays what it is."""
    return _IN_LINES.sub(_json_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


class HarmlessFormatter(logging.Formatter):
    """Further lines of a record are indented, so that no message can pass for a record of its own."""

    def format(self, record: logging.LogRecord) -> str:
        return harmless(super().format(record), lines=True).replace("\n", "\n    ")
