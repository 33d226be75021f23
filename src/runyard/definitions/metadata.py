"""Metadata that user code attaches to what it reports."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping
from datetime import datetime
from numbers import Integral, Real
from os import PathLike
from typing import Any

from ..core.errors import InvalidDefinition
from ..core.foreign import class_name, repr_of, text_of
from ..core.kept import NotKept, kept
from .texts import checked_bool, checked_text


class MetadataValue:
    """A value with its kind, which pages show accordingly: ``MetadataValue.md("# Report")``."""

    __slots__ = ("kind", "value")

    def __init__(self, kind: str, value: Any) -> None:
        self.kind, self.value = kind, value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MetadataValue) and (self.kind, self.value) == (other.kind, other.value)

    def __hash__(self) -> int:
        return hash((self.kind, repr_of(self.value)))

    def __repr__(self) -> str:
        return f"MetadataValue.{self.kind}({self.value!r})"

    @staticmethod
    def text(text: str) -> MetadataValue:
        return MetadataValue("text", checked_text("MetadataValue.text", text))

    @staticmethod
    def url(url: str) -> MetadataValue:
        return MetadataValue("url", checked_text("MetadataValue.url", url))

    @staticmethod
    def path(path: str | PathLike[str]) -> MetadataValue:
        return MetadataValue("path", _path("MetadataValue.path", path))

    @staticmethod
    def notebook(path: str | PathLike[str]) -> MetadataValue:
        return MetadataValue("notebook", _path("MetadataValue.notebook", path))

    @staticmethod
    def json(data: Any) -> MetadataValue:
        return MetadataValue("json", data)

    @staticmethod
    def md(data: str) -> MetadataValue:
        return MetadataValue("md", checked_text("MetadataValue.md", data))

    @staticmethod
    def float(value: float) -> MetadataValue:
        return MetadataValue("float", _number("MetadataValue.float", "a number", Real, value))

    @staticmethod
    def int(value: int) -> MetadataValue:
        return MetadataValue("int", _number("MetadataValue.int", "a whole number", Integral, value))

    @staticmethod
    def bool(value: bool) -> MetadataValue:
        return MetadataValue("bool", checked_bool("MetadataValue.bool", value))

    @staticmethod
    def timestamp(value: Any) -> MetadataValue:
        """``value``: a datetime with a time zone, or seconds since the epoch."""
        if isinstance(value, datetime) and value.tzinfo is not None:
            return MetadataValue("timestamp", value.timestamp())
        wanted = "a datetime with a time zone or seconds since the epoch"
        return MetadataValue("timestamp", _number("MetadataValue.timestamp", wanted, Real, value))

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


def check_metadata(metadata: Mapping[str, Any] | None, owner: str) -> dict[str, MetadataValue]:
    """Metadata with plain Python values given their kind.

    Parameters:
        owner: what it is about, for messages: ``output 'result'``.

    Raises:
        InvalidDefinition: it is no dict, or a value is of no kind that can be kept.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise InvalidDefinition(f"The metadata of {owner} is a dict, not {repr_of(metadata)}.")
    return {text_of(key, LONGEST_KEY): _with_kind(_place(key, owner), metadata[key]) for key in metadata}


#: In characters.
LONGEST_KEY = 1_000


def _place(key: object, owner: str) -> str:
    return f"Metadata key '{text_of(key, LONGEST_KEY)}' of {owner}"


def _with_kind(place: str, value: Any) -> MetadataValue:
    if isinstance(value, MetadataValue):
        _kept(place, value.value)
        return value
    for kind, types in _KINDS:
        if isinstance(value, types):
            return MetadataValue(kind, _exact(place, kind, value))
    raise InvalidDefinition(
        f"{place} is {class_name(type(value))}, which cannot be kept. "
        "Give a string, number, bool, path, list or dict, or make one with MetadataValue."
    )


def _exact(place: str, kind: str, value: Any) -> Any:
    if kind == "int":
        return _kept(place, operator.index(value))
    if kind == "float":
        return _number(place, "a number", Real, value)
    if kind == "path":
        return os.fspath(value)
    _kept(place, value)
    return value


def _kept(place: str, value: Any) -> Any:
    try:
        return kept(value)
    except NotKept as error:
        raise InvalidDefinition(f"{place} cannot be kept: {error}.") from error.__cause__


def _number(place: str, wanted: str, kind: type, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, kind):
        raise InvalidDefinition(f"{place} is {wanted}, not {repr_of(value)}.")
    number: Any = value
    return operator.index(number) if isinstance(value, Integral) else float(number)


def _path(place: str, path: Any) -> str:
    return checked_text(place, os.fspath(path) if isinstance(path, PathLike) else path)


_KINDS: tuple[tuple[str, Any], ...] = (
    ("null", type(None)),
    ("bool", bool),
    ("text", str),
    # Those of numpy and the like, too.
    ("int", Integral),
    ("float", Real),
    ("path", PathLike),
    ("json", (dict, list)),
)


def plain_metadata(metadata: Mapping[str, MetadataValue], owner: str) -> dict[str, dict[str, Any]]:
    """Metadata as an event carries it: ``{key: {"kind": …, "value": …}}``, JSON all through.

    Raises:
        InvalidDefinition: user code has changed it since it was checked, and it cannot be kept any more.
    """
    return {
        key: {"kind": str(value.kind), "value": _kept(_place(key, owner), value.value)}
        for key, value in check_metadata(metadata, owner).items()
    }


def plain_or_said(metadata: Any, owner: str) -> Any:
    """As ``plain_metadata``; a sentence in the place of what cannot be kept, where an error is being told of."""
    try:
        return plain_metadata(metadata, owner)
    except InvalidDefinition as error:
        return f"<not kept: {error}>"
