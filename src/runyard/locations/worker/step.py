"""One try of one step, in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...core.clock import Clock
from ...core.error_info import print_error
from ...core.launch import LaunchSpec, WorkerReport
from ...core.run import RunFailure
from ...core.step import StepEnd, StepOrder, StepStatus
from ...definitions.engine import set_instance_provider
from ...execution.errors import RunCancelled
from ...execution.python_logs import PythonLogsBroken, apply_python_logs
from ...execution.retries import failure_of
from ...execution.step import execute_step
from ...storage.values import LocalValues
from ..messages import Assignment, Setup
from .cancellation import Cancellation
from .instance import HostInstance
from .job import NoJob, find_job
from .link import HostLink
from .output import OutputNotKept, redirect_output
from .sink import HostSink


def run_step(
    link: HostLink,
    assignment: Assignment,
    definitions: Callable[[], Any],
    cancellation: Cancellation,
    clock: Clock,
) -> None:
    """Do the assigned step; its end is the last thing said, read by the host even when this process is gone by then."""
    launch, order = assignment.launch, assignment.step
    if launch is None or order is None:
        raise ValueError("a step worker needs a launch and a step")
    link.start()
    cancellation.listen()
    end: StepEnd | None = None
    try:
        redirect_output(assignment.setup.compute_logs_dir, launch.run_id, order.step_key, clock=clock)
        end = _execute(link, assignment.setup, launch, order, definitions, cancellation, clock)
    except OutputNotKept as error:
        end = _end(order, StepStatus.DIED, failure=RunFailure(type(error).__name__, str(error)))
    except RunCancelled:
        end = end or _end(order, StepStatus.CANCELED)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the step ends with it as the reason
        print_error(error)
        end = end or _end(order, StepStatus.DIED, failure=failure_of(order.step_key, error))
    finally:
        cancellation.ignore()
    link.report(WorkerReport(run_id=launch.run_id, attempt=launch.attempt), wait=False, step_end=end)


def _execute(
    link: HostLink,
    setup: Setup,
    launch: LaunchSpec,
    order: StepOrder,
    definitions: Callable[[], Any],
    cancellation: Cancellation,
    clock: Clock,
) -> StepEnd:
    instance = HostInstance(link, cancellation)
    set_instance_provider(lambda: instance)
    try:
        job = find_job(definitions, launch.job_name, cancellation)
        apply_python_logs(setup.python_logs)
    except (NoJob, PythonLogsBroken) as error:
        # No event was written of it: the run's worker does that, as for a process that died.
        failure = error.failure if isinstance(error, NoJob) else RunFailure(type(error).__name__, str(error))
        return _end(order, StepStatus.DIED, failure=failure)
    return execute_step(
        job,
        order,
        run_id=launch.run_id,
        attempt=launch.attempt,
        run_config=launch.run_config,
        tags=launch.tags,
        sink=HostSink(link, cancellation, launch.run_id, launch.attempt),
        clock=clock,
        values=LocalValues(setup.outputs_dir),
        instance=instance,
        canceled=cancellation.asked,
    )


def _end(order: StepOrder, status: StepStatus, **fields: Any) -> StepEnd:
    return StepEnd(step_key=order.step_key, number=order.number, status=status, **fields)
