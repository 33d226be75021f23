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
