"""``python_logs``: which of Python's loggers become lines of the run, and who else gets them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from ..core.masking import public_name
from ..core.text import did_you_mean, listing
from .document import Source, line_of
from .instance import PythonLogsSettings
from .kinds import Dictionary, Keys, Listing, Maybe, Named, Scalar, Section, Shown, Text

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
#: Other names that Python's logging has for two of them.
_ALSO = {"WARN": "WARNING", "FATAL": "CRITICAL"}


class LevelName(Scalar[str]):
    """The name of one of Python's logging levels, in any case; read as Python spells it."""

    noun = "one of " + ", ".join(LEVELS)

    def read(self, node: yaml.Node, at: str, source: Source) -> str:
        given = node.value if isinstance(node, yaml.ScalarNode) else ""
        hint = did_you_mean(given.upper(), LEVELS)
        if hint and not self.accepts(given):
            raise source.error(at, f"expected {self.noun}.{hint}", line_of(node))
        return super().read(node, at, source)

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and value.upper() in (*LEVELS, *_ALSO)

    def convert(self, value: Any) -> str:
        name = str(value).upper()
        return _ALSO.get(name, name)


class _Handlers:
    """Handlers by name; each says its ``class`` (or ``()``, what makes it)."""

    _mappings = Named(Dictionary())

    def read(self, node: yaml.Node, at: str, source: Source) -> dict[str, Any]:
        handlers: dict[str, Any] = self._mappings.read(node, at, source)
        for name, handler in handlers.items():
            if not {"class", "()"} & handler.keys():
                line = next(line_of(key) for key, _ in node.value if key.value == name)
                raise source.error(f"{at}.{name}", "a handler needs 'class', such as logging.StreamHandler.", line)
        return handlers

    def shown(self, node: yaml.Node) -> Iterator[Shown]:
        yield from self._mappings.shown(node)


class _Parts(Keys):
    """Handlers with the formatters and filters that they name."""

    def __init__(self) -> None:
        mappings = Named(Dictionary())
        super().__init__({"handlers": _Handlers(), "formatters": mappings, "filters": mappings})

    def read(self, node: yaml.Node, at: str, source: Source) -> Section:
        section = super().read(node, at, source)
        for name, handler in section.get("handlers", {}).items():
            self._check_named(section, name, "formatters", [handler[key] for key in ("formatter",) if key in handler])
            self._check_named(section, name, "filters", handler.get("filters", ()))
        return section

    def _check_named(self, section: Section, handler: str, kind: str, used: Any) -> None:
        known = section.get(kind, {})
        for name in used if isinstance(used, (list, tuple)) else ():
            if str(name) not in known:
                told = f"handler '{public_name(handler)}' uses one that is not among the {kind}."
                told += did_you_mean(str(name), known) or (f" Known: {listing(known)}." if known else "")
                raise section.error("handlers", told)


PYTHON_LOGS = Keys(
    {
        "managed_python_loggers": Listing(Text()),
        "python_log_level": Maybe(LevelName()),
        "dagster_handler_config": Maybe(_Parts()),
    }
)


def python_logs(section: Section | None) -> PythonLogsSettings:
    """The section as settings."""
    if section is None:
        return PythonLogsSettings()
    parts: Section | None = section.get("dagster_handler_config")
    return PythonLogsSettings(
        managed_loggers=tuple(section.get("managed_python_loggers", ())),
        level=section.get("python_log_level"),
        handlers={key: value for key, value in parts.values.items() if value} if parts else {},
    )
