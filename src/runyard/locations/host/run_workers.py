"""The run workers of a host: launched, connected, terminated, and settled when they are gone."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import msgspec

from ...core.clock import Clock
from ...core.errors import StorageUnavailable
from ...core.launch import LaunchResult, LaunchSpec
from ...core.run import FINISHED, RunStatus
from ...storage.protocols import Runs, Wakeups
from ..messages import ClaimSlots, FromWorker, Hello, Query, Report, StartStep, StopSteps, WithdrawClaim
from ..processes import exit_descriptor
from .adoption import OnMessage
from .committer import Committer
from .connection import Connection
from .leftovers import Leftovers
from .loop import Loop
from .process_tree import ProcessTrees
from .run_worker import RunWorker, settle
from .slots import StepSlots
from .step_workers import StepWorkers
from .worker_process import WorkerProcesses
from .zygote_process import NewWorker, OnWorker

log = logging.getLogger(__name__)

#: Seconds that step processes have for ending by themselves when their run is told to, before they are told too.
STEPS_PATIENCE = 1.0
#: Launches remembered after their end, so that a repeated call starts nothing.
REMEMBERED = 10_000

Key = tuple[str, int]


class RunWorkers:
    """Lives in the loop's thread. ``start`` asks the location's zygote for a worker, once it has one."""

    def __init__(
        self,
        loop: Loop,
        processes: WorkerProcesses,
        trees: ProcessTrees,
        steps: StepWorkers,
        slots: StepSlots,
        committer: Committer,
        runs: Runs,
        wakeups: Wakeups,
        clock: Clock,
        *,
        host_id: str,
        start: Callable[[LaunchSpec, OnWorker], None],
        on_query: Callable[[Connection[FromWorker], Query], None],
        leftovers: Leftovers,
    ) -> None:
        self._loop, self._processes, self._trees, self._steps, self._slots = loop, processes, trees, steps, slots
        self._committer, self._runs, self._wakeups = committer, runs, wakeups
        self._clock, self._host_id, self._start, self._on_query = clock, host_id, start, on_query
        self._leftovers = leftovers
        self._workers: dict[int, RunWorker] = {}
        self._launches: dict[Key, Future[LaunchResult]] = {}
        self._finished: deque[Key] = deque()
        #: Their processes are gone; changed in the committer's thread too.
        self._settling: set[Key] = set()
        #: Those whose step processes are not gone yet.
        self._losing_steps: dict[Key, RunWorker] = {}

    def __len__(self) -> int:
        """Live workers, those that are gone and whose steps are not, and launches under way."""
        under_way = sum(not launch.done() for launch in self._launches.values())
        return len(self._workers) + len(self._losing_steps) + under_way

    def keys(self) -> tuple[Key, ...]:
        """Launches under way, live workers, and those whose end is not committed yet."""
        under_way = [key for key, launch in self._launches.items() if not launch.done()]
        return (*under_way, *(worker.key for worker in self._workers.values()), *self._settling)

    def marks(self) -> set[str]:
        """Of the processes of live workers, and of those under way."""
        under_way = [self._trees.of(*key) for key, launch in self._launches.items() if not launch.done()]
        workers = [*self._workers.values(), *self._losing_steps.values()]
        return {tree.mark for tree in (*under_way, *(worker.tree for worker in workers))}

    def has(self, key: Key) -> bool:
        """Whether the run's worker lives here."""
        return any(worker.key == key for worker in self._workers.values())

    # -- launching --------------------------------------------------------------------------------------------

    def launch(self, spec: LaunchSpec) -> Future[LaunchResult]:
        """Start a worker, once for each (run, attempt)."""
        key = (spec.run_id, spec.attempt)
        known = self._launches.get(key)
        if known is not None:
            return known
        launch = self._launches[key] = Future()
        found = next((worker for worker in self._workers.values() if worker.key == key and not worker.rejected), None)
        if found is not None:
            # A host before this one has started it, and it has found this one.
            launch.set_result(LaunchResult(run_id=spec.run_id, attempt=spec.attempt, pid=found.pid))
        else:
            self._start(spec, lambda new: self._started(spec, launch, new))
        return launch

    def close(self) -> None:
        """The host ends: launches under way fail, so that nobody waits for them; other hosts may try again."""
        for (run_id, attempt), launch in self._launches.items():
            if not launch.done():
                error = "The location's host was stopped."
                launch.set_result(LaunchResult(run_id=run_id, attempt=attempt, error=error, retriable=True))

    def _started(self, spec: LaunchSpec, launch: Future[LaunchResult], new: NewWorker | str) -> None:
        if isinstance(new, str):
            del self._launches[spec.run_id, spec.attempt]
            _answer(
                launch,
                LaunchResult(run_id=spec.run_id, attempt=spec.attempt, error=f"No worker: {new}.", retriable=True),
            )
            return
        tree = self._trees.of(spec.run_id, spec.attempt)
        worker = RunWorker(spec.run_id, spec.attempt, new.pid, new.exit_fd, tree, new.parent)
        worker.launch = spec
        self._add(worker)
        self._processes.connect(worker, new.socket, lambda message: self._on_message(worker, message))
        tree.place(new.pid)
        _answer(launch, LaunchResult(run_id=spec.run_id, attempt=spec.attempt, pid=new.pid))

    def _add(self, worker: RunWorker) -> None:
        self._workers[worker.pid] = worker
        self._processes.watch(worker, lambda: self._gone(worker))

    def _on_message(self, worker: RunWorker, message: FromWorker) -> None:
        if isinstance(message, Report):
            if message.report.begin is not None:
                report = msgspec.structs.replace(message.report, host_id=self._host_id, pid=worker.pid)
                message = msgspec.structs.replace(message, report=report)
            self._committer.add(worker, message)
            if message.report.end is not None:
                worker.reported_end = True
                self._once_committed(lambda: self._leftovers.begin_grace(worker, worker.owner))
        elif isinstance(message, Query) and worker.connection is not None:
            self._on_query(worker.connection, message)
        elif isinstance(message, StartStep):
            self._steps.start(worker, message)
        elif isinstance(message, StopSteps):
            self._steps.stop_all(worker, message)
        elif isinstance(message, ClaimSlots):
            self._slots.claim(worker, message)
        elif isinstance(message, WithdrawClaim):
            self._slots.withdraw(worker, message)

    # -- workers of a host that is gone -----------------------------------------------------------------------

    def welcome(self, hello: Hello, pid: int, connection: Connection[FromWorker]) -> OnMessage:
        """Take in a worker whose host is gone. Raises ProcessLookupError when it is gone too."""
        worker = self._workers.get(pid)
        if worker is None:
            tree = self._trees.found(pid, hello.run_id, hello.attempt)
            worker = RunWorker(hello.run_id, hello.attempt, pid, exit_descriptor(pid), tree)
            worker.launch = hello.launch
            self._add(worker)
        elif worker.connection is not None:
            worker.connection.close()
        worker.connection = connection
        worker.asked_before = frozenset(hello.pending)
        # Its steps may hold slots that the host before got for them.
        self._committer.claimants.add(hello.run_id)
        log.info("worker %d of run %s found this host", pid, hello.run_id)
        self._committer.after(lambda: self._check(worker))
        return lambda message: self._on_message(worker, message)

    def check_all(self) -> None:
        """This host had been given up on: whoever's run was ended meanwhile must stop."""
        for worker in self._workers.values():
            self._committer.after(lambda worker=worker: self._check(worker))  # type: ignore[misc]  # bound default

    def _check(self, worker: RunWorker) -> None:
        """In the committer's thread: take the run over, or tell the worker that it is not its own any more."""
        run = self._runs.get(worker.run_id)
        if run is None or run.attempt != worker.attempt or run.status in FINISHED:
            worker.give_up("the run was ended while its host was gone")
        else:
            self._runs.assign_host(worker.run_id, attempt=worker.attempt, host_id=self._host_id, pid=worker.pid)

    # -- ending -----------------------------------------------------------------------------------------------

    def terminate(self, run_id: str, attempt: int, *, force: bool, kill_after: float | None = None) -> bool:
        """SIGTERM, or SIGKILL when ``force``, also ``kill_after`` seconds later; False when there is no such worker."""
        key = (run_id, attempt)
        worker = next((worker for worker in self._workers.values() if worker.key == key), None)
        if worker is None:
            launch = self._launches.get(key)
            if launch is None or launch.done():
                return False
            launch.add_done_callback(lambda _: self.terminate(run_id, attempt, force=force, kill_after=kill_after))
            return True
        worker.tree.stop(worker.pid, force=force)
        # It tells its steps itself, so that it knows why they end; a deaf one does not.
        if force:
            self._steps.stop_run(key, force=True)
        else:
            self._loop.later(STEPS_PATIENCE, lambda: self._steps.stop_run(key, force=False))
        if kill_after is not None and not force:
            self._loop.later(kill_after, lambda: self._lose_patience(worker, kill_after))
        return True

    def _lose_patience(self, worker: RunWorker, waited: float) -> None:
        if worker.pid in self._workers:
            worker.outwaited = waited
            self.terminate(*worker.key, force=True)

    def terminate_all(self, *, force: bool) -> None:
        for run_id, attempt in [worker.key for worker in self._workers.values()]:
            self.terminate(run_id, attempt, force=force)
        for key in self._losing_steps if force else ():
            self._steps.stop_run(key, force=True)

    def _gone(self, worker: RunWorker) -> None:
        """All is known. What the worker has sent is on its way to the committer, before this."""
        del self._workers[worker.pid]
        if self._is_another_s(worker):
            self._committer.after(lambda: worker.tree.ended(worker.pid, well=worker.ended is not None))
            return
        self._remember(worker.key)
        self._settling.add(worker.key)
        self._slots.forget(worker.key)
        self._losing_steps[worker.key] = worker
        if worker.reported_end:
            # Whether its word counts shows once it is committed.
            self._once_committed(lambda: self._let_go(worker))
        else:
            self._let_go(worker)

    def _let_go(self, worker: RunWorker) -> None:
        if not worker.ended_its_run:
            # Killed once, settled as often as storage needs: in between the number may become another process's.
            self._committer.after(lambda: worker.tree.ended(worker.pid, well=worker.ended is not None))
        self._steps.end_run(worker.key, lambda: self._steps_gone(worker), force=not worker.ended_its_run)

    def _steps_gone(self, worker: RunWorker) -> None:
        """Its steps had to be gone before another attempt may begin."""
        del self._losing_steps[worker.key]
        if worker.ended_its_run:
            report = partial(self._leftovers.report, worker.owner)
            worker.tree.ended(worker.pid, well=True, grace_until=worker.grace_until, report=report)
        self._committer.after(lambda: self._settle(worker))

    def _once_committed(self, action: Callable[[], None]) -> None:
        """Call ``action`` in the loop's thread when all that was reported up to now is committed."""
        self._committer.after(lambda: self._loop.soon(action))

    def _is_another_s(self, worker: RunWorker) -> bool:
        """Whether the attempt is another worker's here, to which its steps and slots belong: one host has started one
        and died before it was known to have begun, and this host was asked too.
        """
        others = [other for other in self._workers.values() if other.key == worker.key and not other.rejected]
        return bool(others) and not worker.began

    def _remember(self, key: Key) -> None:
        self._finished.append(key)
        if len(self._finished) > REMEMBERED:
            self._launches.pop(self._finished.popleft(), None)

    def _settle(self, worker: RunWorker) -> None:
        """In the committer's thread, after everything that the worker sent is committed."""
        try:
            run = settle(self._runs, worker, self._clock.now())
        except StorageUnavailable:
            raise
        except Exception:
            # The monitor ends runs whose workers no host says it has.
            self._settling.discard(worker.key)
            raise
        if run is not None:
            self._wakeups.poke("runs")
            self._wakeups.poke("queue")
            if run.status is RunStatus.STARTING:
                self._wakeups.poke("resume")
        self._settling.discard(worker.key)


def _answer(launch: Future[LaunchResult], result: LaunchResult) -> None:
    """Unless ``close`` has done so."""
    if not launch.done():
        launch.set_result(result)
