"""Tick workers: a few processes that evaluate schedules and sensors, more while there is more to do."""

from __future__ import annotations

import itertools
import logging
import os
import signal
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from ...core.events import ErrorInfo
from ...core.tick import Evaluation, EvaluationRequest, TickStatus
from ..codec import decoder
from ..messages import Evaluate, Evaluated, FromWorker, Query, Validate, Validated
from ..processes import send_signal, wait_status
from .connection import Connection
from .loop import READ, Loop, Timer
from .zygote_process import NewWorker, OnWorker

log = logging.getLogger(__name__)

MOST_WORKERS = 8
KEPT_IDLE = 2
_DECODER = decoder(FromWorker)

Issues = tuple[tuple[str, str], ...]
Outcome = Evaluation | Issues


#: Asks the location's zygote for a tick worker, once it has one.
StartTickWorker = Callable[[OnWorker], None]


class Task:
    """One thing to evaluate or validate, and who waits for it."""

    def __init__(self, message: Evaluate | Validate, timeout: float) -> None:
        self.message, self.timeout = message, timeout
        self.result: Future[Outcome] = Future()

    def fail(self, error_class: str, message: str) -> None:
        if isinstance(self.message, Evaluate):
            error = ErrorInfo(error_class, message)
            self.result.set_result(Evaluation(status=TickStatus.FAILURE, error=error))
        else:
            self.result.set_result((("", message),))

    @property
    def subject(self) -> str:
        if isinstance(self.message, Evaluate):
            key = self.message.request.key
            return f"The evaluation of {key.kind} '{key.name}'"
        return f"The check of run config for job '{self.message.job_name}'"


class TickWorker:
    """State of the loop's thread."""

    def __init__(self, generation: int, new: NewWorker) -> None:
        self.generation, self.pid, self.exit_fd = generation, new.pid, new.exit_fd
        self.mark = new.parent.mark
        self.task: Task | None = None
        self.deadline: Timer | None = None
        self.done = 0
        self.connection: Connection[FromWorker] | None = None


