"""Wiring a graph by hand: ``GraphDefinition(node_defs=[…], dependencies={…})``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import InvalidDefinition
from ..core.tag_owners import TagSetter
from ..core.text import did_you_mean
from .callable_node import CallableNode
from .names import check_name, checked_tags
from .policies import RetryPolicy
from .wiring import FanIn, Node, OutputOf, Source


@dataclass(frozen=True)
class DependencyDefinition:
    """An input comes from ``output`` of ``node``."""

    node: str
    output: str = "result"
    description: str | None = None


@dataclass(frozen=True)
class MultiDependencyDefinition:
    """An input is the list of several outputs."""

    dependencies: Sequence[DependencyDefinition]


class NodeInvocation:
    """A node by the name of its definition, under ``alias``."""

    def __init__(
        self,
        name: str,
        alias: str | None = None,
        tags: Mapping[str, Any] | None = None,
        retry_policy: RetryPolicy | None = None,
    ) -> None:
        self.name = name
        self.alias = check_name(f"an alias of '{name}'", alias) if alias is not None else None
        self.tags = checked_tags(f"Node '{name}'", tags, TagSetter.STEP)
        self.retry_policy = retry_policy


Dependency = DependencyDefinition | MultiDependencyDefinition
Dependencies = Mapping[str | NodeInvocation, Mapping[str, Dependency]]


def wire(owner: str, node_defs: Sequence[CallableNode], dependencies: Dependencies) -> dict[str, Node]:
    """The nodes that ``dependencies`` describe; a definition that it does not name is a node without inputs.

    Raises:
        InvalidDefinition: a node has no definition, or two have the same name.
    """
    definitions = {definition.name: definition for definition in node_defs}
    nodes: dict[str, Node] = {}
    used: set[str] = set()
    for key, inputs in dependencies.items():
        invocation = key if isinstance(key, NodeInvocation) else NodeInvocation(key)
        node = _node(owner, definitions, invocation, inputs)
        if node.name in nodes:
            raise InvalidDefinition(f"{owner}: two nodes are called '{node.name}'; give one an alias.")
        nodes[node.name] = node
        used.add(invocation.name)
    rest = {name: Node(name, definition) for name, definition in definitions.items() if name not in used}  # type: ignore[arg-type]  # every CallableNode is an op or a graph
    return {**nodes, **rest}


def _node(
    owner: str,
    definitions: Mapping[str, CallableNode],
    invocation: NodeInvocation,
    inputs: Mapping[str, Dependency],
) -> Node:
    definition = definitions.get(invocation.name)
    if definition is None:
        raise InvalidDefinition(
            f"{owner}: dependencies name '{invocation.name}', which is not in node_defs."
            f"{did_you_mean(invocation.name, definitions)}"
        )
    sources = {slot: _source(dependency) for slot, dependency in inputs.items()}
    name = invocation.alias or invocation.name
    return Node(name, definition, sources, invocation.tags, invocation.retry_policy)  # type: ignore[arg-type]  # same


def _source(dependency: Dependency) -> Source:
    if isinstance(dependency, MultiDependencyDefinition):
        return FanIn(tuple(OutputOf(one.node, one.output) for one in dependency.dependencies))
    return OutputOf(dependency.node, dependency.output)
