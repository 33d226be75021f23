"""``context.log`` and the logger of ``get_dagster_logger``: lines of a run, a step or a tick."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..core.error_info import error_info

#: Takes (level name, message, exception or None).
LineTaker = Callable[[str, str, BaseException | None], None]

_MANAGED = "runyard.user"
_taker: ContextVar[LineTaker | None] = ContextVar("line_taker", default=None)
_LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")


class _Handler(logging.Handler):
    """Gives each record, formatted as the standard library does, to a LineTaker."""

    def __init__(self, taker: LineTaker | None = None) -> None:
        super().__init__(logging.DEBUG)
        self._own = taker

    def emit(self, record: logging.LogRecord) -> None:
        taker = self._own or _taker.get()
        if taker is None:
            return
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - logging's own way to tell of arguments that do not fit the message
            self.handleError(record)
            return
        taker(_level(record.levelno), message, record.exc_info[1] if record.exc_info else None)


def _level(number: int) -> str:
    return next((name for name in _LEVELS if number >= logging.getLevelName(name)), "DEBUG")


def line_logger(name: str, taker: LineTaker) -> logging.Logger:
    """A logger whose lines go to ``taker``, and on to the ``runyard`` logger for whoever listens there."""
    # Not getLogger: it would keep one for every step of every run, with the handler of that run.
    logger = logging.Logger(name, logging.DEBUG)  # noqa: LOG001 - see above
    logger.addHandler(_Handler(taker))
    logger.parent = logging.getLogger("runyard")
    return logger


def get_dagster_logger(name: str | None = None) -> logging.Logger:
    """A logger for code that has no context: inside a step its lines are the step's, elsewhere ordinary ones."""
    managed = logging.getLogger(_MANAGED)
    if not any(isinstance(handler, _Handler) for handler in managed.handlers):
        managed.addHandler(_Handler())
        managed.setLevel(logging.DEBUG)
    return managed.getChild(name) if name else managed


@contextmanager
def lines_go_to(taker: LineTaker) -> Iterator[None]:
    """Inside, lines of ``get_dagster_logger`` go to ``taker``."""
    token = _taker.set(taker)
    try:
        yield
    finally:
        _taker.reset(token)


def with_traceback(message: str, error: BaseException | None) -> str:
    """A line for places that keep text only."""
    if error is None:
        return message
    info = error_info(error)
    return "\n".join([message, *info.stack, f"{info.class_name}: {info.message}"])
