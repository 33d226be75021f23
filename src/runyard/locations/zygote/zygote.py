"""Load once, then fork and reap, on one thread."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import warnings
from collections.abc import Callable
from typing import Any

import msgspec

from ...core.error_info import error_info, print_error
from ...definitions.describe import describe
from ..code_loading import load, prepare_process
from ..codec import decoder, pack
from ..framing import FrameBuffer, frame
from ..messages import (
    Assignment,
    Loaded,
    LoadFailed,
    Setup,
    StartWorker,
    ToZygote,
    WorkerExited,
    WorkerNotStarted,
    WorkerStarted,
)
from ..processes import exit_descriptor
from ..sources import loaded_directories, loaded_files
from ..worker.main import work
from .child import leave_zygote
from .settling import Settled, settle
from .spawn import spawn_worker

_DECODER = decoder(ToZygote)
_CHUNK = 65536

Become = Callable[[], None]


class Zygote:
    """``serve`` until the host's socket ends. In a forked child it returns what the child is to do."""

    def __init__(self, host: socket.socket) -> None:
        self._host = host
        self._frames = FrameBuffer()
        self._setup: Setup | None = None
        self._definitions: Any = None
        self._settled = Settled("fork", None, None, {})
        #: By exit descriptor: the worker's pid, and the handle of a spawned one.
        self._children: dict[int, tuple[int, subprocess.Popen[bytes] | None]] = {}

    def serve(self) -> Become | None:
        poll = select.poll()
        poll.register(self._host, select.POLLIN)
        while True:
            for fd, _ in poll.poll():
                if fd != self._host.fileno():
                    poll.unregister(fd)
                    self._reap(fd)
                    continue
                data = self._host.recv(_CHUNK)
                if not data:
                    self._end_soon()
                    return None
                for payload in self._frames.feed(data):
                    become = self._handle(_DECODER.decode(payload), poll)
                    if become is not None:
                        return become

    def _handle(self, message: Setup | StartWorker, poll: select.poll) -> Become | None:
        if isinstance(message, Setup):
            self._load(message)
            return None
        return self._start(message, poll)

    def _load(self, setup: Setup) -> None:
        self._setup = setup
        try:
            prepare_process(setup.spec)
            self._definitions = load(setup.spec)
            self._send(self._loaded(setup))
        except BaseException as error:  # noqa: BLE001 - user code may raise anything, SystemExit too
            # The whole traceback for the host's log; the location's status shows the user's own frames.
            print_error(error)
            directories, files = loaded_directories(setup.spec), loaded_files()
            self._send(LoadFailed(error=error_info(error), directories=directories, files=files))

    def _loaded(self, setup: Setup) -> Loaded:
        self._settled = settle(setup.spec.start_method, ours=[self._host.fileno()])
        return Loaded(
            definitions=describe(self._definitions),
            start_method=self._settled.start_method,
            start_method_reason=self._settled.reason,
            directories=loaded_directories(setup.spec),
            files=loaded_files(),
        )

    def _start(self, order: StartWorker, poll: select.poll) -> Become | None:
        if self._setup is None:
            raise RuntimeError("the host asked for a worker before it said what to load")
        assignment = Assignment(setup=self._setup, launch=order.launch, step=order.step)
        try:
            ours, theirs = socket.socketpair()
            with ours, theirs:
                pid, handle = self._make(assignment, theirs)
                if pid == 0:
                    end = theirs.detach()
                    return lambda: self._become(end, assignment)
                self._hand_over(order.ticket, pid, handle, ours, poll)
        except OSError as error:
            self._send(WorkerNotStarted(ticket=order.ticket, error=f"no process could be started: {error}"))
        return None

    def _make(self, assignment: Assignment, theirs: socket.socket) -> tuple[int, subprocess.Popen[bytes] | None]:
        """A worker process; pid 0 in the forked worker itself."""
        if self._settled.start_method == "spawn":
            handle = spawn_worker(assignment, theirs)
            return handle.pid, handle
        with warnings.catch_warnings():
            # Python 3.12 warns of any thread at a fork; which threads matter was judged when the code was loaded.
            warnings.simplefilter("ignore", DeprecationWarning)
            return os.fork(), None

    def _hand_over(
        self,
        ticket: int,
        pid: int,
        handle: subprocess.Popen[bytes] | None,
        ours: socket.socket,
        poll: select.poll,
    ) -> None:
        try:
            exit_fd = exit_descriptor(pid)
        except OSError:
            # Without it nobody would learn of its end.
            os.kill(pid, signal.SIGKILL)
            _wait(pid, handle)
            raise
        self._children[exit_fd] = (pid, handle)
        poll.register(exit_fd, select.POLLIN)
        data = frame(pack(WorkerStarted(ticket=ticket, pid=pid)))
        socket.send_fds(self._host, [data], [ours.fileno(), exit_fd])

    def _become(self, end: int, assignment: Assignment) -> None:
        """In the child."""
        definitions = self._definitions
        ours = [self._host.fileno(), *self._children]
        leave_zygote(keep=end, close=ours, settled=self._settled)
        self._host.detach()
        work(socket.socket(fileno=end), assignment, lambda: definitions)

    def _end_soon(self) -> None:
        """Threads and exit functions of user code have as long as a worker's; then the kernel ends this process."""
        if self._setup is not None:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, max(0.1, self._setup.stop_grace))

    def _reap(self, exit_fd: int) -> None:
        os.close(exit_fd)
        pid, handle = self._children.pop(exit_fd)
        self._send(WorkerExited(pid=pid, code=_wait(pid, handle)))

    def _send(self, message: msgspec.Struct) -> None:
        try:
            self._host.sendall(frame(pack(message)))
        except BrokenPipeError:
            return  # the host is gone; reading its socket ends this process


def _wait(pid: int, handle: subprocess.Popen[bytes] | None) -> int:
    """The exit code of a child, once it has ended."""
    return handle.wait() if handle is not None else os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
