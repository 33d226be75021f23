"""The one way to a terminal: what others wrote is made harmless, what we style keeps its style.

Nothing else of the commands prints (ruff sees to it), so no caller has to think of it.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import sys
from typing import Any, TextIO

import click

from ..core.harmless import harmless

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
#: Ours begin with what no text of others can know.
_OURS = f"\x1b<{secrets.token_hex(8)}:"
_STYLES = re.compile(re.escape(_OURS) + r"([0-9;:]*)>")


class CannotPrint(Exception):
    """Standard output or error takes no more: its reader is gone, or its disk is full."""

    def __init__(self, error: OSError) -> None:
        self.error = error
        super().__init__(f"The output cannot be written: {error.strerror}.")


def echo(text: str = "", *, err: bool = False, lines: bool = False, newline: bool = True) -> None:
    """Print a line. With ``lines`` it may be several; otherwise what follows the first is indented.

    Raises:
        CannotPrint: nobody can read it.
    """
    shown = rendered(text if lines else text.replace("\n", "\n    "))
    try:
        click.echo(shown, err=err, nl=newline)
    except OSError as error:
        raise CannotPrint(error) from error


def confirm(question: str) -> None:
    """Go on if the person says so; otherwise the command is aborted."""
    click.confirm(rendered(question), abort=True, err=True)


def style(text: str, **styles: Any) -> str:
    """As ``click.style``, for ``echo``."""
    before, after = _SGR.sub(_as_ours, click.style("\0", **styles)).split("\0")
    return f"{before}{text}{after}"


def keep_colours(text: str) -> str:
    """A line that a run printed: its colours are kept, and end with it."""
    kept = _SGR.sub(_as_ours, text)
    return kept if kept == text else f"{kept}{_OURS}0>"


def printable(stream: TextIO | None) -> bool:
    """Whether the stream takes every character; one that is closed takes anything."""
    return stream is None or (stream.encoding or "").lower().replace("-", "").startswith("utf")


def rendered(text: str) -> str:
    """What a terminal is sent for a text that may be styled."""
    # Every second piece is what stands in one of our styles.
    pieces = _STYLES.split(text)
    return "".join(harmless(piece, lines=True) if at % 2 == 0 else f"\x1b[{piece}m" for at, piece in enumerate(pieces))


def unstyled(text: str) -> str:
    """A styled text for other places than a terminal."""
    return "".join(_STYLES.split(text)[::2])


def prepare_streams() -> None:
    """Make standard streams take every character, and keep their numbers from other files where they are closed."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What the terminal's encoding lacks is written as an escape.
            stream.reconfigure(errors="backslashreplace")


def give_up_streams() -> None:
    """Send to nowhere what standard streams still hold and cannot write: Python fails on it once more at its end."""
    for stream in (sys.stdout, sys.stderr):
        # There is none where it was closed before the start.
        if stream is not None and not stream.closed:
            _give_up(stream)


def _give_up(stream: TextIO) -> None:
    try:
        stream.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _as_ours(match: re.Match[str]) -> str:
    return f"{_OURS}{match[1]}>"
