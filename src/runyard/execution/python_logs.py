"""What the instance's ``python_logs`` says, put into force in a worker."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Callable
from typing import Any

from ..core.error_info import error_info
from ..core.errors import UserError
from ..settings.instance import PythonLogsSettings
from .log import LineHandler, share

_ROOT = "root"


class PythonLogsBroken(UserError):
    """A handler, formatter or filter of the instance file cannot be made."""

    def __init__(self, kind: str, name: str, error: Exception) -> None:
        cause = error.__cause__ or error
        super().__init__(
            f"python_logs.dagster_handler_config.{kind}.{name} of the instance file cannot be made: "
            f"{error_info(cause).sentence}"
        )


def apply_python_logs(settings: PythonLogsSettings) -> None:
    """From now on records of managed loggers become lines of the run, step or tick in which they are made, and the
    file's handlers get these and every line of ``context.log``. Once for a process, after user code is imported.

    Raises:
        PythonLogsBroken: a handler cannot be made.
    """
    handlers = _Maker(settings.handlers).handlers()
    level: int | None = None if settings.level is None else logging.getLevelName(settings.level)
    share(logging.DEBUG if level is None else level, handlers)
    for name in settings.managed_loggers:
        logger = logging.getLogger(None if name == _ROOT else name)
        logger.addHandler(LineHandler(names=True))
        if level is not None:
            logger.setLevel(level)


class _Maker(logging.config.DictConfigurator):
    """``dictConfig`` for handlers alone. The function itself would close those that user code has made."""

    def __init__(self, handlers: dict[str, Any]) -> None:
        super().__init__({"version": 1, **handlers})

    def handlers(self) -> list[logging.Handler]:
        self._make("formatters", self.configure_formatter)
        self._make("filters", self.configure_filter)
        self._make("handlers", self.configure_handler)
        return list(self.config["handlers"].values())

    def _make(self, kind: str, make: Callable[[Any], Any]) -> None:
        self.config.setdefault(kind, {})
        parts = self.config[kind]
        # A handler may have another one as its target, which is made first.
        for name in sorted(parts, key=lambda name: "target" in parts[name]):
            try:
                parts[name] = make(parts[name])
            except Exception as error:
                raise PythonLogsBroken(kind, name, error) from error
            if kind == "handlers":
                parts[name].name = name
