"""Run config of a whole job: ``{ops: {render: {config: …}}, resources: {db: {config: …}}}``, execution and loggers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidRunConfig
from ..slots import NO_VALUE, In
from ..types import mismatch
from .run_config import as_run_config
from .schema import Anything, ConfigType, Fields, Issue

if TYPE_CHECKING:
    from ..graph import GraphDefinition
    from ..job import JobDefinition
    from ..wiring import Node

#: Annotations whose values can be written in run config.
_WRITABLE = (str, int, float, bool, list, dict)


class InputValue(ConfigType):
    """A value for an input that no op provides: given outright or as ``{value: …}``."""

    takes = "a value"

    def __init__(self, slot: In) -> None:
        self.slot = slot
        self.required = not slot.has_default

    def issues(self, value: Any, path: str) -> list[Issue]:
        if value is NO_VALUE:
            return super().issues(value, path)
        problem = mismatch(self.slot.dagster_type, self.resolve(value))
        return [(path, f"is an input: {problem}")] if problem else []

    def resolve(self, value: Any) -> Any:
        if isinstance(value, Mapping) and set(value) == {"value"}:
            return value["value"]
        return value


def writable(slot: In) -> bool:
    """Whether run config can hold a value for this input."""
    kind = slot.dagster_type
    return any(kind is one or getattr(kind, "__origin__", None) is one for one in _WRITABLE)


def config_tree(job: JobDefinition) -> Fields:
    """What the job's run config takes."""
    fields: dict[str, ConfigType] = {
        "ops": _ops(job.graph),
        "resources": Fields(
            {
                name: Fields({"config": resource.config_type})
                for name, resource in sorted(job.needed_resources().items())
            },
            noun="resource",
        ),
        "execution": Fields({"config": job.executor.config_type}, noun="section"),
        "loggers": Anything(),
    }
    if job.graph.input_names:
        fields["inputs"] = Fields({name: _Optional() for name in job.graph.input_names}, noun="input")
    return Fields(fields, noun="section")


class _Optional(ConfigType):
    """An input of the job: run config or ``input_values`` give it."""

    required = False


def _ops(graph: GraphDefinition) -> Fields:
    return Fields({name: _node(node) for name, node in graph.nodes.items()}, noun="op")


def _node(node: Node) -> Fields:
    from ..op import OpDefinition  # noqa: PLC0415 - ops import this package

    definition = node.definition
    if not isinstance(definition, OpDefinition):
        return Fields({"ops": _ops(definition)}, noun="section")
    fields: dict[str, ConfigType] = {"config": definition.config.type}
    open_inputs = {n: InputValue(slot) for n, slot in definition.ins.items() if n not in node.inputs and writable(slot)}
    if open_inputs:
        fields["inputs"] = Fields(open_inputs, noun="input")
    return Fields(fields, noun="section")


def with_job_defaults(job: JobDefinition, run_config: Any) -> dict[str, Any]:
    """The given run config; ops and resources that it does not mention as the job's own config has them."""
    given = as_run_config(run_config)
    return _merged(job.config, given, depth=2) if job.config else given


def _merged(base: Mapping[str, Any], over: Mapping[str, Any], depth: int) -> dict[str, Any]:
    merged = {**base, **over}
    for key in base.keys() & over.keys():
        if depth > 1 and isinstance(base[key], Mapping) and isinstance(over[key], Mapping):
            merged[key] = _merged(base[key], over[key], depth - 1)
    return merged


def config_issues(job: JobDefinition, run_config: Any) -> list[Issue]:
    """Every problem of ``run_config`` as (path, message), empty when the job takes it. Never raises for bad input."""
    return job.config_tree.issues(with_job_defaults(job, run_config), "")


def resolve_run_config(job: JobDefinition, run_config: Any) -> dict[str, Any]:
    """Run config as execution uses it: objects of the Config classes in place, defaults filled in.

    Raises:
        InvalidRunConfig: it has issues; the error lists them all.
    """
    full = with_job_defaults(job, run_config)
    issues = job.config_tree.issues(full, "")
    if issues:
        raise InvalidRunConfig(job.name, issues)
    resolved: dict[str, Any] = job.config_tree.resolve(full)
    return resolved


def resolve_step_config(job: JobDefinition, run_config: Any, path: tuple[str, ...]) -> dict[str, Any]:
    """As ``resolve_run_config``, for the op at ``path`` alone: those of the other ops are left as they are given.

    Raises:
        InvalidRunConfig: what the op, or the run as a whole, takes has issues.
    """
    tree = job.config_tree
    alone = Fields({**tree.fields, "ops": _only(tree.fields["ops"], path)}, noun=tree.noun)
    full = with_job_defaults(job, run_config)
    issues = alone.issues(full, "")
    if issues:
        raise InvalidRunConfig(job.name, issues)
    return dict(alone.resolve(full))


def _only(ops: ConfigType, path: tuple[str, ...]) -> Fields:
    """The branch of a config tree that leads to the op at ``path``."""
    if not isinstance(ops, Fields) or path[0] not in ops.fields:
        return Fields({}, open=True)
    node = ops.fields[path[0]]
    if len(path) > 1 and isinstance(node, Fields):
        node = Fields({"ops": _only(node.fields["ops"], path[1:])}, noun=node.noun)
    return Fields({path[0]: node}, noun=ops.noun, open=True)


def validate_run_config(job_def: JobDefinition, run_config: Any = None) -> dict[str, Any]:
    """``run_config`` with its defaults filled in.

    Raises:
        InvalidRunConfig: the job does not take it; every problem is named with its place.
    """
    full = with_job_defaults(job_def, run_config)
    issues = job_def.config_tree.issues(full, "")
    if issues:
        raise InvalidRunConfig(job_def.name, issues)
    return filled_config(job_def, full)


def filled_config(job: JobDefinition, run_config: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The job's config with every default filled in, as far as there are defaults."""
    full = job.config_tree.filled(run_config if run_config is not None else job.config)
    return dict(full) if isinstance(full, Mapping) else {}
