"""Python's standard output and error in a worker: straight through to the descriptors, noting what is written when."""

from __future__ import annotations

import ctypes
import io
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from .output_notes import Notes

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_LINE_BUFFERED = 1  # _IOLBF of the C library
_write = io.FileIO.write


class NotingFile(io.FileIO):
    """Descriptor 1 or 2."""

    #: None before a worker knows its run.
    notes: ClassVar[Notes | None] = None

    def write(self, data: ReadableBuffer, /) -> int:
        # For each line that is printed: nothing is called here that need not be.
        notes = NotingFile.notes
        if notes is not None and (notes.writer is not self or notes.monotonic() >= notes.due):
            notes.note(self)
        return _write(self, data)


class _LibC:
    """The C library's own standard output, which native code prints to."""

    def __init__(self) -> None:
        self._lib = ctypes.CDLL(None)
        self._stdout = ctypes.c_void_p.in_dll(self._lib, "__stdoutp" if sys.platform == "darwin" else "stdout")

    def by_lines(self) -> None:
        self._lib.setvbuf(self._stdout, None, _LINE_BUFFERED, 0)

    def flush(self) -> None:
        # Not all files: one that another thread waits for input from would be waited for.
        self._lib.fflush(self._stdout)


def _find_libc() -> _LibC | None:
    try:
        return _LibC()
    except (OSError, ValueError):
        return None  # a C library that does not show its stdout: what it keeps back comes when it likes


_libc = _find_libc()


def take_streams() -> None:
    """Put streams of ours in the place of ``sys.stdout`` and ``sys.stderr``: by lines, and in UTF-8 whatever the
    locale. Best before user code is imported, which may keep them. Once only.
    """
    if isinstance(getattr(getattr(sys.__stdout__, "buffer", None), "raw", None), NotingFile):
        return
    flush_streams()
    sys.stdout = sys.__stdout__ = _stream(1, "<stdout>")  # type: ignore[misc]  # some code asks for the true one
    sys.stderr = sys.__stderr__ = _stream(2, "<stderr>")  # type: ignore[misc]  # same
    if _libc is not None:
        _libc.by_lines()


def flush_streams() -> None:
    """Hand over what Python and the C library keep back."""
    for stream in (sys.stdout, sys.stderr):
        # User code may have put anything there: None, a stream that it closed, one that cannot flush. What such a
        # stream keeps back is its own to lose.
        with suppress(Exception):
            stream.flush()
    if _libc is not None:
        _libc.flush()


def _stream(descriptor: int, name: str) -> io.TextIOWrapper:
    file = NotingFile(descriptor, "wb", closefd=False)
    file.name = name
    return io.TextIOWrapper(io.BufferedWriter(file), encoding="utf-8", errors="backslashreplace", line_buffering=True)
