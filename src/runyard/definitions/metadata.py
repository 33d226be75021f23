"""Metadata that user code attaches to what it reports."""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from typing import Any

from ..core.errors import InvalidDefinition


class MetadataValue:
    """A value with its kind, which pages show accordingly: ``MetadataValue.md("# Report")``."""

    __slots__ = ("kind", "value")

    def __init__(self, kind: str, value: Any) -> None:
        self.kind, self.value = kind, value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MetadataValue) and (self.kind, self.value) == (other.kind, other.value)

    def __hash__(self) -> int:
        return hash((self.kind, repr(self.value)))

    def __repr__(self) -> str:
        return f"MetadataValue.{self.kind}({self.value!r})"

    @staticmethod
    def text(text: str) -> MetadataValue:
        return MetadataValue("text", text)

    @staticmethod
    def url(url: str) -> MetadataValue:
        return MetadataValue("url", url)

    @staticmethod
    def path(path: str | PathLike[str]) -> MetadataValue:
        return MetadataValue("path", str(path))

    @staticmethod
    def notebook(path: str | PathLike[str]) -> MetadataValue:
        return MetadataValue("notebook", str(path))

    @staticmethod
    def json(data: Any) -> MetadataValue:
        return MetadataValue("json", data)

    @staticmethod
    def md(data: str) -> MetadataValue:
        return MetadataValue("md", data)

    @staticmethod
    def float(value: float) -> MetadataValue:
        return MetadataValue("float", value)

    @staticmethod
    def int(value: int) -> MetadataValue:
        return MetadataValue("int", value)

    @staticmethod
    def bool(value: bool) -> MetadataValue:
        return MetadataValue("bool", value)

    @staticmethod
    def timestamp(value: Any) -> MetadataValue:
        """``value``: a datetime with a time zone, or seconds since the epoch."""
        return MetadataValue("timestamp", value.timestamp() if hasattr(value, "timestamp") else value)

    @staticmethod
    def dagster_run(run_id: str) -> MetadataValue:
        return MetadataValue("dagster_run", run_id)

    @staticmethod
    def job(job_name: str, location_name: str, *, repository_name: str | None = None) -> MetadataValue:
        return MetadataValue("job", {"job": job_name, "location": location_name, "repository": repository_name})

    @staticmethod
    def asset(asset_key: Any) -> MetadataValue:
        from .assets.keys import AssetKey  # noqa: PLC0415 - few programs report assets

        return MetadataValue("asset", AssetKey.of(asset_key).to_user_string())

    @staticmethod
    def null() -> MetadataValue:
        return MetadataValue("null", None)


def check_metadata(metadata: Mapping[str, Any] | None) -> dict[str, MetadataValue]:
    """Metadata with plain Python values given their kind.

    Raises:
        InvalidDefinition: a value is of no kind that can be kept.
    """
    return {str(key): _with_kind(str(key), value) for key, value in (metadata or {}).items()}


def _with_kind(key: str, value: Any) -> MetadataValue:
    if isinstance(value, MetadataValue):
        return value
    if value is None:
        return MetadataValue.null()
    for kind, types in _KINDS:
        if isinstance(value, types):
            return MetadataValue(kind, str(value) if kind == "path" else value)
    raise InvalidDefinition(
        f"Metadata '{key}' is {type(value).__name__}, which cannot be kept. "
        "Give a string, number, bool, path, list or dict, or make one with MetadataValue."
    )


_KINDS: tuple[tuple[str, Any], ...] = (
    ("bool", bool),
    ("text", str),
    ("int", int),
    ("float", float),
    ("path", PathLike),
    ("json", (dict, list)),
)


def plain_metadata(metadata: Mapping[str, MetadataValue]) -> dict[str, dict[str, Any]]:
    """Metadata as an event carries it: ``{key: {"kind": …, "value": …}}``, JSON all through."""
    return {key: {"kind": value.kind, "value": _jsonable(value.value)} for key, value in metadata.items()}


def _jsonable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_jsonable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
