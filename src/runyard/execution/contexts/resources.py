"""``context.resources``: the resources that were asked for, as attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...core.text import did_you_mean, listing
from ...definitions.errors import UnknownResource


class Resources:
    """Initialised resources by name."""

    def __init__(self, values: Mapping[str, Any], owner: str) -> None:
        self._values, self._owner = dict(values), owner

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self._values[name]
        except KeyError:
            raise UnknownResource(self._problem(name)) from None

    def _problem(self, name: str) -> str:
        have = did_you_mean(name, self._values) or (f" It has: {listing(self._values)}." if self._values else "")
        return (
            f"{self._owner} has no resource '{name}'.{have} Declare it: required_resource_keys={{'{name}'}}, "
            f"or a parameter '{name}' of the resource's class."
        )

    def _asdict(self) -> dict[str, Any]:
        return dict(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values.values())
