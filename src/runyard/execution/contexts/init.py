"""The context in which a resource is initialised."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ...definitions.engine import InstanceClient, current_instance
from ...definitions.records import DagsterRun
from .resources import Resources


class Shared(NamedTuple):
    """A resource of the run that is ready."""

    value: Any


@dataclass(frozen=True)
class InitResourceContext:
    """What a resource's functions get. ``run`` is None outside of a run."""

    resource_config: Any = None
    resources: Resources = field(default_factory=lambda: Resources({}, "This resource"))
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("runyard"))
    run: DagsterRun | None = None
    given_instance: InstanceClient | None = None
    #: Initialised resources by the identity of their definition.
    ready: Mapping[int, Any] = field(default_factory=dict)

    @property
    def run_id(self) -> str | None:
        return self.run.run_id if self.run else None

    @property
    def dagster_run(self) -> DagsterRun | None:
        return self.run

    @property
    def instance(self) -> InstanceClient:
        return self.given_instance or current_instance()

    def initialised(self, definition: Any) -> Shared | None:
        """The run's resource that ``definition`` stands for, when it is one and is ready."""
        return Shared(self.ready[id(definition)]) if id(definition) in self.ready else None

    def for_nested(self) -> InitResourceContext:
        """The same for a resource inside of another: run config cannot reach it."""
        return replace(self, resource_config=None)
