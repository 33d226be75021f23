"""A worker's conversation with its host: survives the host's death, and knows when to give up."""

from __future__ import annotations

import errno
import itertools
import logging
import os
import queue
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ...core.clock import Clock
from ...core.errors import RunyardError
from ...core.launch import WorkerReport
from ...core.step import StepEnd
from ..codec import decoder, pack
from ..framing import BrokenFrame, FrameBuffer, frame
from ..high_descriptors import socket_moved_high
from ..messages import (
    Ack,
    Answer,
    ClaimSlots,
    Evaluate,
    Evaluated,
    GivenUp,
    Granted,
    Hello,
    Query,
    Report,
    StartStep,
    StepEnded,
    StopSteps,
    ToWorker,
    Validate,
    Validated,
    WithdrawClaim,
)

log = logging.getLogger(__name__)

#: Reports that may be unacknowledged before whoever adds one has to wait.
MOST_UNACKED = 500
_CHUNK = 65536
_DECODER = decoder(ToWorker)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5

#: What is asked of the host, numbered and asked again of the next host until it is answered.
Request = Query | StartStep | StopSteps | ClaimSlots | WithdrawClaim
#: Called once, from the reading thread, with the answer; None: nobody is left to answer.
OnAnswer = Callable[[Answer | StepEnded | Granted | None], None]


class _Asked(NamedTuple):
    data: bytes
    on_answer: OnAnswer


class HostGone(RunyardError):
    """The location host cannot be reached any more."""


