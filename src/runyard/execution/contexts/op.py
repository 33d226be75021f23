"""The context of an op."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ...core.errors import InvalidDefinition
from ...core.text import listing
from ...definitions.engine import InstanceClient, current_instance
from ...definitions.metadata import MetadataValue, check_metadata
from ...definitions.op import OpDefinition
from ...definitions.records import DagsterRun
from .resources import Resources

if TYPE_CHECKING:
    from ...definitions.job import JobDefinition


class OpExecutionContext:
    """What an op is handed as ``context``."""

    def __init__(
        self,
        *,
        op: OpDefinition,
        run: DagsterRun,
        log: logging.Logger,
        resources: Resources,
        op_config: Any = None,
        job: JobDefinition | None = None,
        step_key: str | None = None,
        retry_number: int = 0,
        location_name: str | None = None,
        instance: InstanceClient | None = None,
        take_event: Callable[[Any], None] | None = None,
    ) -> None:
        self.op_def, self.run, self.log, self.resources = op, run, log, resources
        self.op_config, self.retry_number = op_config, retry_number
        self.step_key = step_key or op.name
        self._job, self._instance = job, instance
        self._location_name = location_name
        self._take_event = take_event
        self.output_metadata: dict[str, dict[str, MetadataValue]] = {}

    @property
    def op(self) -> OpDefinition:
        return self.op_def

    @property
    def run_id(self) -> str:
        return self.run.run_id

    @property
    def dagster_run(self) -> DagsterRun:
        return self.run

    @property
    def run_config(self) -> Mapping[str, Any]:
        return self.run.run_config

    @property
    def run_tags(self) -> Mapping[str, str]:
        return self.run.tags

    @property
    def job_name(self) -> str:
        return self.run.job_name

    @property
    def job_def(self) -> JobDefinition:
        """Raises InvalidDefinition when the op is called directly, outside of a job."""
        if self._job is None:
            raise InvalidDefinition(f"Op '{self.op_def.name}' is called directly; there is no job.")
        return self._job

    @property
    def location_name(self) -> str | None:
        return self._location_name

    @property
    def instance(self) -> InstanceClient:
        """Raises NoInstance where there is none."""
        return self._instance or current_instance()

    @property
    def selected_output_names(self) -> set[str]:
        return set(self.op_def.outs)

    def has_tag(self, key: str) -> bool:
        """Whether the run has this tag."""
        return key in self.run.tags

    def get_tag(self, key: str) -> str | None:
        """The run's tag, None without it."""
        return self.run.tags.get(key)

    def log_event(self, event: Any) -> None:
        """Record an AssetMaterialization, AssetObservation or ExpectationResult now; returns when it is committed."""
        if self._take_event is not None:
            self._take_event(event)

    def add_output_metadata(self, metadata: Mapping[str, Any], output_name: str | None = None) -> None:
        """Attach metadata to an output that is still to come; the name may be left out for a single output.

        Raises:
            InvalidDefinition: the op has no such output, or several and none is named.
        """
        names = list(self.op_def.outs)
        name = output_name or (names[0] if len(names) == 1 else None)
        if name not in names:
            raise InvalidDefinition(
                f"Op '{self.op_def.name}': add_output_metadata needs one of its outputs: {listing(names)}."
            )
        self.output_metadata.setdefault(name, {}).update(check_metadata(metadata, f"output '{name}'"))
