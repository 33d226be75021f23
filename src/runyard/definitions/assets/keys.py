"""Asset keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...core.errors import InvalidDefinition
from ...core.foreign import exact_text, is_text, repr_of


class AssetKey:
    """The name of an asset: one or more parts. ``AssetKey("a")`` and ``AssetKey(["a"])`` are the same."""

    __slots__ = ("path",)

    def __init__(self, path: str | Sequence[str]) -> None:
        parts = [path] if is_text(path) else list(path) if isinstance(path, Sequence) else []
        if not parts or not all(is_text(part) and part for part in parts):
            raise InvalidDefinition(f"An asset key is one or more non-empty strings, not {repr_of(path)}.")
        self.path = [exact_text(part) for part in parts]

    @classmethod
    def of(cls, key: Any) -> AssetKey:
        """``key`` itself, or the key that a string or list of strings means."""
        return key if isinstance(key, AssetKey) else cls(key)

    @classmethod
    def from_user_string(cls, text: str) -> AssetKey:
        return cls(text.split("/"))

    def to_user_string(self) -> str:
        return "/".join(self.path)

    def to_python_identifier(self, suffix: str | None = None) -> str:
        return "__".join([*self.path, *([suffix] if suffix else [])]).replace("-", "_")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetKey) and self.path == other.path

    def __hash__(self) -> int:
        return hash(tuple(self.path))

    def __repr__(self) -> str:
        return f"AssetKey({self.path!r})"
