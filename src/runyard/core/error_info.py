"""Exceptions in a form that crosses processes: the user's own frames, and folded between them those of libraries."""

from __future__ import annotations

import builtins
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from .errors import RunCancelled
from .events import ErrorInfo, FoldedFrames
from .foreign import class_name, elements, repr_of, text_of
from .text import bounded, counted, storable

_OUR_PACKAGE = str(Path(__file__).resolve().parents[1]) + os.sep
_STANDARD_LIBRARY = str(Path(os.__file__).resolve().parent) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_LONGEST_MESSAGE, _LONGEST_NOTE, _LONGEST_FRAME = 50_000, 5_000, 2_000
_MOST_NOTES, _MOST_MEMBERS = 20, 20
#: Of a chain of causes, and of an exception with all of its causes and members.
_DEEPEST, _MOST_ERRORS = 20, 100
#: So many frames are kept of each end of a traceback: a recursion has a thousand in between.
_ENDS = 40
_GROUP: Any = getattr(builtins, "BaseExceptionGroup", ())


def error_info(error: BaseException) -> ErrorInfo:
    """``error`` with its notes, causes and members; frames of Runyard, the standard library and packages are folded.

    An error with no frame of the user's shows every frame that is not Runyard's. Never raises for what the user's
    classes do.
    """
    return _Reader().read(error, 0)


def message_of(error: BaseException) -> str:
    """``str(error)``, whatever the user's ``__str__`` does, as storage takes it."""
    if issubclass(type(error), SystemExit):
        return f"sys.exit({repr_of(_own(SystemExit, 'code', error), _LONGEST_MESSAGE)}) was called"
    return text_of(error, _LONGEST_MESSAGE, noun="message")


def error_line(error: BaseException) -> str:
    """``ValueError: no such table``."""
    return f"{class_name(type(error))}: {message_of(error)}"


def error_lines(info: ErrorInfo, emphasise: Callable[[str], str] = str) -> Iterator[str]:
    """The error as the lines of a traceback: what caused it first, library frames counted.

    ``emphasise`` gets the lines that name an exception.
    """
    if info.cause is not None:
        yield from error_lines(info.cause, emphasise)
        yield "which led to:"
    folded = {fold.before: fold.frames for fold in info.folded}
    for number, frame in enumerate(info.stack):
        if number in folded:
            yield f"  … {counted(len(folded[number]), 'library frame')}"
        yield frame.rstrip("\n")
    left = info.library_frames - sum(len(frames) for before, frames in folded.items() if before < len(info.stack))
    if left > 0:
        yield f"  … {counted(left, 'library frame')}"
    yield emphasise(f"{info.class_name}: {info.message}")
    yield from info.notes
    for number, member in enumerate(info.members, start=1):
        yield f"  Member {number} of {len(info.members)}:"
        for text in error_lines(member, emphasise):
            yield from (f"    {line}" for line in text.split("\n"))


def print_error(error: BaseException) -> None:
    """The whole traceback on standard error, or as much of it as the user's classes let be made."""
    try:
        traceback.print_exception(error)
    except RunCancelled:
        raise
    except BaseException:  # noqa: BLE001 - the user's classes may raise anything
        sys.stderr.write("\n".join(error_lines(error_info(error))) + "\n")


class _Reader:
    """Reads one exception; ``_seen`` ends circles of causes."""

    def __init__(self) -> None:
        self._left = _MOST_ERRORS
        self._seen: set[int] = set()

    def read(self, error: BaseException, depth: int) -> ErrorInfo:
        self._left -= 1
        self._seen.add(id(error))
        stack, folded, library = _frames(error)
        cause, no_cause = self._cause(error, depth)
        members, no_members = self._members(error, depth)
        left_out = [told for told in (no_cause, no_members) if told]
        return ErrorInfo(
            class_name=class_name(type(error)),
            message=message_of(error),
            stack=stack,
            library_frames=library,
            cause=cause,
            folded=folded,
            notes=(*_notes(error), *left_out),
            members=members,
        )

    def _cause(self, error: BaseException, depth: int) -> tuple[ErrorInfo | None, str | None]:
        cause = _own(BaseException, "__cause__", error)
        if cause is None and not _own(BaseException, "__suppress_context__", error):
            cause = _own(BaseException, "__context__", error)
        if cause is None or id(cause) in self._seen:
            return None, None
        if depth >= _DEEPEST or self._left <= 0:
            return None, "[Further causes are not kept.]"
        return self.read(cause, depth + 1), None

    def _members(self, error: BaseException, depth: int) -> tuple[tuple[ErrorInfo, ...], str | None]:
        if not issubclass(type(error), _GROUP):
            return (), None
        inside: Sequence[BaseException] = _own(_GROUP, "exceptions", error)
        members: list[ErrorInfo] = []
        for member in inside[:_MOST_MEMBERS]:
            if depth >= _DEEPEST or self._left <= 0:
                break
            if id(member) not in self._seen:
                members.append(self.read(member, depth + 1))
        left = len(inside) - len(members)
        return tuple(members), f"[{counted(left, 'member')} of the group not kept.]" if left else None


