"""Config of the executors: ``execution: {config: …}`` in run config, and what ``configured`` takes."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..slots import NO_VALUE
from ..types import shown
from .schema import ConfigType, Fields, Issue, ListOf, OneOf, Optionally, Scalar, join

if TYPE_CHECKING:
    from typing_extensions import Self

#: Where the default of ``max_concurrent`` comes from; the first that is set counts.
CONCURRENCY_VARIABLES = ("RUNYARD_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT", "DAGSTER_MULTIPROCESS_EXECUTOR_MAX_CONCURRENT")


class TagLimit(NamedTuple):
    """At most ``limit`` steps at once with the tag ``key``: with this value, any value (None), or of each value."""

    key: str
    limit: int
    value: str | None = None
    per_value: bool = False


class ExecutorSettings(NamedTuple):
    """What an executor's config says. ``retries`` False: a step that fails is not tried again."""

    multiprocess: bool = False
    max_concurrent: int = 1
    tag_limits: tuple[TagLimit, ...] = ()
    retries: bool = True


class WholeNumber(Scalar):
    """A whole number from ``least`` up."""

    def __init__(self, least: int) -> None:
        super().__init__(int)
        self._least = least
        self.takes = f"a whole number from {least} up"

    def _fits(self, value: Any) -> bool:
        return super()._fits(value) and value >= self._least

    def parse(self, text: str) -> int:
        number = int(text)
        if number < self._least:
            raise ValueError(text)
        return number


class _LimitValue(ConfigType):
    takes = "a string or {applyLimitPerUniqueValue: true}"
    required = False
    _per_value = Fields({"applyLimitPerUniqueValue": Scalar(bool)})

    def issues(self, value: Any, path: str) -> list[Issue]:
        if isinstance(value, Mapping):
            return self._per_value.issues(value, path)
        fits = value in (NO_VALUE, None) or isinstance(value, str)
        return [] if fits else [(path, f"takes {self.takes}, got {shown(value)}")]

    def resolve(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self._per_value.resolve(value)
        return None if value is NO_VALUE else value

    def json_schema(self) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, self._per_value.json_schema(), {"type": "null"}]}


class _UpstreamSuccess(ConfigType):
    takes = "true"
    required = False

    def issues(self, value: Any, path: str) -> list[Issue]:
        if value in (NO_VALUE, None, True):
            return []
        return [(path, f"takes true, got {shown(value)}: a step begins once those that it needs have succeeded")]

    def json_schema(self) -> dict[str, Any]:
        return {"enum": [True, None]}


_NOTHING = Fields({})
_RETRIES = Optionally(OneOf({"enabled": _NOTHING, "disabled": _NOTHING, "deferred": _NOTHING}))
_TAG_LIMIT = Fields({"key": Scalar(str), "value": _LimitValue(), "limit": WholeNumber(1)})
_IN_PROCESS = Fields(
    {"retries": _RETRIES, "marker_to_close": Optionally(Scalar(str))},
)
_MULTIPROCESS = Fields(
    {
        "max_concurrent": Optionally(WholeNumber(0)),
        "tag_concurrency_limits": Optionally(ListOf(_TAG_LIMIT)),
        "retries": _RETRIES,
        "start_method": Optionally(
            OneOf({"spawn": _NOTHING, "forkserver": Fields({"preload_modules": Optionally(ListOf(Scalar(str)))})})
        ),
        "step_dependency_config": Fields({"require_upstream_step_success": _UpstreamSuccess()}),
    }
)


class ExecutorConfig(ConfigType, ABC):
    """Takes the config of one executor; ``resolve`` gives its ExecutorSettings.

    ``given`` is what code has given already; run config wins key by key.
    """

    takes = "a dict"
    required = False
    fields: ConfigType

    def __init__(self, given: Mapping[str, Any] = MappingProxyType({})) -> None:
        self.given = given

    def configured(self, config: Mapping[str, Any]) -> Self:
        """The same with more given."""
        return type(self)(self.merged(config))

    def merged(self, value: Any) -> Any:
        """``value`` over what is given."""
        if value in (NO_VALUE, None):
            return self.given
        return {**self.given, **value} if isinstance(value, Mapping) else value

    def issues(self, value: Any, path: str) -> list[Issue]:
        return self.fields.issues(self.merged(value), path)

    def resolve(self, value: Any) -> ExecutorSettings:
        return self.settings(self.fields.resolve(self.merged(value)))

    @abstractmethod
    def settings(self, config: Mapping[str, Any]) -> ExecutorSettings:
        """What resolved config says."""

    def json_schema(self) -> dict[str, Any]:
        return self.fields.json_schema()


class InProcessConfig(ExecutorConfig):
    fields = _IN_PROCESS

    def settings(self, config: Mapping[str, Any]) -> ExecutorSettings:
        return ExecutorSettings(retries=_retries(config))


class MultiprocessConfig(ExecutorConfig):
    fields = _MULTIPROCESS

    def issues(self, value: Any, path: str) -> list[Issue]:
        full = self.merged(value)
        found = super().issues(value, path)
        return found or ([] if full.get("max_concurrent") else _default_issues(join(path, "max_concurrent")))

    def settings(self, config: Mapping[str, Any]) -> ExecutorSettings:
        limits = tuple(_tag_limit(item) for item in config.get("tag_concurrency_limits") or ())
        most = config.get("max_concurrent") or _default_concurrency()
        return ExecutorSettings(True, most, limits, _retries(config))


class EitherConfig(ExecutorConfig):
    """``{multiprocess: {…}}`` or ``{in_process: {…}}``; several processes where nothing is said."""

    _kinds: Mapping[str, ExecutorConfig] = {"multiprocess": MultiprocessConfig(), "in_process": InProcessConfig()}
    fields = OneOf(_kinds)

    def merged(self, value: Any) -> Any:
        if value in (NO_VALUE, None, {}):
            return self.given or {"multiprocess": {}}
        if not isinstance(value, Mapping):
            return value
        return {
            kind: self._kinds[kind].configured(self.given[kind]).merged(inner) if kind in self.given else inner
            for kind, inner in value.items()
        }

    def settings(self, config: Mapping[str, Any]) -> ExecutorSettings:
        return next(iter(config.values()))  # type: ignore[no-any-return]  # the one kind has resolved its own


def _retries(config: Mapping[str, Any]) -> bool:
    """``deferred`` leaves retries to somebody outside of the run, and there is nobody: as ``disabled``."""
    return "enabled" in (config.get("retries") or {"enabled": {}})


def _tag_limit(item: Mapping[str, Any]) -> TagLimit:
    value = item.get("value")
    if isinstance(value, Mapping):
        return TagLimit(item["key"], item["limit"], per_value=value["applyLimitPerUniqueValue"])
    return TagLimit(item["key"], item["limit"], value)


def _default_concurrency() -> int:
    name = _concurrency_variable()
    return (int(os.environ[name]) if name else 0) or os.cpu_count() or 1


def _default_issues(path: str) -> list[Issue]:
    name = _concurrency_variable()
    try:
        if name:
            WholeNumber(0).parse(os.environ[name])
    except ValueError:
        what = (
            f"environment variable '{name}' holds {shown(os.environ[name or ''])}, which is no whole number from 0 up"
        )
        return [(path, what)]
    return []


def _concurrency_variable() -> str | None:
    return next((name for name in CONCURRENCY_VARIABLES if os.environ.get(name)), None)
