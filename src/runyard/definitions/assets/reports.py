"""What an op can say about assets and data while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..metadata import check_metadata
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
        self.description, self.partition = description, partition
        self.metadata, self.tags = check_metadata(metadata), dict(tags or {})

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
        self.success, self.label, self.description = success, label, description
        self.metadata = check_metadata(metadata)
