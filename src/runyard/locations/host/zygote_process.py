"""One zygote as its host sees it: loading, forking, gone."""

from __future__ import annotations

import itertools
import logging
import os
import re
import shlex
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from ... import __version__
from ...core.events import ErrorInfo
from ...core.launch import LaunchSpec
from ...core.step import StepOrder
from ..codec import decoder
from ..last_words import LONGEST, last_words
from ..messages import (
    FromZygote,
    Loaded,
    LoadFailed,
    StartWorker,
    WorkerExited,
    WorkerNotStarted,
    WorkerStarted,
)
from ..processes import exit_descriptor, exit_in_words
from .connection import Connection
from .loop import READ, Loop, Timer
from .zygote_start import StartedZygote

log = logging.getLogger(__name__)

_DECODER = decoder(FromZygote)
#: The error of code whose process ended before it was loaded.
PROCESS_DIED = "LocationProcessDied"
#: The error of an executable_path whose packages do not include Runyard, or not what it needs.
NO_RUNYARD = "RunyardNotInstalled"
_NO_MODULE = re.compile(r"No module named '?([\w.]+)")


class NewWorker(NamedTuple):
    """A worker that the zygote started: its socket is the host's end, its exit descriptor polls as its death."""

    pid: int
    socket: socket.socket
    exit_fd: int
    parent: ZygoteProcess


#: Called with the worker, or with a sentence that says why there is none.
OnWorker = Callable[[NewWorker | str], None]


class ZygoteProcess:
    """Lives in the loop's thread."""

    def __init__(
        self,
        loop: Loop,
        started: StartedZygote,
        *,
        load_timeout: float,
        on_loaded: Callable[[ZygoteProcess, Loaded], None],
        on_failed: Callable[[ZygoteProcess, LoadFailed], None],
        on_exit: Callable[[int, int], None],
        on_gone: Callable[[ZygoteProcess], None],
    ) -> None:
        self._loop, self._on_loaded, self._on_failed = loop, on_loaded, on_failed
        self._on_exit, self._on_gone = on_exit, on_gone
        self._waiting: dict[int, OnWorker] = {}
        self._tickets = itertools.count(1)
        self._last_words: deque[bytes] = deque(maxlen=64)
        self._settled = False
        #: None once nobody can print there any more.
        self._output: int | None = None
        self.loaded: Loaded | None = None
        self._process = started.process
        self.pid, self.mark, self._python = self._process.pid, started.mark, started.python
        self._exit_fd = exit_descriptor(self.pid)
        self._connection: Connection[FromZygote] = Connection(
            loop, started.socket, _DECODER, on_message=self._on_message, on_end=lambda: None, descriptors=True
        )
        loop.watch(self._exit_fd, READ, self._exited)
        self._watch_output()
        self._deadline: Timer = loop.later(load_timeout, lambda: self._too_slow(load_timeout))

    def start_worker(self, launch: LaunchSpec | None, step: StepOrder | None, then: OnWorker) -> None:
        """A run worker for ``launch``, one for a ``step`` of it, or a tick worker; ``then`` is called exactly once."""
        ticket = next(self._tickets)
        self._waiting[ticket] = then
        if self._connection.is_open:
            self._connection.send(StartWorker(ticket=ticket, launch=launch, step=step))
        else:
            self._loop.soon(self._fail_waiting)

    def close(self) -> None:
        """Let it end: it does at the end of its socket. Its workers become the host's own children."""
        self._settled = True
        self._deadline.cancel()
        self._connection.drain()
        self._connection.close()
        self._fail_waiting()

    def wait(self, seconds: float) -> None:
        """Wait for its end."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def kill(self) -> None:
        self._process.kill()

    def _on_message(self, message: FromZygote) -> None:
        if isinstance(message, Loaded):
            self._settled, self.loaded = True, message
            self._deadline.cancel()
            self._on_loaded(self, message)
        elif isinstance(message, LoadFailed):
            self._fail(message)
        elif isinstance(message, WorkerStarted):
            end, exit_fd = self._connection.take_descriptors(2)
            then = self._waiting.pop(message.ticket)
            then(NewWorker(message.pid, socket.socket(fileno=end), exit_fd, self))
        elif isinstance(message, WorkerNotStarted):
            self._waiting.pop(message.ticket)(message.error)
        elif isinstance(message, WorkerExited):
            self._on_exit(message.pid, message.code)

    def _exited(self) -> None:
        """The process is gone: what it has said is read first, then its children are ours."""
        self._loop.unwatch(self._exit_fd)
        os.close(self._exit_fd)
        self._connection.drain()
        self._connection.close()
        self._deadline.cancel()
        code = self._process.wait()
        self._read_output()
        self._fail_waiting()
        if not self._settled:
            self._fail(LoadFailed(error=self._death(code)))
        self._on_gone(self)

    def _fail_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for then in waiting.values():
            then("the location's process ended before it had started the worker")

    def _fail(self, failure: LoadFailed) -> None:
        self._settled = True
        self._deadline.cancel()
        self._on_failed(self, failure)

    def _too_slow(self, seconds: float) -> None:
        message = f"The code did not finish loading within {seconds:g} s."
        self._fail(LoadFailed(error=ErrorInfo("LoadTimeout", message)))
        self.kill()

    def _death(self, code: int) -> ErrorInfo:
        words = last_words(b"".join(self._last_words))
        missing = _NO_MODULE.search(words)
        if self._python is not None and missing is not None:
            return ErrorInfo(NO_RUNYARD, _what_to_install(self._python, missing[1]))
        process = f"The location's process ({self._python})" if self._python else "The location's process"
        heard = f"; its last words: {words}" if words else ""
        return ErrorInfo(PROCESS_DIED, f"{process} {exit_in_words(code)} before the code was loaded{heard}")

    def _watch_output(self) -> None:
        stream = self._process.stdout
        if stream is None:
            raise RuntimeError("the zygote was started without a pipe for its output")
        output = self._output = os.dup(stream.fileno())
        stream.close()
        os.set_blocking(output, False)
        self._loop.watch(output, READ, self._read_output)

    def _read_output(self) -> None:
        """Pass on what user code prints while it is imported, and keep the end of it.

        Until nobody can print there any more: workers go on to, after the zygote.
        """
        if self._output is None:
            return
        try:
            data = os.read(self._output, 65536)
        except BlockingIOError:
            return
        if not data:
            self._loop.unwatch(self._output)
            os.close(self._output)
            self._output = None
            return
        self._last_words.append(data[-LONGEST:])
        os.write(sys.stderr.fileno(), data)


def _what_to_install(python: str, module: str) -> str:
    what = "Runyard is not installed" if module.startswith("runyard") else f"Runyard's dependency '{module}' is missing"
    command = f"{shlex.quote(python)} -m pip install runyard=={__version__}"
    return f"executable_path is {python}, where {what}. Install it there: {command}"
