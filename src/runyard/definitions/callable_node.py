"""Ops and graphs as things to call, rename and tag inside a graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from ..core.errors import InvalidDefinition
from ..core.tag_owners import TagSetter
from .composition import active
from .engine import engine
from .names import check_name, checked_tags
from .policies import RetryPolicy
from .slots import Out


class CallableNode(ABC):
    """Base of OpDefinition and GraphDefinition."""

    kind = "node"
    name: str

    @property
    @abstractmethod
    def input_names(self) -> tuple[str, ...]:
        """In the order in which they are declared."""

    @property
    @abstractmethod
    def output_slots(self) -> Mapping[str, Out]:
        """By name."""

    def alias(self, name: str) -> Invocation:
        """The same under another name in this graph: ``add.alias("add_tax")(x)``."""
        return Invocation(self).alias(name)

    def tag(self, tags: Mapping[str, Any]) -> Invocation:
        """The same with more tags on its steps."""
        return Invocation(self).tag(tags)

    def with_retry_policy(self, retry_policy: RetryPolicy) -> Invocation:
        """The same with another retry policy."""
        return Invocation(self).with_retry_policy(retry_policy)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Invocation(self)(*args, **kwargs)


class Invocation:
    """A call that is being prepared; immutable, each method returns a new one."""

    def __init__(
        self,
        definition: CallableNode,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self._definition, self._name = definition, name
        self._tags, self._retry_policy = dict(tags or {}), retry_policy

    def alias(self, name: str) -> Invocation:
        checked = check_name(f"an alias of '{self._definition.name}'", name)
        return Invocation(self._definition, checked, self._tags, self._retry_policy)

    def tag(self, tags: Mapping[str, Any]) -> Invocation:
        more = checked_tags(f"{self._definition.kind.capitalize()} '{self._definition.name}'", tags, TagSetter.STEP)
        return Invocation(self._definition, self._name, {**self._tags, **more}, self._retry_policy)

    def with_retry_policy(self, retry_policy: RetryPolicy) -> Invocation:
        return Invocation(self._definition, self._name, self._tags, retry_policy)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        composition = active()
        if composition is not None:
            return composition.add(self._definition, self._name, self._tags, self._retry_policy, args, kwargs)
        if self._definition.kind == "op":
            return engine().invoke_op(self._definition, args, kwargs)  # type: ignore[arg-type]  # kind says that it is an op
        raise InvalidDefinition(
            f"Graph '{self._definition.name}' is called outside of a graph or job; run it with execute_in_process()."
        )