class HostLink:
    """Thread-safe. A thread of its own reads; whoever sends, writes.

    Args:
        hello: how the worker introduces itself to a new host; without one the end of the socket is the end.
        on_request: called from the reading thread with what a tick worker is asked.
        on_over: called once from the reading thread when nobody listens any more or the attempt was given up on.
    """

    def __init__(
        self,
        host: socket.socket,
        clock: Clock,
        *,
        path: str,
        patience: float,
        hello: Hello | None,
        on_request: Callable[[Evaluate | Validate], None],
        on_over: Callable[[str], None],
    ) -> None:
        self._host, self._clock, self._path, self._patience = socket_moved_high(host), clock, path, patience
        self._hello, self._on_request, self._on_over = hello, on_request, on_over
        self._frames = FrameBuffer()
        self._ids = itertools.count(1)
        # Ids are given and written under one lock, so that they arrive in order; the reader takes it to reconnect.
        self._writing = threading.Lock()
        self._changed = threading.Condition()
        self._unacked: dict[int, bytes] = {}
        self._unanswered: dict[int, _Asked] = {}
        self._refused_from: int | None = None
        self._over: str | None = None
        self._thread = self._new_reader()

    def start(self) -> None:
        self._thread.start()
        os.register_at_fork(after_in_child=self._forked)

    def _new_reader(self) -> threading.Thread:
        return threading.Thread(target=self._read, name="runyard-host", daemon=True)

    def _forked(self) -> None:
        """In a process that user code has forked: the conversation is its parent's, and so is who held a lock."""
        self._writing, self._changed = threading.Lock(), threading.Condition()
        self._over = "a process that user code has forked does not speak for its worker"
        self._host.close()

    def report(self, report: WorkerReport, *, wait: bool, step_end: StepEnd | None = None) -> bool:
        """Send a report. With ``wait``, returns once it is committed; False when the attempt was given up on."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._unacked) < MOST_UNACKED or self._is_over())
            if self._is_over():
                return False
        with self._writing:
            number = next(self._ids)
            data = _framed(Report(id=number, report=report, urgent=wait, step_end=step_end))
            with self._changed:
                self._unacked[number] = data
            self._write(data)
        return self._committed(number) if wait else True

    def wait_acknowledged(self, seconds: float) -> None:
        """Wait until everything reported so far is acknowledged, but no longer than this."""
        with self._changed:
            self._changed.wait_for(lambda: not self._unacked or self._is_over(), seconds)

    def request(self, message: Request, on_answer: OnAnswer) -> int:
        """Ask the host for something; ``message`` gets the number that is returned. Does not wait."""
        with self._writing:
            number = next(self._ids)
            data = _framed(msgspec.structs.replace(message, id=number))
            with self._changed:
                over = self._over is not None
                if not over:
                    self._unanswered[number] = _Asked(data, on_answer)
            if not over:
                self._write(data)
        if over:
            on_answer(None)
        return number

    def ask(self, query: Query) -> Answer:
        """Ask the instance; the answer knows everything that was reported before.

        Raises:
            HostGone: nobody is there to answer.
        """
        answers: queue.SimpleQueue[Answer | StepEnded | Granted | None] = queue.SimpleQueue()
        self.request(query, answers.put)
        answer = answers.get()
        if not isinstance(answer, Answer):
            raise HostGone(f"The instance cannot be asked: {self._over}.")
        return answer

    def answer(self, answer: Evaluated | Validated) -> None:
        with self._writing:
            self._write(_framed(answer))

    def _committed(self, number: int) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: number not in self._unacked or self._over is not None)
            return number not in self._unacked and not self._refused(number)

    def _refused(self, number: int) -> bool:
        return self._refused_from is not None and number >= self._refused_from

    def _is_over(self) -> bool:
        return self._over is not None or self._refused_from is not None

    def _write(self, data: bytes) -> None:
        # What a dead host did not get is sent again when the reader has found the next one.
        try:
            self._host.sendall(data)
        except OSError as error:
            if error.errno == errno.EBADF and self._host.fileno() != -1:
                self._replace_reader()

    def _replace_reader(self) -> None:
        """User code has closed the descriptor: the reader waits on a connection that nobody can write to any more."""
        self._host.detach()
        self._thread = self._new_reader()
        self._thread.start()

    # -- the reading thread -----------------------------------------------------------------------------------

    def _read(self) -> None:
        while True:
            try:
                data = self._host.recv(_CHUNK)
            except OSError:
                data = b""
            if self._is_replaced():
                return
            if data:
                try:
                    messages = [_DECODER.decode(payload) for payload in self._frames.feed(data)]
                except (BrokenFrame, msgspec.DecodeError) as error:
                    self._end(f"what its host says cannot be understood: {error}")
                    return
                for message in messages:
                    self._handle(message)
            elif self._hello is None or not self._reconnect(self._hello):
                if not self._is_replaced():
                    self._end(f"its host is gone and no other took its place within {self._patience:g} s")
                return

    def _is_replaced(self) -> bool:
        return threading.current_thread() is not self._thread

    def _handle(self, message: ToWorker) -> None:
        if isinstance(message, Ack):
            self._acknowledged(message)
        elif isinstance(message, Answer | StepEnded | Granted):
            with self._changed:
                asked = self._unanswered.pop(message.id, None)
            if asked is not None:
                asked.on_answer(message)
        elif isinstance(message, GivenUp):
            self._end(message.reason)
        else:
            self._on_request(message)

    def _acknowledged(self, ack: Ack) -> None:
        with self._changed:
            settled = [number for number in self._unacked if number <= ack.id]
            if settled and not ack.accepted and self._refused_from is None:
                self._refused_from = settled[0]
            for number in settled:
                del self._unacked[number]
            first = settled[0] if settled else 0
            self._changed.notify_all()
        # A run worker's very first report asks to begin: its refusal is the asker's to deal with.
        asked_to_begin = first == 1 and self._hello is not None and self._hello.step is None
        if not ack.accepted and not asked_to_begin:
            self._end("its attempt was given up on")

    def _end(self, reason: str) -> None:
        with self._changed:
            if self._over is not None:
                return
            self._over = reason
            unanswered, self._unanswered = self._unanswered, {}
            self._changed.notify_all()
        for asked in unanswered.values():
            asked.on_answer(None)
        self._on_over(reason)

    def _reconnect(self, hello: Hello) -> bool:
        """Find the next host and say everything again that was not acknowledged; False when patience has run out."""
        until = self._clock.monotonic() + self._patience
        pause = _FIRST_PAUSE
        while self._clock.monotonic() < until and not self._is_replaced():
            if self._connect(hello):
                return True
            self._clock.wait(threading.Event(), pause)
            pause = min(_LONGEST_PAUSE, pause * 2)
        return False

    def _connect(self, hello: Hello) -> bool:
        host = socket_moved_high(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            host.connect(self._path)
            # No writer may come between: what is sent again has to arrive before what is new.
            with self._writing:
                if self._is_replaced():
                    host.close()
                    return False
                with self._changed:
                    asked = {number: one.data for number, one in self._unanswered.items()}
                    again = sorted([*self._unacked.items(), *asked.items()])
                introduced = msgspec.structs.replace(hello, pending=tuple(asked))
                for data in (_framed(introduced), *(data for _, data in again)):
                    host.sendall(data)
                self._host.close()
                self._host, self._frames = host, FrameBuffer()
        except OSError as error:
            log.debug("no host at %s: %s", self._path, error)
            host.close()
            return False
        return True


def _framed(message: msgspec.Struct) -> bytes:
    return frame(pack(message))