class TickPool:
    """Lives in the loop's thread, ``evaluate`` and ``validate`` excepted."""

    def __init__(
        self,
        loop: Loop,
        start: StartTickWorker,
        *,
        ticks_per_worker: int,
        on_query: Callable[[Connection[FromWorker], Query], None],
    ) -> None:
        self._loop, self._start, self._ticks_per_worker, self._on_query = loop, start, ticks_per_worker, on_query
        self._generation = 0
        self._workers: dict[int, TickWorker] = {}
        self._starting = 0
        self._tasks: deque[Task] = deque()
        self._ids = itertools.count(1)

    # -- from any thread --------------------------------------------------------------------------------------

    def evaluate(self, request: EvaluationRequest, *, timeout: float) -> Future[Outcome]:
        return self._submit(Task(Evaluate(id=next(self._ids), request=request), timeout))

    def validate(self, job_name: str, run_config: dict[str, object], *, timeout: float) -> Future[Outcome]:
        return self._submit(Task(Validate(id=next(self._ids), job_name=job_name, run_config=run_config), timeout))

    def _submit(self, task: Task) -> Future[Outcome]:
        def add() -> None:
            self._tasks.append(task)
            self._dispatch()

        # Waits until the loop has it: what came too late is refused, rather than never answered.
        self._loop.call(add)
        return task.result

    # -- in the loop ------------------------------------------------------------------------------------------

    def renew(self) -> None:
        """There is a new zygote: workers of the old end when they are idle, one of the new is made ready."""
        self._generation += 1
        for worker in list(self._workers.values()):
            if worker.task is None:
                self._dismiss(worker)
        self._grow()
        self._dispatch()

    def close(self) -> None:
        """End every worker; what they had to do fails, so that nobody waits for it."""
        for worker in list(self._workers.values()):
            send_signal(worker.pid, signal.SIGKILL)
            if worker.task is not None:
                self._tasks.append(worker.task)
                self._release(worker)
        while self._tasks:
            self._tasks.popleft().fail("HostStopped", "The location's host was stopped.")

    def pids(self) -> set[int]:
        return {worker.pid for worker in self._workers.values()}

    def marks(self) -> set[str]:
        """Of what live workers start: those of their zygotes."""
        return {worker.mark for worker in self._workers.values()}

    def _dispatch(self) -> None:
        for worker in [w for w in self._workers.values() if w.task is None]:
            if not self._tasks:
                return
            self._give(worker, self._tasks.popleft())
        wanted = min(len(self._tasks), MOST_WORKERS) - self._starting
        for _ in range(min(wanted, MOST_WORKERS - len(self._workers) - self._starting)):
            self._grow()

    def _grow(self) -> None:
        generation = self._generation

        def then(new: NewWorker | str) -> None:
            self._starting -= 1
            if isinstance(new, str):
                self._fail_all(new)
            else:
                self._add(TickWorker(generation, new), new)

        self._starting += 1
        self._start(then)

    def _fail_all(self, reason: str) -> None:
        if self._workers or self._starting:
            return
        while self._tasks:
            task = self._tasks.popleft()
            task.fail("LocationUnavailable", f"{task.subject} found no worker: {reason}")

    def _add(self, worker: TickWorker, new: NewWorker) -> None:
        self._workers[worker.pid] = worker
        worker.connection = Connection(
            self._loop,
            new.socket,
            _DECODER,
            on_message=lambda message: self._on_message(worker, message),
            on_end=lambda: None,
        )
        self._loop.watch(worker.exit_fd, READ, lambda: self._exited(worker))
        self._dispatch()

    def _give(self, worker: TickWorker, task: Task) -> None:
        worker.task = task
        worker.deadline = self._loop.later(task.timeout, lambda: self._too_slow(worker, task))
        if worker.connection is not None:
            worker.connection.send(task.message)

    def _on_message(self, worker: TickWorker, message: FromWorker) -> None:
        if isinstance(message, Query) and worker.connection is not None:
            self._on_query(worker.connection, message)
        elif isinstance(message, Evaluated):
            self._finish(worker, message.id, message.evaluation)
        elif isinstance(message, Validated):
            self._finish(worker, message.id, message.issues)

    def _finish(self, worker: TickWorker, task_id: int, outcome: Outcome) -> None:
        task = worker.task
        if task is None or task.message.id != task_id:
            return  # answered already, by its deadline
        self._release(worker)
        task.result.set_result(outcome)
        worker.done += 1
        if worker.generation != self._generation or worker.done >= self._ticks_per_worker:
            self._dismiss(worker)
            self._keep_one_ready()
        elif not self._tasks and self._idle() > KEPT_IDLE:
            self._dismiss(worker)
        self._dispatch()

    def _release(self, worker: TickWorker) -> None:
        worker.task = None
        if worker.deadline is not None:
            worker.deadline.cancel()
            worker.deadline = None

    def _idle(self) -> int:
        return sum(worker.task is None for worker in self._workers.values())

    def _keep_one_ready(self) -> None:
        if not self._idle() and not self._starting and len(self._workers) < MOST_WORKERS:
            self._grow()

    def _dismiss(self, worker: TickWorker) -> None:
        """End an idle worker: it does at the end of its socket."""
        self._workers.pop(worker.pid, None)
        if worker.connection is not None:
            worker.connection.close()

    def _too_slow(self, worker: TickWorker, task: Task) -> None:
        send_signal(worker.pid, signal.SIGKILL)
        self._release(worker)
        self._dismiss(worker)
        task.fail("EvaluationTimeout", f"{task.subject} exceeded its {task.timeout:g} s and was stopped.")
        self._keep_one_ready()
        self._dispatch()

    def _exited(self, worker: TickWorker) -> None:
        self._loop.unwatch(worker.exit_fd)
        os.close(worker.exit_fd)
        wait_status(worker.pid)  # only where its zygote is gone and it became ours
        if worker.connection is not None:
            worker.connection.drain()
        task = worker.task
        self._dismiss(worker)
        if task is not None:
            self._release(worker)
            task.fail("TickWorkerDied", f"{task.subject} ended its worker (process {worker.pid}).")
        self._dispatch()
