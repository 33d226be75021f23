"""A location host: puts its parts together and knows when to end."""

from __future__ import annotations

import logging
import queue
import signal
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from ...core.clock import Clock
from ...core.errors import LocationUnavailable
from ...core.ids import new_id
from ...core.launch import LaunchResult, LaunchSpec
from ...core.runtime_files import new_worker_socket, worker_socket
from ...core.step import StepOrder
from ...storage.protocols import Events, PoolSlots, Runs, Wakeups
from ..messages import Setup
from ..updates import HostUpdate
from ..wire import Status
from .adoption import adopt
from .code import Code
from .committer import Committer
from .config import HostConfig
from .leftovers import Leftovers
from .loop import READ, Loop
from .oom import MemoryKills, kill_counter
from .process_tree import ProcessTrees
from .queries import Queries
from .remains import Remains
from .run_workers import RunWorkers
from .slots import StepSlots
from .step_run import StepServices
from .step_workers import StepWorkers
from .tick_pool import TickPool
from .worker_process import WorkerProcesses
from .zygote_process import OnWorker, ZygoteProcess
from .zygote_start import StartedZygote, zygote_setup

log = logging.getLogger(__name__)

#: How often stray children are reaped and idleness is looked at, in seconds.
HOUSEKEEPING = 1.0
#: How long zygotes may take to end when their host does, in seconds.
ZYGOTE_PATIENCE = 2.0
#: A fraction of the time to linger that the check for idleness may be late by.
_IDLE_CHECKS = 4

Subscription = queue.SimpleQueue[HostUpdate | None]


class HostStores(Protocol):
    """The storage that a host uses."""

    runs: Runs
    events: Events
    pool_slots: PoolSlots
    wakeups: Wakeups


