"""The inside of a graph: nodes, where each input comes from, and the check that nothing waits for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import InvalidDefinition
from ..core.text import did_you_mean, listing
from .policies import RetryPolicy

if TYPE_CHECKING:
    from .graph import GraphDefinition
    from .op import OpDefinition


class OutputOf(NamedTuple):
    """An output of a node of the same graph."""

    node: str
    output: str

    def told(self) -> str:
        return f"output '{self.output}' of '{self.node}'"


class GraphInput(NamedTuple):
    """An input of the graph that the node is in."""

    name: str

    def told(self) -> str:
        return f"graph input '{self.name}'"


class FanIn(NamedTuple):
    """Several sources, given to one input as a list in this order."""

    sources: tuple[OutputOf | GraphInput, ...]


Source = OutputOf | GraphInput | FanIn


class Node(NamedTuple):
    """An op or graph in its place in a graph."""

    name: str
    definition: OpDefinition | GraphDefinition
    inputs: Mapping[str, Source] = MappingProxyType({})
    tags: Mapping[str, str] = MappingProxyType({})
    retry_policy: RetryPolicy | None = None

    def upstream(self) -> Iterator[str]:
        """Names of the nodes that this one takes an input from."""
        for source in self.inputs.values():
            for single in source.sources if isinstance(source, FanIn) else (source,):
                if isinstance(single, OutputOf):
                    yield single.node


def check_sources(owner: str, nodes: Mapping[str, Node]) -> None:
    """Every input of a node comes from an output that exists, and no node waits for itself.

    Raises:
        InvalidDefinition: names the graph, the node and the input or the way round.
    """
    for node in nodes.values():
        told = f"{owner}: {node.definition.kind} '{node.name}'"
        for slot, source in node.inputs.items():
            _check_input(told, node, slot)
            for single in source.sources if isinstance(source, FanIn) else (source,):
                if isinstance(single, OutputOf):
                    check_output(f"{told}: input '{slot}'", nodes, single)
    _check_cycle(owner, nodes)


def _check_input(told: str, node: Node, slot: str) -> None:
    names = node.definition.input_names
    if slot not in names:
        known = f" It has {listing(names)}." if names else " It has none."
        raise InvalidDefinition(f"{told} has no input '{slot}'.{did_you_mean(slot, names) or known}")


def check_output(told: str, nodes: Mapping[str, Node], source: OutputOf) -> None:
    """Raises InvalidDefinition when there is no such node or output; ``told`` says who asks."""
    node = nodes.get(source.node)
    if node is None:
        raise InvalidDefinition(
            f"{told} comes from '{source.node}', which is not in the graph.{did_you_mean(source.node, nodes)}"
        )
    outputs = node.definition.output_slots
    if source.output not in outputs:
        raise InvalidDefinition(
            f"{told} comes from output '{source.output}' of '{source.node}', which has "
            f"{listing(outputs) or 'no outputs'}.{did_you_mean(source.output, outputs)}"
        )


def _check_cycle(owner: str, nodes: Mapping[str, Node]) -> None:
    around = find_cycle({name: sorted(set(node.upstream())) for name, node in nodes.items()})
    if around:
        raise InvalidDefinition(f"{owner} has a cycle: {' -> '.join(reversed(around))}. No node can wait for itself.")


def find_cycle(needs: Mapping[str, Sequence[str]]) -> list[str] | None:
    """A way from some name back to itself, the name at both ends; None when there is none.

    Depth first without recursion: a chain of ops may be longer than Python's stack.
    """
    done: set[str] = set()
    for start in needs:
        path: list[str] = []
        on_path: set[str] = set()
        pending = [(start, iter(needs[start]))] if start not in done else []
        while pending:
            name, rest = pending[-1]
            if name not in on_path:
                path.append(name)
                on_path.add(name)
            following = next((other for other in rest if other not in done), None)
            if following is None:
                pending.pop()
                on_path.discard(path.pop())
                done.add(name)
            elif following in on_path:
                return [*path[path.index(following) :], following]
            else:
                pending.append((following, iter(needs.get(following, ()))))
    return None
