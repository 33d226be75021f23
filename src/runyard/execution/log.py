"""``context.log`` and the logger of ``get_dagster_logger``: lines of a run, a step or a tick."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import msgspec

from ..core.error_info import error_info, error_line, error_lines
from ..core.foreign import LONGEST_SHOWN, exact_text, repr_of, text_of
from ..core.kept import LONGEST_MESSAGE, kept_or_said
from ..core.managers import contextmanager


class LogLine(NamedTuple):
    """One line. ``extra`` is what the caller gave beside the message; ``logger`` names a library's logger."""

    level: str
    message: str
    error: BaseException | None = None
    extra: Mapping[str, Any] = {}
    logger: str | None = None

    def data(self) -> dict[str, Any]:
        """The data of its event, all builtins."""
        data: dict[str, Any] = {}
        if self.error is not None:
            data["error"] = msgspec.to_builtins(error_info(self.error))
        if self.extra:
            data["extra"] = dict(self.extra)
        if self.logger is not None:
            data["logger"] = self.logger
        return data

    def text(self) -> str:
        """For places that keep text only; a traceback follows on lines of its own."""
        if self.error is None:
            return self.message
        return "\n".join([self.message, *error_lines(error_info(self.error))])


LineTaker = Callable[[LogLine], None]

_USER = "runyard.user"
_LONGEST_ARGUMENTS = 1_000
_LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")
_MARK = "_runyard_taken"
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", _MARK}

_taker: ContextVar[LineTaker | None] = ContextVar("line_taker", default=None)
#: Those in force in this process: threads that user code starts inherit no context, and their lines are the step's.
_in_force: list[LineTaker] = []
_busy = threading.local()
#: Stands for the ``runyard`` logger, with its handlers and without its way up to the root logger.
_top = logging.Logger("runyard")  # noqa: LOG001 - a second one of this name
_top.handlers = logging.getLogger("runyard").handlers


class _Shared:
    """What ``python_logs`` says, for every logger here."""

    level: int = logging.DEBUG
    handlers: Sequence[logging.Handler] = ()


class _Speaker(logging.Logger):
    """A logger of ``get_dagster_logger``: its records go up to the root logger like those of any other.

    A handler up there may log here in its turn (a bridge): in the same thread such a record is dropped,
    because its handling would lead here again, and so on for ever.
    """

    def handle(self, record: logging.LogRecord) -> None:
        if getattr(_busy, "speaking", False):
            return
        _busy.speaking = True
        try:
            super().handle(record)
        finally:
            _busy.speaking = False


class LineHandler(logging.Handler):
    """Gives each record, once, to a LineTaker and to the handlers of ``python_logs``.

    Parameters:
        taker: None for the one in force where the record is made.
        names: whether lines tell their logger's name.
    """

    def __init__(self, taker: LineTaker | None = None, *, names: bool = False) -> None:
        super().__init__(logging.NOTSET)
        self._own, self._names = taker, names

    def emit(self, record: logging.LogRecord) -> None:
        # A record passes here again on its way up to a managed logger; and what we log while handing over is not the
        # user's.
        if getattr(record, _MARK, False) or getattr(_busy, "now", False):
            return
        if self._own is None and _is_ours(record.name):
            return
        setattr(record, _MARK, True)
        _busy.now = True
        try:
            self._give(record)
        finally:
            _busy.now = False

    def _give(self, record: logging.LogRecord) -> None:
        for handler in _Shared.handlers:
            if record.levelno >= handler.level:
                _handle(handler, record)
        taker = self._own or taker_in_force()
        if taker is None:
            return
        taker(_line(record, record.name if self._names else None))


def _handle(handler: logging.Handler, record: logging.LogRecord) -> None:
    """A handler of the instance file that raises costs neither the line nor the step that wrote it."""
    try:
        handler.handle(record)
    except Exception:  # noqa: BLE001 - written to standard error, logging's own way to report a broken handler
        handler.handleError(record)


def taker_in_force() -> LineTaker | None:
    """What gets the lines of the step that runs here; None outside of any."""
    return _taker.get() or (_in_force[-1] if _in_force else None)


def _is_ours(name: str) -> bool:
    """Whether a logger is Runyard's own and not one that speaks for user code."""
    return name == "runyard" or (name.startswith("runyard.") and not name.startswith(_USER))


def _line(record: logging.LogRecord, logger: str | None) -> LogLine:
    return LogLine(_level(record.levelno), _message(record), _error(record), _extra(record), logger)


def _message(record: logging.LogRecord) -> str:
    """As logging formats it; with arguments that do not fit behind it, so that no line is lost for them."""
    try:
        return exact_text(record.getMessage())
    except Exception as error:  # noqa: BLE001 - the user's format and arguments
        arguments = f" {repr_of(record.args, _LONGEST_ARGUMENTS)}" if record.args else ""
        return f"{text_of(record.msg, LONGEST_MESSAGE)}{arguments} [cannot be formatted: {error_line(error)}]"


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {
        text_of(name, LONGEST_SHOWN): _plain(value)
        for name, value in record.__dict__.items()
        if name not in _STANDARD and not str(name).startswith("_")
    }


def _plain(value: Any) -> Any:
    """The value as JSON has it; dates, dataclasses and the like as msgspec writes them."""
    try:
        plain = msgspec.to_builtins(value, str_keys=True)
    except (TypeError, ValueError, RecursionError):
        plain = value
    return kept_or_said(plain)


def _level(number: int) -> str:
    return next((name for name in _LEVELS if number >= logging.getLevelName(name)), "DEBUG")


def line_logger(name: str, taker: LineTaker) -> logging.Logger:
    """A logger that sends records to ``taker`` and to handlers of the ``runyard`` logger.

    They do not go up to the root logger: a handler there that writes to ``context.log`` would get its own lines back,
    in this thread or, through a queue, in another.
    """
    # Not getLogger: it would keep one for every step of every run, with the handler of that run.
    logger = logging.Logger(name, _Shared.level)  # noqa: LOG001 - see above
    logger.addHandler(LineHandler(taker))
    logger.parent = _top
    return logger


def get_dagster_logger(name: str | None = None) -> logging.Logger:
    """A logger for code that has no context: inside a step its lines are the step's, elsewhere ordinary ones."""
    managed = _speaker(_USER)
    if not any(isinstance(handler, LineHandler) for handler in managed.handlers):
        managed.addHandler(LineHandler())
        managed.setLevel(_Shared.level)
    return _speaker(f"{_USER}.{name}") if name else managed


def _speaker(name: str) -> logging.Logger:
    logger = logging.getLogger(name)
    # Not setLoggerClass: other threads make loggers meanwhile.
    logger.__class__ = _Speaker
    return logger


@contextmanager
def lines_go_to(taker: LineTaker) -> Iterator[None]:
    """Inside, lines of ``get_dagster_logger`` and of managed loggers go to ``taker``, also those of new threads."""
    token = _taker.set(taker)
    _in_force.append(taker)
    try:
        yield
    finally:
        _in_force.remove(taker)
        _taker.reset(token)


def share(level: int, handlers: Sequence[logging.Handler]) -> None:
    """From now on loggers made here take lines from ``level`` on, and ``handlers`` get them as well."""
    _Shared.level, _Shared.handlers = level, tuple(handlers)
    logging.getLogger(_USER).setLevel(level)
