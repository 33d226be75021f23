"""Calling ops inside a graph's function: each call adds a node and hands out where its outputs come from."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, NoReturn, Protocol

from ..core.errors import InvalidDefinition
from ..core.text import did_you_mean, listing
from .policies import RetryPolicy
from .slots import Out
from .types import shown
from .wiring import FanIn, GraphInput, Node, OutputOf, Source


class Composable(Protocol):
    """What a node can stand for: an op or a graph."""

    kind: str
    name: str

    @property
    def input_names(self) -> tuple[str, ...]: ...

    @property
    def output_slots(self) -> Mapping[str, Out]: ...


class Handle:
    """What a call inside a graph returns for one output, and what a graph's parameter is."""

    __slots__ = ("composition", "source")

    def __init__(self, source: OutputOf | GraphInput, composition: Composition) -> None:
        self.source, self.composition = source, composition

    def __iter__(self) -> Iterator[NoReturn]:
        raise InvalidDefinition(
            f"{self.composition.owner}: {self.source.told()} cannot be taken apart or looped over; "
            "its value exists only when the job runs. Give the op several outputs (out={…}) instead."
        )


class Composition:
    """The graph whose function is being called."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.nodes: dict[str, Node] = {}

    def add(
        self,
        definition: Any,
        alias: str | None,
        tags: dict[str, str],
        retry_policy: RetryPolicy | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        """Add a node and return its outputs: None, one handle, or a named tuple of them."""
        name = self._name(definition, alias)
        told = f"{self.owner}: {definition.kind} '{name}'"
        inputs = {slot: self._source(told, slot, v) for slot, v in _bind(told, definition, args, kwargs).items()}
        self.nodes[name] = Node(name, definition, inputs, tags, retry_policy)
        return self._outputs(name, definition)

    def _name(self, definition: Any, alias: str | None) -> str:
        if alias is not None:
            if alias in self.nodes:
                raise InvalidDefinition(f"{self.owner}: two nodes are called '{alias}'; give one another alias.")
            return alias
        name, n = definition.name, 1
        while name in self.nodes:
            n += 1
            name = f"{definition.name}_{n}"
        return str(name)

    def _source(self, told: str, slot: str, value: Any) -> Source:
        if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
            return FanIn(tuple(self._single(told, slot, item) for item in value))
        return self._single(told, slot, value)

    def _single(self, told: str, slot: str, value: Any) -> OutputOf | GraphInput:
        if not isinstance(value, Handle):
            raise InvalidDefinition(f"{told}: input '{slot}' is given {_told_value(value)}")
        if value.composition is not self:
            raise InvalidDefinition(
                f"{told}: input '{slot}' is given {value.source.told()} of another graph; "
                "pass it in as an input of this one."
            )
        return value.source

    def _outputs(self, name: str, definition: Any) -> Any:
        handles = [Handle(OutputOf(name, output), self) for output in definition.output_slots]
        if len(handles) == 1:
            return handles[0]
        if not handles:
            return None
        return namedtuple(f"{name}_outputs", list(definition.output_slots))(*handles)


def _told_value(value: Any) -> str:
    rest = "Inside a graph an input is an output of another op, a list of those, or an input of the graph."
    if hasattr(value, "_fields"):
        return f"all outputs of an op at once; take one: {listing(value._fields)}. {rest}"
    if value is None:
        return f"None: the op called for it has no outputs, or the value is not one of an op. {rest}"
    return f"{shown(value)}. {rest}"


def _bind(told: str, definition: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    names = definition.input_names
    if len(args) > len(names):
        raise InvalidDefinition(f"{told} is given {len(args)} inputs, but takes {_inputs(names)}.")
    bound = dict(zip(names, args, strict=False))
    for name, value in kwargs.items():
        if name not in names:
            raise InvalidDefinition(
                f"{told} has no input '{name}'.{did_you_mean(name, names)} It takes {_inputs(names)}."
            )
        if name in bound:
            raise InvalidDefinition(f"{told} is given input '{name}' twice.")
        bound[name] = value
    return bound


def _inputs(names: tuple[str, ...]) -> str:
    return f"{len(names)} ({', '.join(names)})" if names else "none"


_active: ContextVar[Composition | None] = ContextVar("active_composition", default=None)


def active() -> Composition | None:
    """The graph whose function is being called, None outside of one."""
    return _active.get()


def compose(owner: str, function: Callable[..., Any], inputs: tuple[str, ...]) -> tuple[Composition, Any]:
    """Call a graph's function; the nodes it made and what it returned."""
    composition = Composition(owner)
    handles = {name: Handle(GraphInput(name), composition) for name in inputs}
    token = _active.set(composition)
    try:
        return composition, function(**handles)
    finally:
        _active.reset(token)
