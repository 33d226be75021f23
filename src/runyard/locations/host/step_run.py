"""The step processes of one attempt: started, stopped, found again, and reported when their steps have ended."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from ...core.launch import LaunchSpec
from ...core.run import RunFailure
from ...core.step import StepEnd, StepOrder
from ..messages import FromWorker, Query, Report, StartStep, StepEnded
from ..processes import exit_descriptor
from .adoption import OnMessage
from .committer import Committer
from .connection import Connection
from .leftovers import LAST_WORDS, Leftovers
from .loop import Loop, Timer
from .process_tree import ProcessTrees
from .run_worker import RunWorker
from .step_worker import Heard, Key, StepWorker, death_of, died
from .worker_process import WorkerProcesses
from .zygote_process import NewWorker, OnWorker

#: How long step processes of a host that is gone have to find this one, in seconds.
ADOPTION_PATIENCE = 5.0
#: How long step processes wait for their run's worker to find this host as they did, in seconds.
ALONE_PATIENCE = 30.0
#: How often a zygote is asked for the process of one try of a step.
STARTS = 3
#: How long the end of a run waits for its killed step processes, in seconds.
KILL_PATIENCE = 5.0


class StepServices(NamedTuple):
    """What step processes need of their host. ``start`` asks the location's zygote for one, once it has one;
    ``look_up`` looks, off the loop, for what storage has heard of one, and tells it in the loop's thread.
    """

    loop: Loop
    processes: WorkerProcesses
    committer: Committer
    trees: ProcessTrees
    leftovers: Leftovers
    start: Callable[[LaunchSpec, StepOrder, OnWorker], None]
    look_up: Callable[[Key, StepOrder, Callable[[Heard], None]], None]
    on_query: Callable[[Connection[FromWorker], Query], None]


class _Task:
    """An order of the run's worker, from being asked for until it is answered."""

    def __init__(self, run: RunWorker, message: StartStep) -> None:
        self.run, self.request, self.order = run, message.id, message.order
        self.worker: StepWorker | None = None
        #: Asked of the zygote, which has not answered yet; how often it was.
        self.forking = False
        self.asked = 0
        #: Told to stop before it had a process: by force or not.
        self.stopping: bool | None = None
        #: A process of a host that is gone is waited for until then.
        self.awaited: Timer | None = None


