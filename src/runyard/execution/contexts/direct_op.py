"""The context for calling an op directly."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ...core.ids import new_id
from ...core.run import RunStatus
from ...definitions.engine import InstanceClient
from ...definitions.errors import InvalidInvocation
from ...definitions.op import OpDefinition
from ...definitions.records import DagsterRun
from ...definitions.slots import NO_VALUE
from .builders import BuiltContext, open_resources
from .op import OpExecutionContext
from .resources import Resources


def _no_op() -> None:
    """Stands for the op until one is called with the context."""


class DirectOpContext(BuiltContext, OpExecutionContext):
    """Made by build_op_context. ``user_events`` holds what the op has logged by ``log_event``."""

    config: Any = None
    user_events: list[Any]

    def bind(self, op: OpDefinition) -> None:
        """Say which op it is called with.

        Raises:
            InvalidInvocation: a resource that the op needs is missing, or its config has issues.
        """
        self.op_def, self.step_key = op, op.name
        missing = sorted(op.required_resource_keys - self.scope.values.keys() - op.signature.resources.keys())
        if missing:
            raise InvalidInvocation(
                f"Op '{op.name}' needs the resource '{missing[0]}': build_op_context(resources={{'{missing[0]}': …}})."
            )
        self.resources = Resources(self.scope.values, f"Op '{op.name}'")
        self.op_config = resolve_config(op, self.config)


def resolve_config(op: OpDefinition, config: Any) -> Any:
    """Config as the op gets it: an object of its Config class stays, a dict is checked against what the op takes.

    Raises:
        InvalidInvocation: it has issues.
    """
    if op.config.model is not None and isinstance(config, op.config.model):
        return config
    given = NO_VALUE if config is None else config
    issues = op.config.type.issues(given, "config")
    if issues:
        told = "; ".join(f"{path}: {message}" for path, message in issues)
        raise InvalidInvocation(f"Op '{op.name}' does not take this config: {told}")
    resolved = op.config.type.resolve(given)
    return None if resolved is NO_VALUE else resolved


def build_op_context(
    resources: Mapping[str, Any] | None = None,
    op_config: Any = None,
    resources_config: Mapping[str, Any] | None = None,
    instance: InstanceClient | None = None,
    config: Any = None,
    run_tags: Mapping[str, str] | None = None,
) -> DirectOpContext:
    """A context to call an op with. As a context manager it takes its resources down at the end."""
    scope = open_resources(resources, resources_config, instance)
    run = DagsterRun("direct_invocation", new_id(), {}, RunStatus.STARTED, dict(run_tags or {}))
    events: list[Any] = []
    context = DirectOpContext(
        op=OpDefinition(_no_op, "unbound"),
        run=run,
        log=logging.getLogger("runyard.direct"),
        resources=Resources(scope.values, "The context"),
        instance=instance,
        take_event=events.append,
    )
    context.scope, context.config = scope, config if config is not None else op_config
    context.op_config, context.user_events = context.config, events
    return context
