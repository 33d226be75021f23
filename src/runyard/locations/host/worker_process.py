"""Worker processes of a host: watched until they are gone and all is known about their end."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ..codec import decoder
from ..messages import FromWorker, GivenUp
from ..processes import exit_in_words, wait_status
from .connection import Connection
from .loop import READ, Loop
from .oom import MemoryKills
from .process_tree import ProcessTree
from .zygote_process import ZygoteProcess

DECODER = decoder(FromWorker)
#: How long the zygote may take to report the exit status of a worker that is gone, in seconds: of one that has said
#: how its work ended, and of one whose status is all that there is to know.
STATUS_PATIENCE, LONGEST_STATUS_PATIENCE = 0.25, 5.0


class WorkerProcess:
    """State of the loop's thread."""

    def __init__(self, pid: int, exit_fd: int, tree: ProcessTree, parent: ZygoteProcess | None = None) -> None:
        self.pid, self.exit_fd, self.tree = pid, exit_fd, tree
        #: The zygote that will report its exit status; None when nobody will.
        self.parent = parent
        self.connection: Connection[FromWorker] | None = None
        self.code: int | None = None
        #: It was killed by the kernel, to have its memory.
        self.out_of_memory = False
        #: Its exit descriptor is readable and its socket is drained.
        self.exited = False
        #: Its attempt is over whatever it says.
        self.rejected = False
        #: What it left behind may end by itself until then, on the monotonic clock.
        self.grace_until = 0.0

    @property
    def has_said_its_end(self) -> bool:
        return False

    def death(self) -> tuple[str, str]:
        """A class and words, to follow the process's name, for the end of one that has not said how its work ended."""
        words = exit_in_words(self.code)
        if self.out_of_memory:
            return "OutOfMemory", f"{words}: the kernel was out of memory"
        if self.code is None:
            return "WorkerLost", words
        return ("WorkerKilled", words) if self.code < 0 else ("WorkerExited", words)

    def send(self, message: msgspec.Struct) -> None:
        if self.connection is not None:
            self.connection.send(message)

    def give_up(self, reason: str) -> None:
        """Tell the worker that its attempt is over; from any thread."""
        self.rejected = True
        self.send(GivenUp(reason=reason))


class _Watched(NamedTuple):
    worker: WorkerProcess
    on_gone: Callable[[], None]


class WorkerProcesses:
    """Lives in the loop's thread."""

    def __init__(self, loop: Loop, memory: MemoryKills) -> None:
        self._loop, self._memory = loop, memory
        self._watched: dict[int, _Watched] = {}

    def pids(self) -> set[int]:
        return set(self._watched)

    def get(self, pid: int) -> WorkerProcess | None:
        found = self._watched.get(pid)
        return None if found is None else found.worker

    def watch(self, worker: WorkerProcess, on_gone: Callable[[], None]) -> None:
        """``on_gone`` is called once the process has exited, its socket is drained and its status known, if ever."""
        self._watched[worker.pid] = _Watched(worker, on_gone)
        self._loop.watch(worker.exit_fd, READ, lambda: self._exit_seen(worker))

    def connect(self, worker: WorkerProcess, peer: socket.socket, on_message: Callable[[FromWorker], None]) -> None:
        # End of file is not death, the exit descriptor is: the connection just closes.
        worker.connection = Connection(self._loop, peer, DECODER, on_message=on_message, on_end=lambda: None)

    def exit_reported(self, pid: int, code: int) -> None:
        """The zygote has reaped one of its children."""
        worker = self.get(pid)
        if worker is not None:
            worker.code = code
            if worker.exited:
                self._finish(worker)

    def orphaned(self, zygote: ZygoteProcess) -> None:
        """Their zygote is gone: its workers are children of this process now."""
        for worker, _ in list(self._watched.values()):
            if worker.parent is zygote:
                worker.parent = None
                if worker.exited:
                    self._reap(worker)

    def _exit_seen(self, worker: WorkerProcess) -> None:
        self._loop.unwatch(worker.exit_fd)
        os.close(worker.exit_fd)
        if worker.connection is not None:
            worker.connection.drain()
        worker.exited = True
        if worker.code is not None:
            self._finish(worker)
        elif worker.parent is None:
            self._reap(worker)
        else:
            patience = STATUS_PATIENCE if worker.has_said_its_end else LONGEST_STATUS_PATIENCE
            self._loop.later(patience, lambda: self._finish(worker))

    def _reap(self, worker: WorkerProcess) -> None:
        if worker.code is None:
            worker.code = wait_status(worker.pid)
        self._finish(worker)

    def _finish(self, worker: WorkerProcess) -> None:
        watched = self._watched.get(worker.pid)
        if watched is None or watched.worker is not worker:
            return
        del self._watched[worker.pid]
        if worker.connection is not None:
            worker.connection.close()
        worker.out_of_memory = worker.code == -signal.SIGKILL and self._memory.one()
        watched.on_gone()
