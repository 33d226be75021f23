"""The function of a schedule or sensor: what it takes and the resources that it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..core.errors import InvalidDefinition
from .signature import check_only_resources, read_signature


class EvaluationFunction:
    """A user's function of a context and resources.

    Raises:
        InvalidDefinition: it takes anything else, or names resources both ways.
    """

    def __init__(self, owner: str, function: Callable[..., Any], required_resource_keys: Iterable[str] | None) -> None:
        self.function = function
        self.signature = read_signature(function, owner)
        check_only_resources(self.signature, owner, function)
        declared = frozenset(required_resource_keys or ())
        if declared and self.signature.resources:
            raise InvalidDefinition(
                f"{owner}: takes resources as parameters and by required_resource_keys; use one of the two."
            )
        self.resource_keys = declared | frozenset(self.signature.resources)

    def call(self, context: Any, resources: dict[str, Any]) -> Any:
        """Call it; ``resources`` are the values by name."""
        args = [context] if self.signature.context else []
        return self.function(*args, **{name: resources[name] for name in self.signature.resources})
