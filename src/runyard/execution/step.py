"""One try of one step in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.clock import Clock
from ..core.step import StepEnd, StepOrder
from ..definitions.engine import InstanceClient
from ..definitions.job import JobDefinition
from .sink import EventSink
from .value_store import ValueStore


def execute_step(
    job: JobDefinition,
    order: StepOrder,
    *,
    run_id: str,
    attempt: int,
    run_config: Mapping[str, Any] | None,
    tags: Mapping[str, str],
    sink: EventSink,
    clock: Clock,
    values: ValueStore,
    instance: InstanceClient | None = None,
) -> StepEnd:
    """Do what ``order`` says and tell how it ended; all of the step's events are committed by then.

    User errors end up in the result, and so does a cancellation. Parameters are those of ``execute_run``.
    """
    raise NotImplementedError
