"""Run config built in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.errors import UserError


class RunConfig:
    """Config of a run by op and resource: ``RunConfig(ops={"render": Render(resolution=600)})``."""

    def __init__(
        self,
        ops: Mapping[str, Any] | None = None,
        resources: Mapping[str, Any] | None = None,
        loggers: Mapping[str, Any] | None = None,
        execution: Mapping[str, Any] | None = None,
    ) -> None:
        self.ops, self.resources = dict(ops or {}), dict(resources or {})
        self.loggers, self.execution = dict(loggers or {}), dict(execution or {})

    def to_config_dict(self) -> dict[str, Any]:
        """The same as a dict, as the Launchpad's editor and ``-c`` files spell it."""
        parts = {
            "ops": {name: _entry(item) for name, item in self.ops.items()},
            "resources": {name: _entry(item) for name, item in self.resources.items()},
            "loggers": self.loggers,
            "execution": self.execution,
        }
        return {name: part for name, part in parts.items() if part}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunConfig) and self.to_config_dict() == other.to_config_dict()

    __hash__ = None  # type: ignore[assignment]  # holds dicts

    def __repr__(self) -> str:
        return f"RunConfig({self.to_config_dict()!r})"


def _entry(item: Any) -> Any:
    if isinstance(item, RunConfig):
        return item.to_config_dict()
    kind = getattr(type(item), "__runyard_kind__", None)
    if kind == "resource":
        return {"config": item.set_config()}
    if kind == "config" or hasattr(type(item), "model_fields"):
        from .models import to_config  # noqa: PLC0415 - a Config is there, so pydantic is imported already

        return {"config": to_config(item)}
    return {key: _inner(part) for key, part in item.items()} if isinstance(item, Mapping) else item


def _inner(part: Any) -> Any:
    """A Config object deeper down: ``{"config": Render()}``, or ops of a nested graph."""
    if getattr(type(part), "__runyard_kind__", None) == "config":
        return _entry(part)["config"]
    return {key: _inner(item) for key, item in part.items()} if isinstance(part, Mapping) else part


def as_run_config(value: Any) -> dict[str, Any]:
    """Run config given as a RunConfig, a dict or None.

    Raises:
        UserError: it is anything else.
    """
    if value is None:
        return {}
    if isinstance(value, RunConfig):
        return value.to_config_dict()
    if isinstance(value, Mapping):
        return {key: _part(key, part) for key, part in value.items()}
    raise UserError(f"Run config is a RunConfig or a dict, not {type(value).__name__}.")


def _part(key: Any, part: Any) -> Any:
    """A dict may hold Config objects where a RunConfig would: ``{"ops": {"render": Render()}}``."""
    if key not in ("ops", "resources") or not isinstance(part, Mapping):
        return part
    return {name: _entry(item) for name, item in part.items()}
