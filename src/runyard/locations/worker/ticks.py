"""A tick worker: evaluates what its host asks, one thing after the other, until the host's socket ends."""

from __future__ import annotations

import os
import queue
import signal
import socket
from collections.abc import Callable
from typing import Any

from ...core.clock import Clock
from ...core.error_info import error_info, error_line, message_of, print_error
from ...core.errors import NotFound, UserError
from ...core.tick import Evaluation, TickStatus
from ...definitions.config.job_config import config_issues
from ...definitions.engine import set_instance_provider
from ...execution.evaluate import evaluate
from ...execution.python_logs import apply_python_logs
from ...settings.instance import PythonLogsSettings
from ..codec import pack
from ..messages import Assignment, Evaluate, Evaluated, Validate, Validated
from .cancellation import Cancellation
from .instance import HostInstance
from .link import HostLink

#: In bytes; the control process takes somewhat more in one reply.
LONGEST_ANSWER = 64 * 1024 * 1024


def serve_ticks(host: socket.socket, assignment: Assignment, definitions: Callable[[], Any], clock: Clock) -> None:
    """Never returns: the end of the host's socket ends the process, whatever user code does then."""
    asked: queue.SimpleQueue[Evaluate | Validate] = queue.SimpleQueue()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    link = HostLink(
        host,
        clock,
        path=assignment.setup.worker_socket,
        patience=0.0,
        hello=None,
        on_request=asked.put,
        on_over=lambda _: os._exit(0),
    )
    link.start()
    worker = _TickWorker(link, assignment.setup.spec.name, clock)
    worker.load(definitions, assignment.setup.python_logs)
    while True:
        link.answer(worker.answer(asked.get()))


class _TickWorker:
    def __init__(self, link: HostLink, location_name: str, clock: Clock) -> None:
        self._location_name, self._clock = location_name, clock
        self._instance = HostInstance(link, Cancellation())
        self._definitions: Any = None
        self._broken: BaseException | None = None

    def load(self, definitions: Callable[[], Any], python_logs: PythonLogsSettings) -> None:
        set_instance_provider(lambda: self._instance)
        try:
            self._definitions = definitions()
            apply_python_logs(python_logs)
        except BaseException as error:  # noqa: BLE001 - a spawned worker imports user code here
            print_error(error)
            self._broken = error

    def answer(self, request: Evaluate | Validate) -> Evaluated | Validated:
        try:
            answer = self._answer(request)
            _check_size(answer)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the answer, and the worker goes on
            print_error(error)
            return _failed(request, error)
        return answer

    def _answer(self, request: Evaluate | Validate) -> Evaluated | Validated:
        if isinstance(request, Evaluate):
            return Evaluated(id=request.id, evaluation=self._evaluate(request))
        return Validated(id=request.id, issues=tuple(self._issues(request)))

    def _evaluate(self, request: Evaluate) -> Evaluation:
        if self._broken is not None:
            return Evaluation(status=TickStatus.FAILURE, error=error_info(self._broken))
        return evaluate(
            self._definitions,
            request.request,
            location_name=self._location_name,
            clock=self._clock,
            instance=self._instance,
        )

    def _issues(self, request: Validate) -> list[tuple[str, str]]:
        if self._broken is not None:
            return [("", f"The code does not load: {message_of(self._broken)}")]
        try:
            job = self._definitions.get_job_def(request.job_name)
        except NotFound as error:
            return [("", str(error))]
        return [(path, message) for path, message in config_issues(job, request.run_config)]


class AnswerTooLarge(UserError):
    """What a schedule or sensor asks for does not fit into one message."""

    def __init__(self, size: int) -> None:
        super().__init__(
            f"The answer is {size:,} bytes long; {LONGEST_ANSWER:,} are the most. Ask for fewer runs in one tick, "
            "or put less into their config."
        )


def _check_size(answer: Evaluated | Validated) -> None:
    """Raises AnswerTooLarge for what could not be passed on."""
    size = len(pack(answer))
    if size > LONGEST_ANSWER:
        raise AnswerTooLarge(size)


def _failed(request: Evaluate | Validate, error: BaseException) -> Evaluated | Validated:
    if isinstance(request, Evaluate):
        return Evaluated(id=request.id, evaluation=Evaluation(status=TickStatus.FAILURE, error=error_info(error)))
    return Validated(id=request.id, issues=(("", error_line(error)),))
