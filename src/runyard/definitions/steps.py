"""A job's graph taken flat: one step per op, in an order in which each comes after what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import InvalidDefinition
from .op import OpDefinition
from .policies import RetryPolicy
from .slots import NO_VALUE
from .wiring import GraphInput, Node, OutputOf, Source

if TYPE_CHECKING:
    from .graph import GraphDefinition


class FromStep(NamedTuple):
    """An input is this output of another step."""

    step_key: str
    output: str


class FromJobInput(NamedTuple):
    """An input is an input of the job itself."""

    name: str


class FromMany(NamedTuple):
    """An input is the list of these."""

    sources: tuple[FromStep | FromJobInput, ...]


StepSource = FromStep | FromJobInput | FromMany


class Step(NamedTuple):
    """An op in its place: ``key`` is ``outer.inner`` inside a nested graph."""

    key: str
    op: OpDefinition
    inputs: Mapping[str, StepSource]
    tags: Mapping[str, str]
    retry_policy: RetryPolicy | None

    @property
    def path(self) -> tuple[str, ...]:
        """Names of the nodes from the job down to the op."""
        return tuple(self.key.split("."))

    def needs(self) -> tuple[str, ...]:
        """Keys of the steps that it takes inputs from, each once."""
        singles = (one for source in self.inputs.values() for one in single_sources(source))
        return tuple(dict.fromkeys(one.step_key for one in singles if isinstance(one, FromStep)))


def single_sources(source: StepSource) -> tuple[FromStep | FromJobInput, ...]:
    return source.sources if isinstance(source, FromMany) else (source,)


def taken_by(step: Step) -> tuple[FromStep, ...]:
    """The outputs whose values the step takes; those that only order it are none."""
    return tuple(
        one
        for name, source in step.inputs.items()
        if not step.op.ins[name].is_nothing
        for one in single_sources(source)
        if isinstance(one, FromStep)
    )


def flatten(graph: GraphDefinition, default_retry_policy: RetryPolicy | None = None) -> tuple[Step, ...]:
    """The steps of a job of ``graph``, each after those that it needs, otherwise in the order of definition."""
    outer = {name: FromJobInput(name) for name in graph.input_names}
    steps = {step.key: step for step in _steps_of(graph, "", outer, {}, default_retry_policy)}
    return _in_order(steps)


def _steps_of(
    graph: GraphDefinition,
    prefix: str,
    outer: Mapping[str, StepSource],
    tags: Mapping[str, str],
    policy: RetryPolicy | None,
) -> Iterator[Step]:
    for node in graph.nodes.values():
        key = prefix + node.name
        inputs = {slot: _resolve(graph, prefix, outer, source) for slot, source in node.inputs.items()}
        known = {slot: source for slot, source in inputs.items() if source is not None}
        if isinstance(node.definition, OpDefinition):
            yield _step(key, node, node.definition, known, tags, policy)
        else:
            merged = {**tags, **node.definition.tags, **node.tags}
            yield from _steps_of(node.definition, f"{key}.", known, merged, node.retry_policy or policy)


def _step(
    key: str,
    node: Node,
    op: OpDefinition,
    inputs: Mapping[str, StepSource],
    tags: Mapping[str, str],
    policy: RetryPolicy | None,
) -> Step:
    return Step(key, op, inputs, {**tags, **op.tags, **node.tags}, node.retry_policy or op.retry_policy or policy)


def _resolve(graph: GraphDefinition, prefix: str, outer: Mapping[str, StepSource], source: Source) -> StepSource | None:
    """Where a value really comes from; None for an input of a nested graph that nobody fills."""
    if isinstance(source, GraphInput):
        return outer.get(source.name)
    if isinstance(source, OutputOf):
        return _producer(graph, prefix, source)
    found = [_resolve(graph, prefix, outer, one) for one in source.sources]
    return FromMany(tuple(one for item in found if item is not None for one in single_sources(item)))


def _producer(graph: GraphDefinition, prefix: str, source: OutputOf) -> FromStep:
    """The step behind an output, through nested graphs."""
    definition = graph.nodes[source.node].definition
    key = prefix + source.node
    if isinstance(definition, OpDefinition):
        return FromStep(key, source.output)
    return _producer(definition, f"{key}.", definition.inside.outputs[source.output])


def output_step(graph: GraphDefinition, output: str) -> FromStep:
    """The step's output that an output of the job is."""
    return _producer(graph, "", graph.inside.outputs[output])


def _in_order(steps: Mapping[str, Step]) -> tuple[Step, ...]:
    """Kahn's order, stable; graphs have been checked for cycles one by one, and nesting cannot add one."""
    waiting = {key: set(step.needs()) for key, step in steps.items()}
    users: dict[str, list[str]] = {key: [] for key in steps}
    for key, needs in waiting.items():
        for need in needs:
            users[need].append(key)
    ready = [key for key, needs in waiting.items() if not needs]
    ordered: list[Step] = []
    while ready:
        key = ready.pop(0)
        ordered.append(steps[key])
        for user in users[key]:
            waiting[user].discard(key)
            if not waiting[user]:
                ready.append(user)
    return tuple(ordered)


def check_inputs(owner: str, steps: tuple[Step, ...], loadable: Mapping[str, frozenset[str]]) -> None:
    """Every input has a value from somewhere; ``loadable`` names, by step, those that run config can give.

    Raises:
        InvalidDefinition: names the step and the input.
    """
    for step in steps:
        for name, slot in step.op.ins.items():
            given = name in step.inputs or slot.has_default or slot.is_nothing
            if not given and name not in loadable.get(step.key, frozenset()):
                raise InvalidDefinition(f"{owner}: {_unconnected(step, name)}")


def _unconnected(step: Step, name: str) -> str:
    """Why an input has no value. A parameter whose annotation names nothing may have been meant as a resource."""
    parameter = step.op.signature.inputs.get(name)
    if parameter is not None and parameter.unresolved and step.op.ins[name].dagster_type is NO_VALUE:
        return f"what the parameter '{name}' of op '{step.key}' is for is unknown: {parameter.unresolved.explained()}"
    return (
        f"input '{name}' of op '{step.key}' is connected to nothing, has no default and has no type that run config "
        "can hold (such as int or str). Pass it the output of an op."
    )