class Host:
    """``run`` serves until the host is told to end or nobody needs it. Other methods may be called from any thread.

    Args:
        zygote: loads the code already; None: the host starts one when it runs.
    """

    def __init__(
        self,
        config: HostConfig,
        stores: HostStores,
        clock: Clock,
        *,
        trees: ProcessTrees,
        zygote: StartedZygote | None,
    ) -> None:
        self.host_id = new_id()
        self._config, self._clock = config, clock
        self._loop = Loop(clock)
        self._committer = Committer(stores.runs, stores.wakeups, clock)
        self._queries = Queries(stores.runs, stores.events, self._committer, self._loop)
        self._worker_socket = worker_socket(config.runtime_dir, config.spec.name)
        self._code = self._new_code(zygote_setup(config, trees), zygote)
        self._ticks = TickPool(
            self._loop,
            lambda then: self._start_worker(None, None, then),
            ticks_per_worker=config.ticks_per_worker,
            on_query=self._queries.answer,
        )
        self._memory = MemoryKills(kill_counter(), clock)
        self._processes = WorkerProcesses(self._loop, self._memory)
        self._slots = StepSlots(self._loop, self._committer, stores.pool_slots, stores.wakeups, clock)
        self._leftovers = Leftovers(self._loop, self._committer, clock, config.stop_grace)
        self._steps = StepWorkers(self._step_services(trees), stores.runs, is_here=self._is_here)
        self._workers = RunWorkers(
            self._loop,
            self._processes,
            trees,
            self._steps,
            self._slots,
            self._committer,
            stores.runs,
            stores.wakeups,
            clock,
            host_id=self.host_id,
            start=lambda launch, then: self._start_worker(launch, None, then),
            on_query=self._queries.answer,
            leftovers=self._leftovers,
        )
        self._remains = Remains(trees, ours=self._pids, living=self._living)
        self._wakeups = stores.wakeups
        #: Workers of a dead host have found this one by then, or stopped themselves.
        self._patience_of_orphans = config.host_grace + config.stop_grace + HOUSEKEEPING
        self._watchers: list[Subscription] = []
        self._watchers_lock = threading.Lock()
        self._needed_at = clock.monotonic()
        self._draining = False
        self._ending = False

    def _new_code(self, setup: Setup, zygote: StartedZygote | None) -> Code:
        return Code(
            self._loop,
            setup,
            self._clock,
            host_id=self.host_id,
            zygote=zygote,
            load_timeout=self._config.load_timeout,
            on_update=self._tell,
            on_switch=self._code_switched,
            on_exit=self._exit_reported,
            on_gone=self._zygote_gone,
        )

    def _step_services(self, trees: ProcessTrees) -> StepServices:
        return StepServices(
            self._loop,
            self._processes,
            self._committer,
            trees,
            self._leftovers,
            start=self._start_worker,
            look_up=self._queries.look_up,
            on_query=self._queries.answer,
        )

    # -- calls of the control process -------------------------------------------------------------------------

    def launch(self, specs: Sequence[LaunchSpec]) -> list[Future[LaunchResult]]:
        """Raises LocationUnavailable when the host is about to end."""
        if self._draining or self._ending:
            raise LocationUnavailable(self._config.spec.name, "its host is about to end.")
        return self._loop.call(lambda: [self._workers.launch(spec) for spec in specs])

    def terminate(self, run_id: str, attempt: int, *, force: bool, kill_after: float | None) -> bool:
        return self._loop.call(lambda: self._workers.terminate(run_id, attempt, force=force, kill_after=kill_after))

    def run_workers(self) -> tuple[tuple[str, int], ...]:
        """(run id, attempt) of every worker whose end is not committed yet."""
        return self._loop.call(self._workers.keys)

    @property
    def ticks(self) -> TickPool:
        return self._ticks

    def reload(self) -> Future[None]:
        return self._loop.call(self._code.load)

    def refresh(self) -> Status:
        """For a process that adopts this host: begin to load again what is not as its sources are now."""
        self._loop.call(self._code.refresh)
        return self.status()

    def status(self) -> Status:
        workers = self._loop.call(lambda: len(self._workers))
        return Status(host_id=self.host_id, workers=workers, draining=self._draining)

    def check_workers(self) -> None:
        self._loop.soon(self._workers.check_all)

    def subscribe(self) -> Subscription:
        """A queue of updates, the present one first; None ends it."""
        updates: Subscription = queue.SimpleQueue()
        with self._watchers_lock:
            updates.put(self._code.update)
            self._watchers.append(updates)
        return updates

    def unsubscribe(self, updates: Subscription) -> None:
        with self._watchers_lock:
            self._watchers.remove(updates)
        updates.put(None)
        self._needed_at = self._clock.monotonic()

    def shutdown(self, *, drain: bool, grace: float) -> None:
        """End when the last worker has (``drain``); else tell workers to stop and kill them after ``grace`` seconds."""
        self._draining = True
        if drain:
            self._loop.soon(self._end_when_drained)
        else:
            self._loop.soon(lambda: self._terminate_workers(grace))

    # -- life -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve; returns when everything that workers said is committed and every process of ours is told to end."""
        self._committer.start()
        deaf = self._wakeups.listen(self._slots.hint)
        listener = self._listen_for_workers()
        self._loop.soon(self._code.load)
        self._housekeeping()
        self._bury_dead_hosts()
        try:
            self._loop.run()
        finally:
            deaf()
            self._close(listener)

    def _close(self, listener: socket.socket) -> None:
        self._ending = True
        listener.close()
        self._ticks.close()
        self._workers.close()
        self._code.close()
        self._committer.stop()
        self._queries.close()
        self._slots.close()
        # They end by themselves: what user code has asked for at the exit of theirs is done.
        self._code.wait(ZYGOTE_PATIENCE)
        self._remains.close(self._workers.marks())
        with self._watchers_lock:
            for updates in self._watchers:
                updates.put(None)

    def _listen_for_workers(self) -> socket.socket:
        """Take the location's socket over: bound beside and renamed, so that there is always one to connect to."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        beside = new_worker_socket(self._config.runtime_dir, self._config.spec.name, self.host_id)
        listener.bind(beside)
        listener.listen(128)
        Path(beside).rename(self._worker_socket)
        self._loop.watch(listener.fileno(), READ, lambda: self._adopt(listener.accept()[0]))
        return listener

    def _adopt(self, peer: socket.socket) -> None:
        adopt(self._loop, peer, run=self._workers.welcome, step=self._steps.welcome)

    def _is_here(self, run: tuple[str, int]) -> bool:
        return self._workers.has(run)

    def _code_switched(self) -> None:
        self._ticks.renew()

    def _exit_reported(self, pid: int, code: int) -> None:
        self._processes.exit_reported(pid, code)

    def _zygote_gone(self, zygote: ZygoteProcess) -> None:
        self._processes.orphaned(zygote)
        self._remains.end_code(zygote.mark)

    def _start_worker(self, launch: LaunchSpec | None, step: StepOrder | None, then: OnWorker) -> None:
        def ready(zygote: ZygoteProcess | None) -> None:
            if zygote is None:
                then("the location's code does not load")
            else:
                zygote.start_worker(launch, step, then)

        self._code.when_ready(ready)

    def _tell(self, update: HostUpdate) -> None:
        with self._watchers_lock:
            for updates in self._watchers:
                updates.put(update)

    def _housekeeping(self) -> None:
        self._remains.look(self._clock.monotonic())
        self._memory.sample()
        linger = self._config.linger
        if linger is not None and self._idle_for() >= linger:
            log.info("neither a control process nor workers for %g s: ending", linger)
            self._loop.stop()
            return
        pause = HOUSEKEEPING if linger is None else min(HOUSEKEEPING, linger / _IDLE_CHECKS)
        self._loop.later(pause, self._housekeeping)

    def _idle_for(self) -> float:
        if self._watchers or len(self._workers):
            self._needed_at = self._clock.monotonic()
        return self._clock.monotonic() - self._needed_at

    def _pids(self) -> set[int]:
        """Of the processes that are reaped on ways of their own."""
        return self._processes.pids() | self._ticks.pids() | self._code.pids()

    def _living(self) -> set[str]:
        """Marks of processes that nobody may end as remains."""
        return self._workers.marks() | self._ticks.marks() | self._code.marks()

    def _bury_dead_hosts(self) -> None:
        self._remains.look_for_dead_hosts()
        self._loop.later(self._patience_of_orphans, self._bury_dead_hosts)

    def _end_when_drained(self) -> None:
        if len(self._workers):
            self._loop.later(0.1, self._end_when_drained)
        else:
            self._loop.stop()

    def _terminate_workers(self, grace: float) -> None:
        self._workers.terminate_all(force=False)
        self._loop.later(grace, lambda: self._workers.terminate_all(force=True))
        self._end_when_drained()

    def end_on_sigterm(self) -> None:
        """SIGTERM means: stop the workers and end."""
        signal.signal(signal.SIGTERM, lambda *_: self.shutdown(drain=False, grace=self._config.stop_grace))
