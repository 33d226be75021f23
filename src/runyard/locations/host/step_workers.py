"""The step processes of all runs of a host."""

from __future__ import annotations

from collections.abc import Callable

from ...core.run import FINISHED
from ...storage.protocols import Runs
from ..messages import Answer, FromWorker, Hello, StartStep, StopSteps
from .adoption import OnMessage
from .connection import Connection
from .run_worker import RunWorker
from .step_run import ALONE_PATIENCE, StepServices, StepsOfRun
from .step_worker import Key
from .worker_process import WorkerProcess


class StepWorkers:
    """Lives in the loop's thread. ``is_here`` tells whether the worker of an attempt is one of this host's."""

    def __init__(self, services: StepServices, runs: Runs, *, is_here: Callable[[Key], bool]) -> None:
        self._services, self._storage, self._is_here = services, runs, is_here
        self._runs: dict[Key, StepsOfRun] = {}

    def start(self, run: RunWorker, message: StartStep) -> None:
        self._of(run.key).request(run, message)

    def stop_all(self, run: RunWorker, message: StopSteps) -> None:
        self.stop_run(run.key, force=False)
        run.send(Answer(id=message.id))

    def stop_run(self, key: Key, *, force: bool) -> None:
        steps = self._runs.get(key)
        if steps is not None:
            steps.stop(force=force)

    def end_run(self, key: Key, then: Callable[[], None], *, force: bool = True) -> None:
        """The run's worker is gone: kill its step processes; ``then`` is called once they are gone too.

        Without ``force`` those that have reported the end of their step keep their grace.
        """
        steps = self._runs.get(key)
        if steps is None:
            then()
            return

        def gone() -> None:
            self._runs.pop(key, None)
            then()

        steps.end(gone, force=force)

    def welcome(self, hello: Hello, pid: int, connection: Connection[FromWorker]) -> OnMessage:
        """Take in a step process whose host is gone. Raises ProcessLookupError when it is gone too."""
        if hello.step is None:
            raise ValueError("a run worker came as a step worker")
        key = (hello.run_id, hello.attempt)
        on_message = self._of(key).welcome(hello.step, pid, connection)
        worker = self._services.processes.get(pid)
        if worker is not None:
            self._services.committer.after(lambda: self._check(key, worker))
        self._services.loop.later(ALONE_PATIENCE, lambda: self._end_alone(key))
        return on_message

    def _check(self, key: Key, worker: WorkerProcess) -> None:
        """In the committer's thread: tell the worker if its attempt was ended meanwhile."""
        run = self._storage.get(key[0])
        if run is None or run.attempt != key[1] or run.status in FINISHED:
            worker.give_up("the run was ended while its host was gone")

    def _end_alone(self, key: Key) -> None:
        """Steps whose run's worker has not found this host as they did have nobody to work for."""
        if not self._is_here(key):
            self.end_run(key, lambda: None)

    def _of(self, key: Key) -> StepsOfRun:
        return self._runs.setdefault(key, StepsOfRun(key, self._services))
