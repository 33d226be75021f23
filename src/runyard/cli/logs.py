"""How long-lived commands write their log: to stderr, coloured, as JSON lines, or by rich."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, TextIO, TypeVar

import click

from ..core.harmless import HarmlessFormatter, harmless_json
from .terminal import rendered, style, unstyled

F = TypeVar("F", bound=Callable[..., Any])

LEVELS = ("critical", "error", "warning", "info", "debug")
FORMATS = ("colored", "json", "rich")
_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red", "DEBUG": "bright_black"}
#: Libraries whose INFO lines are about themselves.
_CHATTY = ("watchfiles", "grpc", "alembic", "asyncio", "sse_starlette", "uvicorn")

#: A warning that repeats itself is written once in so many seconds.
REPEATED_EVERY = 60.0
_MOST_TEXTS = 1000

_OPTIONS = (
    click.option("--log-level", type=click.Choice(LEVELS, case_sensitive=False), default="info", show_default=True),
    click.option(
        "--log-format",
        type=click.Choice(FORMATS, case_sensitive=False),
        default="colored",
        show_default=True,
        help="json: one object a line.",
    ),
)


def log_options(command: F) -> F:
    """``--log-level`` and ``--log-format``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def configure_logs(level: str, form: str) -> None:
    """Send every logger's lines of at least ``level`` to stderr."""
    logging.captureWarnings(capture=True)
    logging.basicConfig(level=level.upper(), handlers=[_handler(form)], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def _handler(form: str) -> logging.Handler:
    handler = _rich_handler() if form == "rich" else TerminalHandler()
    handler.setFormatter(JsonLines() if form == "json" else HarmlessFormatter() if form == "rich" else Coloured())
    handler.addFilter(Repeats())
    return handler


def _rich_handler() -> logging.Handler:
    from rich.console import Console
    from rich.logging import RichHandler

    return RichHandler(console=Console(stderr=True), show_path=False)


class TerminalHandler(logging.StreamHandler[TextIO]):
    """Prints records on standard error."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return rendered(text) if self.stream.isatty() else unstyled(text)


class Repeats(logging.Filter):
    """Lets a warning through once in ``REPEATED_EVERY`` seconds; the next one says how often it was left out.

    What is missing for long, such as space on the disk, is missed by many several times a second.
    """

    def __init__(self) -> None:
        super().__init__()
        #: By text: when it was let through, and how often it was left out since.
        self._known: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        key = (record.name, record.getMessage())
        at, left_out = self._known.get(key, (float("-inf"), 0))
        if record.created - at < REPEATED_EVERY:
            self._known[key] = (at, left_out + 1)
            return False
        if left_out:
            record.msg, record.args = f"{key[1]} ({left_out} times since)", ()
        if len(self._known) > _MOST_TEXTS:
            self._known.clear()
        self._known[key] = (record.created, 0)
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line: ``timestamp`` (ISO 8601, UTC), ``level``, ``logger``, ``message``, ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, tz=timezone.utc)
        line = {
            "timestamp": at.isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return harmless_json(json.dumps(line, ensure_ascii=False, default=str))


class Coloured(HarmlessFormatter):
    """``2026-01-31 14:03:05  INFO  runyard.service  message``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s  %(levelname)-7s  %(name)s  %(message)s", datefmt="%Y-%m-%d %H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        colour = _COLOURS.get(record.levelname)
        text = super().format(record)
        return style(text, fg=colour) if colour else text
