"""Inputs and outputs of ops and graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .metadata import check_metadata
from .texts import checked_text, text_tags


class _NoValue:
    """Stands for "nothing given", where None is a value."""

    def __repr__(self) -> str:
        return "<no value>"

    def __reduce__(self) -> str:
        return "NO_VALUE"


NO_VALUE: Any = _NoValue()


class Nothing:
    """The type of an input or output that only orders steps and carries no value."""


@dataclass(frozen=True)
class In:
    """An input of an op. ``dagster_type`` is a type or annotation; without it the parameter's own counts."""

    dagster_type: Any = NO_VALUE
    description: str | None = None
    default_value: Any = NO_VALUE
    metadata: Mapping[str, Any] | None = None
    asset_key: Any = None
    asset_partitions: Any = None
    input_manager_key: str | None = None

    @property
    def has_default(self) -> bool:
        return self.default_value is not NO_VALUE

    @property
    def is_nothing(self) -> bool:
        return self.dagster_type is Nothing


@dataclass(frozen=True)
class Out:
    """An output of an op. One that is not ``is_required`` may be left out: what needs it is skipped then."""

    dagster_type: Any = NO_VALUE
    description: str | None = None
    is_required: bool = True
    io_manager_key: str | None = None
    metadata: Mapping[str, Any] | None = None
    code_version: str | None = None

    @property
    def is_nothing(self) -> bool:
        return self.dagster_type is Nothing


@dataclass(frozen=True)
class GraphIn:
    """An input of a graph."""

    description: str | None = None


@dataclass(frozen=True)
class GraphOut:
    """An output of a graph."""

    description: str | None = None


class Output:
    """A value for one output of an op, with metadata about it.

    Raises:
        InvalidDefinition: the metadata has a value of no known kind.
    """

    def __init__(
        self,
        value: Any,
        output_name: str = "result",
        metadata: Mapping[str, Any] | None = None,
        data_version: Any = None,
        *,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.value, self.data_version = value, data_version
        self.output_name = checked_text("Output: output_name", output_name)
        owner = f"output '{self.output_name}'"
        self.metadata = check_metadata(metadata, owner)
        self.tags = text_tags(owner, tags)

    def __class_getitem__(cls, item: Any) -> Any:
        """``Output[int]`` annotates a function that returns ``Output(5)``."""
        from types import GenericAlias  # noqa: PLC0415 - annotations only

        return GenericAlias(cls, item)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Output) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((self.output_name, id(self.value)))

    def __repr__(self) -> str:
        return f"Output({self.value!r}, output_name={self.output_name!r})"
