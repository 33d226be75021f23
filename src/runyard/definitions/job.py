"""Jobs: graphs with the resources, config and tags to run them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from ..core.errors import InvalidDefinition
from ..core.text import did_you_mean, listing
from .composition import active
from .engine import engine
from .executors import checked_executor, multi_or_in_process_executor
from .graph import GraphDefinition, composed
from .metadata import check_metadata
from .names import check_name, checked_tags, place
from .policies import RetryPolicy
from .steps import Step, check_inputs, flatten

if TYPE_CHECKING:
    from ..core.pools import PoolNeeds
    from .config.run_config import RunConfig
    from .config.schema import Fields
    from .engine import ExecuteInProcessResult
    from .executors import ExecutorDefinition
    from .resources.definition import AnyResource


class JobDefinition:
    """A graph that can be run.

    ``tags`` describe the job and are put on its runs; with ``run_tags`` only those are put on runs. ``config`` holds
    for every op and resource that a run's own config does not mention.

    Raises:
        InvalidDefinition: an input has no value from anywhere, or a part is malformed.
    """

    def __init__(
        self,
        *,
        graph_def: GraphDefinition,
        resource_defs: Mapping[str, Any] | None = None,
        executor_def: ExecutorDefinition | None = None,
        name: str | None = None,
        config: RunConfig | Mapping[str, Any] | None = None,
        description: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        op_retry_policy: RetryPolicy | None = None,
        input_values: Mapping[str, Any] | None = None,
        owners: Sequence[str] | None = None,
    ) -> None:
        self.graph = graph_def
        self.name = check_name("a job", name or graph_def.name)
        self.owner = f"Job '{self.name}'"
        self.description = description
        self.tags = {**graph_def.tags, **checked_tags(self.owner, tags)}
        self._own_run_tags = None if run_tags is None else checked_tags(self.owner, run_tags)
        self.resource_defs = dict(resource_defs or {})
        self.executor_def = checked_executor(self.owner, executor_def)
        self.metadata = check_metadata(metadata, self.owner)
        self.op_retry_policy = op_retry_policy
        self.input_values = dict(input_values or {})
        self.owners = tuple(owners or ())
        self._config = config
        self.steps = flatten(graph_def, op_retry_policy)
        self._by_key = {step.key: step for step in self.steps}
        self._check()

    def _check(self) -> None:
        loadable = {step.key: frozenset(n for n, slot in step.op.ins.items() if _writable(slot)) for step in self.steps}
        check_inputs(self.graph.owner, self.steps, loadable)
        for name in self.input_values:
            if name not in self.graph.input_names:
                raise InvalidDefinition(
                    f"{self.owner}: input_values names '{name}', which the job does not take."
                    f"{did_you_mean(name, self.graph.input_names)}"
                )

    @property
    def graph_def(self) -> GraphDefinition:
        return self.graph

    @property
    def run_tags(self) -> dict[str, str]:
        """What every run of the job is tagged with."""
        return self.tags if self._own_run_tags is None else self._own_run_tags

    @cached_property
    def config(self) -> dict[str, Any]:
        """Run config that holds where a run's own does not say otherwise."""
        from .config.run_config import as_run_config  # noqa: PLC0415 - once a run needs it

        return as_run_config(self._config)

    @cached_property
    def resources(self) -> dict[str, AnyResource]:
        """The job's resources in the form that execution uses."""
        from .resources.definition import as_resources  # noqa: PLC0415 - once a run needs it

        return as_resources(self.resource_defs)

    @property
    def executor(self) -> ExecutorDefinition:
        """What executes its steps: its own executor, or the default."""
        return self.executor_def or multi_or_in_process_executor

    @cached_property
    def config_tree(self) -> Fields:
        """What run config of this job takes."""
        from .config.job_config import config_tree  # noqa: PLC0415 - once a run needs it

        return config_tree(self)

    @property
    def pools(self) -> PoolNeeds:
        """What a run of the job needs of pools."""
        from .pools import pool_needs  # noqa: PLC0415 - once a run needs it

        return pool_needs(self.steps)

    def step(self, key: str) -> Step | None:
        return self._by_key.get(key)

    def needed_resources(self, steps: Iterable[Step] | None = None) -> dict[str, AnyResource]:
        """The resources that ``steps`` use (None: all of its steps), and those that these use.

        Raises:
            InvalidDefinition: one is missing; names it, who needs it and the nearest that there is.
        """
        users = self.steps if steps is None else steps
        needed: dict[str, AnyResource] = {}
        pending = [(key, f"op '{step.key}'") for step in users for key in sorted(step.op.required_resource_keys)]
        while pending:
            key, who = pending.pop(0)
            if key in needed:
                continue
            if key not in self.resources:
                raise InvalidDefinition(missing_resource(self.owner, key, who, self.resources))
            needed[key] = self.resources[key]
            pending += [(other, f"resource '{key}'") for other in sorted(needed[key].required_resource_keys)]
        return needed

    def with_defaults(
        self, resource_defs: Mapping[str, Any], executor_def: ExecutorDefinition | None = None
    ) -> JobDefinition:
        """The same job with more resources, and an executor; its own win where both have one."""
        return self._with(
            resource_defs={**resource_defs, **self.resource_defs}, executor_def=self.executor_def or executor_def
        )

    def with_resources_replaced(self, resource_defs: Mapping[str, Any]) -> JobDefinition:
        """The same job with other resources, which win over its own."""
        return self._with(resource_defs={**self.resource_defs, **resource_defs}) if resource_defs else self

    def _with(self, **changes: Any) -> JobDefinition:
        same: dict[str, Any] = {
            "graph_def": self.graph,
            "resource_defs": self.resource_defs,
            "executor_def": self.executor_def,
            "name": self.name,
            "config": self._config,
            "description": self.description,
            "tags": self.tags,
            "run_tags": self._own_run_tags,
            "metadata": self.metadata,
            "op_retry_policy": self.op_retry_policy,
            "input_values": self.input_values,
            "owners": self.owners,
        }
        return JobDefinition(**{**same, **changes})

    def execute_in_process(
        self,
        run_config: RunConfig | Mapping[str, Any] | None = None,
        instance: Any = None,
        raise_on_error: bool = True,
        run_id: str | None = None,
        input_values: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> ExecuteInProcessResult:
        """Run the whole job here and now, nothing stored, and return its result.

        Parameters:
            raise_on_error: raise the exception of the first step that failed; False leaves it in the result.
            resources: win over the job's own; plain objects will do.

        Raises:
            InvalidRunConfig: the job does not take ``run_config``.
        """
        return engine().execute_in_process(
            self,
            run_config=run_config,
            instance=instance,
            raise_on_error=raise_on_error,
            run_id=run_id,
            input_values=input_values,
            tags=tags,
            resources=resources,
        )

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        where = active()
        inside = f" inside {where.owner}" if where else ""
        raise InvalidDefinition(
            f"{self.owner} cannot be called{inside}. Run it with execute_in_process(), or make it a @graph to use it "
            "inside of another."
        )

    def __repr__(self) -> str:
        return f"<job {self.name}>"


def _writable(slot: Any) -> bool:
    from .config.job_config import writable  # noqa: PLC0415 - shared with the run config that it decides about

    return writable(slot)


def missing_resource(owner: str, key: str, who: str, known: Mapping[str, Any]) -> str:
    """The message for a resource that is needed and not there."""
    have = did_you_mean(key, known) or (f" There are: {listing(known)}." if known else " There are no resources.")
    return f"{owner}: {who} needs the resource '{key}', which is not given.{have}"


def as_job(target: Any, owner: str) -> JobDefinition:
    """A job, or the job that a graph makes.

    Raises:
        InvalidDefinition: it is neither.
    """
    if isinstance(target, JobDefinition):
        return target
    if isinstance(target, GraphDefinition):
        return target.to_job()
    raise InvalidDefinition(f"{owner}: {target!r} is neither a job nor a graph.")


@overload
def job(compose_fn: Callable[..., Any]) -> JobDefinition: ...


@overload
def job(
    *,
    name: str | None = None,
    description: str | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    config: RunConfig | Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    executor_def: ExecutorDefinition | None = None,
    op_retry_policy: RetryPolicy | None = None,
    input_values: Mapping[str, Any] | None = None,
    owners: Sequence[str] | None = None,
) -> Callable[[Callable[..., Any]], JobDefinition]: ...


def job(
    compose_fn: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    description: str | None = None,
    resource_defs: Mapping[str, Any] | None = None,
    config: RunConfig | Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    executor_def: ExecutorDefinition | None = None,
    op_retry_policy: RetryPolicy | None = None,
    input_values: Mapping[str, Any] | None = None,
    owners: Sequence[str] | None = None,
) -> JobDefinition | Callable[[Callable[..., Any]], JobDefinition]:
    """Make a job of a function that calls ops: ``@job`` or ``@job(tags=…)``. Parameters are those of JobDefinition."""

    def decorate(function: Callable[..., Any]) -> JobDefinition:
        called = name or function.__name__
        inside = composed(function, owner=f"Job '{called}'{place(function)}", name=called, description=description)
        made = JobDefinition(
            graph_def=inside,
            resource_defs=resource_defs,
            executor_def=executor_def,
            config=config,
            description=inside.description,
            tags=tags,
            run_tags=run_tags,
            metadata=metadata,
            op_retry_policy=op_retry_policy,
            input_values=input_values,
            owners=owners,
        )
        functools.update_wrapper(made, function, updated=())
        return made

    return decorate(compose_fn) if compose_fn is not None else decorate