def _own(kind: Any, name: str, error: BaseException) -> Any:
    """The attribute that Python itself gave the exception, whatever a subclass puts in its place."""
    return vars(kind)[name].__get__(error)


def _notes(error: BaseException) -> tuple[str, ...]:
    notes = None
    with suppress(Exception):  # a subclass may have anything there
        notes = _own(BaseException, "__dict__", error).get("__notes__")
    if notes is None:
        return ()
    given = elements(notes)
    if given is None:
        return (repr_of(notes, _LONGEST_NOTE),)
    kept = tuple(text_of(note, _LONGEST_NOTE) for note in given[:_MOST_NOTES])
    left = len(given) - len(kept)
    return (*kept, f"[{counted(left, 'note')} not kept.]") if left else kept


def _frames(error: BaseException) -> tuple[tuple[str, ...], tuple[FoldedFrames, ...], int]:
    """The user's frames, those of libraries between them, and how many these are."""
    frames, left_out = _summary(_own(BaseException, "__traceback__", error))
    is_folded = is_library if any(not is_library(frame.filename) for frame in frames) else _is_ours
    stack: list[str] = []
    between: dict[int, list[str]] = {}
    for number, frame in enumerate(frames):
        if left_out and number == _ENDS:
            stack.append(f"  [{counted(left_out, 'more frame')}]")
        if is_folded(frame.filename):
            between.setdefault(len(stack), []).append(_formatted(frame))
        else:
            stack.append(_formatted(frame))
    if issubclass(type(error), SyntaxError):
        stack += _syntax_frame(error)
    folded = tuple(FoldedFrames(before, tuple(texts)) for before, texts in between.items())
    return tuple(stack), folded, sum(len(fold.frames) for fold in folded)


def _summary(trace: TracebackType | None) -> tuple[list[traceback.FrameSummary], int]:
    """The frames at both ends, and how many are left out between them."""
    length = sum(1 for _ in traceback.walk_tb(trace))
    if length <= 2 * _ENDS:
        return _extract(trace, None), 0
    return [*_extract(trace, _ENDS), *_extract(trace, -_ENDS)], length - 2 * _ENDS


def _extract(trace: TracebackType | None, limit: int | None) -> list[traceback.FrameSummary]:
    try:
        return list(traceback.extract_tb(trace, limit))
    except RunCancelled:
        raise
    except BaseException:  # noqa: BLE001 - source lines come from the module's loader, which may be the user's
        found = [(frame.f_code, line) for frame, line in traceback.walk_tb(trace)]
        wanted = found if limit is None else found[:limit] if limit > 0 else found[limit:]
        return [traceback.FrameSummary(code.co_filename, line, code.co_name, line="") for code, line in wanted]


def _formatted(frame: traceback.FrameSummary) -> str:
    [text] = traceback.format_list([frame])
    return bounded(storable(text.rstrip("\n")), _LONGEST_FRAME)


def _is_ours(file: str) -> bool:
    return file.startswith(("<frozen ", _OUR_PACKAGE))


def is_library(file: str) -> bool:
    """Whether the file is Runyard's, the standard library's or an installed package's."""
    return _is_ours(file) or file.startswith(_STANDARD_LIBRARY) or any(part in file for part in _INSTALLED)


def _syntax_frame(error: BaseException) -> list[str]:
    try:
        lines = traceback.format_exception_only(type(error), error)
    except RunCancelled:
        raise
    except BaseException:  # noqa: BLE001 - a subclass of the user's
        return []
    text = "".join(lines[: -1 - len(_notes(error))]).rstrip("\n")
    return [bounded(storable(text), _LONGEST_FRAME)] if text else []
