"""What user code has left in this process: threads, exit functions that run, children of ``multiprocessing``."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from types import FrameType

from ...core.error_info import is_library
from ...core.leftovers import Leftover
from ...core.text import storable


def find_leftovers(*, in_exit_functions: bool) -> list[Leftover]:
    """What keeps this process from ending. Called in a thread of ours.

    Args:
        in_exit_functions: the main thread is calling those, and not waiting for threads.
    """
    frames = sys._current_frames()  # noqa: SLF001 - the only way to another thread's stack
    found = [*_threads(frames), *_children()]
    main = frames.get(threading.main_thread().ident or 0)
    if in_exit_functions and (_user_frame(main) or not found):
        found.append(Leftover(kind="exit function", where=_where(main)))
    return found


def _threads(frames: dict[int, FrameType]) -> Iterator[Leftover]:
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            yield Leftover(kind="thread", name=storable(str(thread.name)), where=_where(frames.get(thread.ident or 0)))


def _children() -> Iterator[Leftover]:
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is not None:
        for child in multiprocessing.active_children():
            yield Leftover(kind="process", name=storable(f"multiprocessing, '{child.name}'"), pid=child.pid)


def _where(frame: FrameType | None) -> str | None:
    """File and line of the innermost frame that is the user's, else of the innermost one."""
    shown = _user_frame(frame) or frame
    return None if shown is None else storable(f"{shown.f_code.co_filename}:{shown.f_lineno}")


def _user_frame(frame: FrameType | None) -> FrameType | None:
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
    return frame
