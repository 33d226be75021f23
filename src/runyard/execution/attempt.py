"""What the steps of one attempt of a run share, whichever process they are in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..core.clock import Clock
from ..core.errors import InvalidRunConfig
from ..core.run import RunStatus
from ..core.tags import CODE_LOCATION, PARENT_RUN_ID, ROOT_RUN_ID
from ..definitions.config.executor_config import ExecutorSettings
from ..definitions.config.job_config import with_job_defaults
from ..definitions.engine import InstanceClient
from ..definitions.job import JobDefinition
from ..definitions.records import DagsterRun
from ..definitions.steps import FromJobInput, single_sources
from .emitter import Emitter


class Attempt(NamedTuple):
    """``config`` is resolved; ``inputs`` are those of the job itself. ``canceled``: whether the run is to stop."""

    job: JobDefinition
    run: DagsterRun
    config: Mapping[str, Any]
    inputs: Mapping[str, Any]
    emitter: Emitter
    clock: Clock
    instance: InstanceClient | None
    canceled: Callable[[], bool]

    @property
    def settings(self) -> ExecutorSettings:
        settings: ExecutorSettings = self.config["execution"]["config"]
        return settings

    @property
    def location_name(self) -> str | None:
        return self.run.tags.get(CODE_LOCATION)


def never() -> bool:
    """Runs that nobody can cancel."""
    return False


def run_of(
    job: JobDefinition, run_id: str, run_config: Mapping[str, Any] | None, tags: Mapping[str, str]
) -> DagsterRun:
    """The run as its own code sees it."""
    return DagsterRun(
        job.name,
        run_id,
        with_job_defaults(job, run_config),
        RunStatus.STARTED,
        dict(tags),
        tags.get(ROOT_RUN_ID),
        tags.get(PARENT_RUN_ID),
    )


def check_inputs(job: JobDefinition, given: Mapping[str, Any]) -> None:
    """Raises InvalidRunConfig for an input of the job that a step needs and nothing gives."""
    needed = {
        one.name
        for step in job.steps
        for name, source in step.inputs.items()
        if not step.op.ins[name].has_default
        for one in single_sources(source)
        if isinstance(one, FromJobInput)
    }
    missing = sorted(needed - given.keys())
    if missing:
        raise InvalidRunConfig(job.name, [(f"inputs.{name}", "is required") for name in missing])


def config_entry(config: Mapping[str, Any], path: tuple[str, ...]) -> Mapping[str, Any]:
    """The part of run config that belongs to the node at ``path``."""
    entry: Mapping[str, Any] = config
    for name in path:
        entry = entry.get("ops", {}).get(name, {})
    return entry
