"""Ops that are called as functions inside of a step: they take no slots of their pools, which their authors expect."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from weakref import WeakKeyDictionary

from ..core.managers import contextmanager
from ..definitions.op import OpDefinition
from .log import LineTaker, LogLine, taker_in_force

_OURS = str(Path(__file__).parents[1])
#: The op of the step that runs in this context: a call of one in the same pool is covered by the step's own slots.
_running: ContextVar[OpDefinition | None] = ContextVar("running_op", default=None)
#: Call sites that each log knows of.
_told: WeakKeyDictionary[LineTaker, set[tuple[str, int, str]]] = WeakKeyDictionary()


@contextmanager
def running(op: OpDefinition) -> Iterator[None]:
    """Inside, the function of ``op`` runs as a step."""
    token = _running.set(op)
    try:
        yield
    finally:
        _running.reset(token)


def warn_of_pool(op: OpDefinition) -> None:
    """Say in the log of the step, once per call site, that the call of ``op`` takes no slot of its pool."""
    taker, step = taker_in_force(), _running.get()
    if op.pool is None or taker is None or (step is not None and step.pool == op.pool):
        return
    file, line = _call_site(sys._getframe(1))  # noqa: SLF001 - as logging finds its callers
    told = _told.setdefault(taker, set())
    if (file, line, op.name) in told:
        return
    told.add((file, line, op.name))
    taker(
        LogLine(
            "WARNING",
            f"Op '{op.name}' is called as a function at {Path(file).name}:{line} and takes no slot of its pool "
            f"'{op.pool}'. Make it a step of the job, or put the calling op into that pool.",
        )
    )


def _call_site(frame: FrameType) -> tuple[str, int]:
    """The first frame that is not ours."""
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
