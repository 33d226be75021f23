"""What a process that ended printed last, for the error that tells of its end."""

from __future__ import annotations

import re

#: So much of the end is kept, in bytes and in lines.
LONGEST = 4096
_MOST_LINES = 20
_TRACEBACK = "Traceback (most recent call last):"
#: A line of a host's own log that tells of nothing wrong.
_ROUTINE = re.compile(r"\d{4}-\d\d-\d\d \S+ INFO ")


def last_words(output: bytes) -> str:
    """The last lines; of a traceback at the end only what it says, since its frames are Runyard's."""
    text = output[-LONGEST:].decode(errors="replace")
    lines = [line.rstrip() for line in text.splitlines() if line.strip() and not _ROUTINE.match(line)]
    if _TRACEBACK in lines:
        after = lines[len(lines) - lines[::-1].index(_TRACEBACK) :]
        said = [number for number, line in enumerate(after) if not line.startswith(" ")]
        if said:
            lines = after[said[0] :]
    return "\n".join(lines[-_MOST_LINES:]).strip()