class StepsOfRun:
    """Lives in the loop's thread."""

    def __init__(self, key: Key, services: StepServices) -> None:
        self._key, self._services = key, services
        #: Both by number.
        self._tasks: dict[int, _Task] = {}
        self._answered: dict[int, StepEnd] = {}
        #: By pid.
        self._workers: dict[int, StepWorker] = {}
        self._on_empty: list[Callable[[], None]] = []

    def request(self, run: RunWorker, message: StartStep) -> None:
        """Give the step a process, once for each number; answered when it reports the step's end, or is gone."""
        number = message.order.number
        if number in self._answered:
            run.send(StepEnded(id=message.id, end=self._answered[number]))
        elif number in self._tasks:
            self._tasks[number].run, self._tasks[number].request = run, message.id
        else:
            self._begin(run, message)

    def _begin(self, run: RunWorker, message: StartStep) -> None:
        task = self._tasks[message.order.number] = _Task(run, message)
        found = [worker for worker in self._workers.values() if worker.order.number == task.order.number]
        if found:
            task.worker = found[0]
        elif message.id in run.asked_before:
            self._services.look_up(self._key, task.order, lambda heard: self._wait_for(task, heard))
        else:
            self._fork(task)

    def _fork(self, task: _Task) -> None:
        if task.run.launch is None:
            self._answer(task, died(task.order, self._no_process(task, "the run's worker has not said what it runs")))
            return
        task.forking = True
        task.asked += 1
        self._services.start(task.run.launch, task.order, lambda new: self._started(task, new))

    def _started(self, task: _Task, new: NewWorker | str) -> None:
        task.forking = False
        if isinstance(new, str) and task.asked < STARTS and task.stopping is None:
            # Its zygote died. Should that have started the process all the same, it is given up on when it comes.
            self._fork(task)
        elif isinstance(new, str):
            self._answer(task, died(task.order, self._no_process(task, new)))
        else:
            tree = self._services.trees.of(*self._key, task.order.number)
            worker = StepWorker(self._key, task.order, new.pid, new.exit_fd, tree, new.parent)
            self._services.processes.connect(worker, new.socket, lambda message: self._on_message(worker, message))
            self._add(worker)
            tree.place(new.pid)
            self._give(task, worker)
        self._look_whether_empty()

    def _no_process(self, task: _Task, why: str) -> RunFailure:
        key = task.order.step_key
        return RunFailure("StepNotStarted", f"Step '{key}' got no process: {why}.", key)

    def _add(self, worker: StepWorker) -> None:
        self._workers[worker.pid] = worker
        self._services.processes.watch(worker, lambda: self._gone(worker))

    def _give(self, task: _Task, worker: StepWorker) -> None:
        task.worker = worker
        if task.awaited is not None:
            task.awaited.cancel()
        if task.stopping is not None:
            worker.tree.stop(worker.pid, force=task.stopping)

    def _on_message(self, worker: StepWorker, message: FromWorker) -> None:
        if worker.rejected:
            return  # its events must not mix with those of the process that has taken its number
        if isinstance(message, Report):
            # A last word without events needs no commit; nobody waits for its acknowledgement.
            if message.report.events:
                worker.received = message.id
                self._services.committer.add(worker, message)
            if message.step_end is not None and worker.end is None:
                self._step_ended(worker, message.step_end)
        elif isinstance(message, Query) and worker.connection is not None:
            self._services.on_query(worker.connection, message)

    def _step_ended(self, worker: StepWorker, end: StepEnd) -> None:
        """The run goes on at once, whatever the step has left in its process."""
        worker.end = end
        self._services.leftovers.begin_grace(worker, worker.owner)
        task = self._tasks.get(worker.order.number)
        if task is not None and task.worker is worker:
            self._conclude(task, worker)

    # -- stopping ---------------------------------------------------------------------------------------------

    def stop(self, *, force: bool) -> None:
        """SIGTERM, or SIGKILL, to every step process, also to those that are on their way."""
        for worker in self._workers.values():
            worker.tree.stop(worker.pid, force=force)
        for task in self._tasks.values():
            task.stopping = force or bool(task.stopping)

    def end(self, on_empty: Callable[[], None], *, force: bool = True) -> None:
        """The run's worker is gone; ``on_empty`` is called once, when its last step process is gone too.

        Without ``force`` processes that have reported the end of their step keep their grace.
        """
        self._on_empty.append(on_empty)
        patience = KILL_PATIENCE
        if force:
            self.stop(force=True)
        else:
            patience += self._services.leftovers.grace + LAST_WORDS
            for worker in self._workers.values():
                if worker.end is None:
                    worker.tree.stop(worker.pid, force=True)
        # One that the kernel cannot end now must not hold up the run's end for ever.
        self._services.loop.later(patience, self._report_empty)
        self._look_whether_empty()

    def _look_whether_empty(self) -> None:
        if not self._workers and not any(task.forking for task in self._tasks.values()):
            self._report_empty()

    def _report_empty(self) -> None:
        told, self._on_empty = self._on_empty, []
        for on_empty in told:
            on_empty()

    # -- processes of a host that is gone ---------------------------------------------------------------------

    def welcome(self, order: StepOrder, pid: int, connection: Connection[FromWorker]) -> OnMessage:
        """Take in a step process whose host is gone. Raises ProcessLookupError when it is gone too."""
        worker = self._workers.get(pid)
        if worker is None:
            tree = self._services.trees.found(pid, *self._key, order.number)
            worker = StepWorker(self._key, order, pid, exit_descriptor(pid), tree)
            self._add(worker)
        elif worker.connection is not None:
            worker.connection.close()
        worker.connection = connection
        self._place(worker)
        return lambda message: self._on_message(worker, message)

    def _place(self, worker: StepWorker) -> None:
        task = self._tasks.get(worker.order.number)
        if self._has_another(worker, task):
            worker.give_up("the step was given up on while its host was gone")
        elif task is not None:
            self._give(task, worker)

    def _has_another(self, worker: StepWorker, task: _Task | None) -> bool:
        """Whether the try has another process, or its end was taken from elsewhere."""
        if task is None:
            return worker.end is None and worker.order.number in self._answered
        return task.forking or task.worker not in (None, worker)

    def _wait_for(self, task: _Task, heard: Heard) -> None:
        """Its process may still be about to find this host."""
        if heard.end is not None and task.worker is None:
            self._answer(task, heard.end)
            return
        task.awaited = self._services.loop.later(
            ADOPTION_PATIENCE,
            lambda: self._services.look_up(self._key, task.order, lambda heard: self._give_up_on(task, heard)),
        )

    def _give_up_on(self, task: _Task, heard: Heard) -> None:
        if task.worker is not None:
            return
        if heard.end is not None:
            self._answer(task, heard.end)
        elif heard.begun:
            key = task.order.step_key
            message = f"The host of step '{key}' died, and its process was not heard of again."
            self._answer(task, died(task.order, RunFailure("HostLost", message, key)))
        elif task.stopping is None:
            # Nothing of it was ever called; should a process of it still come, it is given up on.
            self._fork(task)
        else:
            self._answer(task, died(task.order, self._no_process(task, "it was stopped before it had one")))

    # -- ends -------------------------------------------------------------------------------------------------

    def _gone(self, worker: StepWorker) -> None:
        """What the process has sent is on its way to the committer, before this."""
        del self._workers[worker.pid]
        report = partial(self._services.leftovers.report, worker.owner)
        worker.tree.ended(worker.pid, well=worker.end is not None, grace_until=worker.grace_until, report=report)
        task = self._tasks.get(worker.order.number)
        if task is not None and task.worker is worker:
            self._conclude(task, worker)
        self._look_whether_empty()

    def _conclude(self, task: _Task, worker: StepWorker) -> None:
        end = worker.end
        if end is not None and worker.all_committed:
            self._answer(task, end)
            return

        def committed() -> None:
            if end is not None:
                self._answer(task, end)
            else:
                self._services.look_up(self._key, task.order, found)

        def found(heard: Heard) -> None:
            self._answer(task, heard.end or died(task.order, death_of(worker)))

        self._services.committer.after(lambda: self._services.loop.soon(committed))

    def _answer(self, task: _Task, end: StepEnd) -> None:
        if self._tasks.pop(end.number, None) is not None:
            self._answered[end.number] = end
            task.run.send(StepEnded(id=task.request, end=end))
