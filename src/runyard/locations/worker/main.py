"""A worker process from its first line to its last."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from ...core.clock import Clock, SystemClock
from ...core.launch import LaunchSpec
from ..containment import enter_tree, kill_own_tree
from ..messages import Assignment, Hello
from .cancellation import Cancellation
from .link import HostLink
from .run import run
from .step import run_step
from .streams import flush_streams
from .ticks import serve_ticks

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
    end.leave()


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


class _End:
    """How a worker of a run ends: by itself, or made to once nobody listens to it."""

    def __init__(self, clock: Clock, grace: float) -> None:
        self._clock, self._grace = clock, grace
        self._over = threading.Event()

    def over(self, reason: str) -> None:
        """In the reading thread: let user code clean up, then end it, and what it has started, whatever it does."""
        self._over.set()
        os.write(2, f"This worker stops: {reason}.\n".encode())
        os.kill(os.getpid(), signal.SIGTERM)
        self._clock.wait(threading.Event(), self._grace)
        kill_own_tree()
        os._exit(NOBODY_LISTENS)

    def leave(self) -> NoReturn:
        """As a fresh interpreter ends: threads are waited for and exit functions run; but nothing is torn down."""
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - what multiprocessing's children call too
        atexit._run_exitfuncs()  # noqa: SLF001 - same
        flush_streams()
        if self._over.is_set():
            kill_own_tree()
        os._exit(0)
