"""A worker process from its first line to its last."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from ...core.clock import Clock, SystemClock
from ...core.launch import LaunchSpec, WorkerReport
from ...core.leftovers import Leftover, Owner, leftovers_event
from ...core.step import StepOrder, first_seq
from ..containment import enter_tree, kill_own_tree
from ..messages import Assignment, Hello
from ..open_files import flush_open_files
from ..processes import send_signal
from .cancellation import Cancellation
from .leftovers import find_leftovers
from .link import HostLink
from .run import run
from .step import run_step
from .streams import flush_streams
from .ticks import serve_ticks

#: How long a worker that is to be killed waits for its last event, and for its buffers, in seconds.
_ACKNOWLEDGED_WITHIN, _FLUSHED_WITHIN = 2.0, 1.0
#: The exit code of a worker that nobody listens to any more.
NOBODY_LISTENS = 75


def work(host: socket.socket, assignment: Assignment, definitions: Callable[[], Any]) -> NoReturn:
    """Do what the assignment says and end the process.

    Args:
        host: the conversation with the location host.
        definitions: returns the location's definitions; a spawned worker imports them in it.
    """
    clock = SystemClock()
    if assignment.launch is None:
        serve_ticks(host, assignment, definitions, clock)
        os._exit(0)
    enter_tree(assignment.setup, assignment.launch, assignment.step)
    end = _End(clock, assignment.setup.stop_grace)
    cancellation = Cancellation()
    link = _new_link(host, assignment, assignment.launch, clock, on_over=end.over)
    do = run if assignment.step is None else run_step
    do(link, assignment, definitions, cancellation, clock)
    launch, step = assignment.launch, assignment.step
    end.leave(lambda left: _report_leftovers(link, launch, step, left, end.grace, clock))


def _new_link(
    host: socket.socket, assignment: Assignment, launch: LaunchSpec, clock: Clock, *, on_over: Callable[[str], None]
) -> HostLink:
    """The conversation of a run worker or a step worker: it outlives its host."""
    setup, step = assignment.setup, assignment.step
    hello = Hello(
        run_id=launch.run_id,
        attempt=launch.attempt,
        pid=os.getpid(),
        step=step,
        launch=launch if step is None else None,
    )
    return HostLink(
        host,
        clock,
        path=setup.worker_socket,
        patience=setup.host_grace,
        hello=hello,
        on_request=_asked,
        on_over=on_over,
    )


def _asked(request: object) -> None:
    raise RuntimeError(f"a worker of a run was asked to evaluate {request!r}")


def _report_leftovers(
    link: HostLink, launch: LaunchSpec, step: StepOrder | None, left: list[Leftover], grace: float, clock: Clock
) -> None:
    """Write the warning to the run's log, which takes events of the attempt also when the run has ended by its word."""
    owner = Owner(launch.run_id, launch.attempt, step.step_key if step else None)
    # The last number of this process's space: no event of its work has it.
    last = first_seq((step.number if step else 0) + 1)
    event = leftovers_event(owner, left, grace, now=clock.now(), seq=last)
    link.report(WorkerReport(run_id=launch.run_id, attempt=launch.attempt, events=(event,)), wait=False)
    link.wait_acknowledged(_ACKNOWLEDGED_WITHIN)


class _End:
    """How a worker of a run ends: by itself within its grace, or made to, also once nobody listens to it."""

    def __init__(self, clock: Clock, grace: float) -> None:
        self._clock, self.grace = clock, grace
        self._over = threading.Event()
        #: Held by the thread that ends the process.
        self._ending = threading.Lock()
        self._in_exit_functions = False

    def over(self, reason: str) -> None:
        """In the reading thread: let user code clean up, then end it, and what it has started, whatever it does."""
        self._over.set()
        os.write(2, f"This worker stops: {reason}.\n".encode())
        os.kill(os.getpid(), signal.SIGTERM)
        self._clock.wait(threading.Event(), self.grace)
        kill_own_tree()
        os._exit(NOBODY_LISTENS)

    def leave(self, report: Callable[[list[Leftover]], None]) -> NoReturn:
        """As a fresh interpreter ends: threads are waited for and exit functions run; but nothing is torn down.

        What has not ended after the grace is passed to ``report`` and ends with this process.
        """
        threading.Thread(target=self._limit, args=(report,), name="runyard-grace", daemon=True).start()
        with _printed():
            threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing's children do
        self._in_exit_functions = True
        with _printed():
            atexit._run_exitfuncs()  # noqa: SLF001 - same
        self._ending.acquire()
        flush_streams()
        self._exit()

    def _limit(self, report: Callable[[list[Leftover]], None]) -> None:
        self._clock.wait(threading.Event(), self.grace)
        if not self._ending.acquire(blocking=False):
            return
        left = find_leftovers(in_exit_functions=self._in_exit_functions)
        if left:
            report(left)
        for one in left:
            if one.pid is not None:
                send_signal(one.pid, signal.SIGKILL)
        _flush_within(_FLUSHED_WITHIN)
        self._exit()

    def _exit(self) -> NoReturn:
        if self._over.is_set():
            kill_own_tree()
        os._exit(0)


@contextmanager
def _printed() -> Iterator[None]:
    """What is raised at the end of a process, by the code of a pool for instance, is printed and changes nothing."""
    try:
        yield
    except BaseException:  # noqa: BLE001 - user code may raise anything
        traceback.print_exc()


def _flush_within(seconds: float) -> None:
    """Write out what is in buffers; a thread that is left may hold one of their locks."""

    def flush() -> None:
        flush_streams()
        flush_open_files()

    flushing = threading.Thread(target=flush, daemon=True)
    flushing.start()
    flushing.join(seconds)
