"""One attempt of a run: permission to begin, the run itself, and its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ...core.clock import Clock
from ...core.error_info import print_error
from ...core.errors import RunyardError
from ...core.launch import LaunchSpec, RunEnd, WorkerReport
from ...core.run import RunFailure, RunStatus
from ...definitions.engine import set_instance_provider
from ...execution.errors import RunCancelled
from ...execution.python_logs import apply_python_logs
from ...execution.retries import failure_of
from ...execution.run import execute_run
from ...storage.values import LocalValues
from ..messages import Assignment, Setup
from .cancellation import Cancellation
from .earlier import carry_on
from .instance import HostInstance, steps_done
from .job import NoJob, find_job
from .link import HostLink
from .output import Output, OutputNotKept, redirect_output
from .sink import HostSink
from .step_host import HostSteps


def run(
    link: HostLink,
    assignment: Assignment,
    definitions: Callable[[], Any],
    cancellation: Cancellation,
    clock: Clock,
) -> None:
    """Run the assigned attempt, unless it was given up on before user code was called."""
    launch = assignment.launch
    if launch is None:
        raise ValueError("a run worker needs a launch")
    link.start()
    cancellation.listen()
    end: RunEnd | None = None
    try:
        with cancellation.shield():
            begun = _begin(link, launch, clock)
        if not begun:
            return
        output = redirect_output(assignment.setup.compute_logs_dir, launch.run_id, clock=clock)
        end = _execute(link, assignment.setup, launch, definitions, cancellation, clock, output)
    except OutputNotKept as error:
        end = _failed(RunFailure(type(error).__name__, str(error)))
    except RunCancelled as error:
        end = end or RunEnd(status=RunStatus.CANCELED, message=str(error))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the run ends with it as the reason
        print_error(error)
        end = end or _failed(failure_of(None, error))
    finally:
        cancellation.ignore()
    link.report(_report(launch, clock, end=end), wait=True)


def _begin(link: HostLink, launch: LaunchSpec, clock: Clock) -> bool:
    """STARTING → STARTED, committed: the check of the launch token."""
    return link.report(_report(launch, clock, begin=launch.token), wait=True)


def _execute(
    link: HostLink,
    setup: Setup,
    launch: LaunchSpec,
    definitions: Callable[[], Any],
    cancellation: Cancellation,
    clock: Clock,
    output: Output,
) -> RunEnd:
    instance = HostInstance(link, cancellation)
    set_instance_provider(lambda: instance)
    values = LocalValues(setup.outputs_dir)
    try:
        job = find_job(definitions, launch.job_name, cancellation)
        apply_python_logs(setup.python_logs)
        plan = carry_on(job.steps, launch, values, lambda run_id: steps_done(link, cancellation, run_id))
    except NoJob as error:
        return _failed(error.failure)
    except RunyardError as error:
        return _failed(failure_of(None, error))
    return execute_run(
        job,
        run_id=launch.run_id,
        attempt=launch.attempt,
        run_config=launch.run_config,
        tags=launch.tags,
        sink=HostSink(link, cancellation, launch.run_id, launch.attempt),
        clock=clock,
        instance=instance,
        host=HostSteps(link, cancellation, clock),
        values=values,
        done=plan.done,
        only=plan.only,
        capture=output.capture,
        canceled=cancellation.asked,
    )


def _failed(failure: RunFailure) -> RunEnd:
    return RunEnd(status=RunStatus.FAILURE, failure=failure, message=failure.message)


def _report(launch: LaunchSpec, clock: Clock, *, begin: str | None = None, end: RunEnd | None = None) -> WorkerReport:
    return WorkerReport(
        run_id=launch.run_id,
        attempt=launch.attempt,
        begin=begin,
        pid=os.getpid() if begin is not None else None,
        end=end,
        timestamp=clock.now(),
    )
