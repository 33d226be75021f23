"""One attempt of a run: permission to begin, the run itself, and its end."""

from __future__ import annotations

import os
import socket
import traceback
from collections.abc import Callable
from typing import Any

from ...core.clock import Clock
from ...core.error_info import message_of
from ...core.errors import NotFound
from ...core.launch import LaunchSpec, RunEnd, WorkerReport
from ...core.run import RunFailure, RunStatus
from ...definitions.engine import set_instance_provider
from ...execution.errors import RunCancelled
from ...execution.run import execute_run
from ..messages import Assignment, Hello, Setup
from .cancellation import Cancellation
from .instance import HostInstance
from .link import HostLink
from .output import redirect_output
from .sink import HostSink


def new_link(
    host: socket.socket, setup: Setup, launch: LaunchSpec, clock: Clock, *, on_over: Callable[[str], None]
) -> HostLink:
    """A run worker's conversation: it outlives its host."""
    return HostLink(
        host,
        clock,
        path=setup.worker_socket,
        patience=setup.host_grace,
        hello=Hello(run_id=launch.run_id, attempt=launch.attempt, pid=os.getpid()),
        on_request=_asked,
        on_over=on_over,
    )


def _asked(request: object) -> None:
    raise RuntimeError(f"a run worker was asked to evaluate {request!r}")


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
        redirect_output(assignment.setup.compute_logs_dir, launch.run_id)
        end = _execute(link, launch, definitions, cancellation, clock)
    except RunCancelled as error:
        end = end or RunEnd(status=RunStatus.CANCELED, message=str(error))
    finally:
        cancellation.ignore()
    link.report(_report(launch, clock, end=end), wait=True)


def _begin(link: HostLink, launch: LaunchSpec, clock: Clock) -> bool:
    """STARTING → STARTED, committed: the check of the launch token."""
    return link.report(_report(launch, clock, begin=launch.token), wait=True)


def _execute(
    link: HostLink, launch: LaunchSpec, definitions: Callable[[], Any], cancellation: Cancellation, clock: Clock
) -> RunEnd:
    instance = HostInstance(link, cancellation)
    set_instance_provider(lambda: instance)
    try:
        job = definitions().get_job_def(launch.job_name)
        # Code that is imported here may have put a handler of its own.
        cancellation.listen()
    except NotFound as error:
        return _failed("JobNotFound", str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a spawned worker imports user code here
        traceback.print_exception(error)
        return _failed(type(error).__name__, f"The code does not load: {message_of(error)}")
    return execute_run(
        job,
        run_id=launch.run_id,
        attempt=launch.attempt,
        run_config=launch.run_config,
        tags=launch.tags,
        sink=HostSink(link, cancellation, launch.run_id, launch.attempt),
        clock=clock,
        instance=instance,
    )


def _failed(error_class: str, message: str) -> RunEnd:
    return RunEnd(status=RunStatus.FAILURE, failure=RunFailure(error_class, message), message=message)


def _report(launch: LaunchSpec, clock: Clock, *, begin: str | None = None, end: RunEnd | None = None) -> WorkerReport:
    return WorkerReport(
        run_id=launch.run_id,
        attempt=launch.attempt,
        begin=begin,
        pid=os.getpid() if begin is not None else None,
        end=end,
        timestamp=clock.now(),
    )
