"""Processes that user code forks: copies of the worker, which must not do or say anything in its place."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Iterator

from ..core.error_info import print_error
from ..core.foreign import is_of
from ..core.managers import contextmanager


@contextmanager
def only_here() -> Iterator[None]:
    """A process that is forked inside and comes to the end of it ends there, as it would at the end of a program."""
    process, error = os.getpid(), None
    try:
        yield
    except BaseException as raised:
        error = raised
        raise
    finally:
        if os.getpid() != process:
            _end(error)


def _end(error: BaseException | None) -> None:
    if error is not None and not (is_of(error, SystemExit) and isinstance(error.code, int | None)):
        print_error(error)
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter calls at its own end
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(_code(error))


def _code(error: BaseException | None) -> int:
    if error is None:
        return 0
    if is_of(error, SystemExit) and isinstance(error.code, int | None):
        return (error.code or 0) & 0xFF
    return 1
