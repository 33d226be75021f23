"""Exceptions in a form that crosses processes: the user's own frames, and how many others there were."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from .events import ErrorInfo

_OUR_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
_STANDARD_LIBRARY = str(Path(os.__file__).resolve().parent) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_LONGEST_MESSAGE = 50_000
_DEEPEST_CAUSE = 5


def error_info(error: BaseException) -> ErrorInfo:
    """``error`` with its causes; frames of Runyard, the standard library and installed packages are only counted.

    An error with no frame of the user's keeps every frame that is not Runyard's.
    """
    return _info(error, _DEEPEST_CAUSE)


def _info(error: BaseException, depth: int) -> ErrorInfo:
    frames = traceback.extract_tb(error.__traceback__)
    shown = [frame for frame in frames if not is_library(frame.filename)]
    if not shown:
        shown = [frame for frame in frames if not _is_ours(frame.filename)]
    stack = [text.rstrip("\n") for text in traceback.format_list(shown)]
    if isinstance(error, SyntaxError):
        stack.append(_syntax_frame(error))
    return ErrorInfo(
        class_name=type(error).__name__,
        message=message_of(error)[:_LONGEST_MESSAGE],
        stack=tuple(stack),
        library_frames=len(frames) - len(shown),
        cause=_cause(error, depth),
    )


def message_of(error: BaseException) -> str:
    """``str(error)``, whatever the user's ``__str__`` does."""
    if isinstance(error, SystemExit):
        return f"sys.exit({error.code!r}) was called"
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - the user's own __str__ may raise anything
        return f"<its message cannot be shown: {type(broken).__name__}>"


def _cause(error: BaseException, depth: int) -> ErrorInfo | None:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return _info(cause, depth - 1) if cause is not None and depth > 0 else None


def _is_ours(file: str) -> bool:
    return file.startswith(("<frozen ", _OUR_PACKAGE))


def is_library(file: str) -> bool:
    """Whether the file is Runyard's, the standard library's or an installed package's."""
    return _is_ours(file) or file.startswith(_STANDARD_LIBRARY) or any(part in file for part in _INSTALLED)


def _syntax_frame(error: SyntaxError) -> str:
    lines = traceback.format_exception_only(type(error), error)
    return "".join(lines[:-1]).rstrip("\n")
