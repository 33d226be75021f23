"""Graphs: ops, and graphs, wired together."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from ..core.errors import InvalidDefinition
from .callable_node import CallableNode
from .composition import Composition, Handle, compose
from .dependencies import Dependencies, wire
from .names import check_name, check_slot_name, checked_tags, describe_function, place
from .slots import GraphIn, GraphOut, Out
from .types import shown
from .wiring import GraphInput, Node, OutputOf, check_sources

if TYPE_CHECKING:
    from .engine import ExecuteInProcessResult
    from .job import JobDefinition


class Inside(NamedTuple):
    """What a graph is made of. ``outputs`` maps a graph's output to the node's output that it is."""

    nodes: Mapping[str, Node]
    inputs: tuple[str, ...] = ()
    outputs: Mapping[str, OutputOf] = MappingProxyType({})


class GraphDefinition(CallableNode):
    """Nodes and their dependencies, usually made by ``@graph`` or ``@job``.

    Raises:
        InvalidDefinition: a dependency names what is not there, or nodes wait for each other in a circle.
    """

    kind = "graph"

    def __init__(
        self,
        name: str,
        *,
        description: str | None = None,
        node_defs: Sequence[CallableNode] | None = None,
        dependencies: Dependencies | None = None,
        tags: Mapping[str, Any] | None = None,
        inside: Inside | None = None,
        owner: str | None = None,
    ) -> None:
        self.name = check_name("a graph", name)
        self.owner = owner or f"Graph '{name}'"
        self.description = description
        self.tags = checked_tags(self.owner, tags)
        self.inside = inside or Inside(nodes=wire(self.owner, node_defs or (), dependencies or {}))
        check_sources(self.owner, self.inside.nodes)

    @property
    def nodes(self) -> Mapping[str, Node]:
        return self.inside.nodes

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.inside.inputs

    @property
    def output_slots(self) -> Mapping[str, Out]:
        return dict.fromkeys(self.inside.outputs, Out())

    def to_job(self, name: str | None = None, **options: Any) -> JobDefinition:
        """A job of this graph; ``options`` are those of JobDefinition."""
        from .job import JobDefinition  # noqa: PLC0415 - a job is made of a graph, not the other way round

        options.setdefault("description", self.description)
        return JobDefinition(graph_def=self, name=name, **options)

    def execute_in_process(self, run_config: Any = None, **options: Any) -> ExecuteInProcessResult:
        """Run it as a job in this process; ``resources`` and the other options of JobDefinition.execute_in_process."""
        return self.to_job().execute_in_process(run_config, **options)

    def __repr__(self) -> str:
        return f"<graph {self.name}>"


def composed(
    function: Callable[..., Any],
    *,
    owner: str,
    name: str,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
) -> GraphDefinition:
    """The graph that ``function`` describes by calling ops."""
    inputs = tuple(inspect.signature(function).parameters)
    for slot in inputs:
        check_slot_name(owner, "input", slot)
    composition, returned = compose(owner, function, inputs)
    names = tuple(out) if isinstance(out, Mapping) else None
    return GraphDefinition(
        name,
        description=describe_function(function, description),
        tags=tags,
        inside=Inside(composition.nodes, inputs, _outputs(owner, composition, returned, names)),
        owner=owner,
    )


def _outputs(owner: str, composition: Composition, returned: Any, names: tuple[str, ...] | None) -> dict[str, OutputOf]:
    given = _by_name(owner, returned, names)
    if names is not None and set(names) != set(given):
        raise InvalidDefinition(
            f"{owner}: declares the outputs {', '.join(names)}, but returns {', '.join(given) or 'none'}."
        )
    return {name: _output(owner, composition, name, value) for name, value in given.items()}


def _by_name(owner: str, returned: Any, names: tuple[str, ...] | None) -> dict[str, Any]:
    if returned is None:
        return {}
    if isinstance(returned, dict):
        return returned
    if isinstance(returned, tuple):
        labels = names or getattr(returned, "_fields", None)
        if labels is None or len(labels) != len(returned):
            raise InvalidDefinition(f"{owner}: returns {len(returned)} outputs; name them with out={{…}}.")
        return dict(zip(labels, returned, strict=True))
    return {names[0] if names and len(names) == 1 else "result": returned}


def _output(owner: str, composition: Composition, name: str, value: Any) -> OutputOf:
    if isinstance(value, Handle) and value.composition is composition:
        if isinstance(value.source, GraphInput):
            raise InvalidDefinition(f"{owner}: output '{name}' is {value.source.told()} itself; no op made it.")
        return value.source
    raise InvalidDefinition(f"{owner}: output '{name}' is {shown(value)}; return outputs of ops called in the graph.")


@overload
def graph(compose_fn: Callable[..., Any]) -> GraphDefinition: ...


@overload
def graph(
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, GraphIn] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
    tags: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Any]], GraphDefinition]: ...


def graph(
    compose_fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    ins: Mapping[str, GraphIn] | None = None,
    out: GraphOut | Mapping[str, GraphOut] | None = None,
    tags: Mapping[str, Any] | None = None,
) -> GraphDefinition | Callable[[Callable[..., Any]], GraphDefinition]:
    """Make a graph of a function that calls ops: ``@graph`` or ``@graph(out={…})``."""

    def decorate(function: Callable[..., Any]) -> GraphDefinition:
        owner = f"Graph '{name or function.__name__}'{place(function)}"
        unknown = set(ins or ()) - set(inspect.signature(function).parameters)
        if unknown:
            raise InvalidDefinition(f"{owner}: declares input '{min(unknown)}', which its function does not take.")
        made = composed(
            function, owner=owner, name=name or function.__name__, description=description, tags=tags, out=out
        )
        functools.update_wrapper(made, function, updated=())
        return made

    return decorate(compose_fn) if compose_fn is not None else decorate
