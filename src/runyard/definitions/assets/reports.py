"""What an op can say about assets and data while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..metadata import check_metadata
from ..texts import checked_bool, optional_text, text_tags
from .keys import AssetKey


class _AssetReport:
    def __init__(
        self,
        asset_key: AssetKey | str | list[str],
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.asset_key = AssetKey.of(asset_key)
        owner = f"{type(self).__name__} '{self.asset_key.to_user_string()}'"
        self.description = optional_text(f"{owner}: description", description)
        self.partition = optional_text(f"{owner}: partition", partition)
        self.metadata = check_metadata(metadata, owner)
        self.tags = text_tags(owner, tags)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.__dict__ == other.__dict__

    __hash__ = None  # type: ignore[assignment]  # mutable dicts inside

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.asset_key.to_user_string()!r})"


class AssetMaterialization(_AssetReport):
    """An asset was brought up to date."""


class AssetObservation(_AssetReport):
    """Something was learnt about an asset."""


class ExpectationResult:
    """The outcome of a check of data."""

    def __init__(
        self,
        success: bool,
        label: str | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.success = checked_bool("ExpectationResult: success", success)
        self.label = optional_text("ExpectationResult: label", label)
        self.description = optional_text("ExpectationResult: description", description)
        owner = f"ExpectationResult '{self.label}'" if self.label else "ExpectationResult"
        self.metadata = check_metadata(metadata, owner)
