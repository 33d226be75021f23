"""The queue's leader on a filled database: load, the one run behind all others, admissions, memory."""

from __future__ import annotations

import statistics
import time

from runyard.core.clock import SystemClock
from runyard.core.daemon import DaemonType
from runyard.core.lease import Fence
from runyard.core.run import RunStatus
from runyard.daemons.run_queue.daemon import RunQueueDaemon
from runyard.settings.instance import QueueSettings
from runyard.storage.open import SqlStores

from .fill import new_run, rules
from .null_world import NullLauncher, NullWorkspace
from .shape import CUSTOMER, HIGH

#: Admissions that are timed, and free runs that are found one after another.
ADMISSIONS, FINDS = 20_000, 50


class Leader:
    """The daemon as its loop drives it, with a lease of its own."""

    def __init__(self, stores: SqlStores) -> None:
        self._stores = stores
        self._alarm = False
        launcher = NullLauncher(ADMISSIONS + FINDS)
        self._daemon = RunQueueDaemon(stores, NullWorkspace(), launcher, QueueSettings(), clock=SystemClock())  # type: ignore[arg-type]  # a null world
        self._daemon.attach(self._wake, _raise)
        name = DaemonType.QUEUED_RUN_COORDINATOR.value
        lease = stores.leases.acquire(name, holder="bench", seconds=3600)
        assert lease is not None
        self._fence = Fence(name=name, term=lease.term)

    def _wake(self) -> None:
        self._alarm = True

    def run(self) -> float:
        """Passes until nothing is left to do at once; seconds."""
        begun = time.perf_counter()
        again = True
        while again:
            self._alarm = False
            now = time.time()
            result = self._daemon.run_once(now, self._fence)
            again = self._alarm or result.wake_at <= now
        return time.perf_counter() - begun

    def measure(self) -> dict[str, float]:
        """Everything, in an order in which nothing spoils the next."""
        before = resident()
        load = self.run()
        found = {"load": load, "memory": resident() - before}
        finds = [self._find_one(number) for number in range(FINDS)]
        return found | {
            "find p50": statistics.median(finds),
            "find p99": sorted(finds)[int(FINDS * 0.99)],
            **self._admissions(),
        }

    def _find_one(self, number: int) -> float:
        """From the commit of the one free run, last in the order of the queue, until it is claimed."""
        run = new_run({CUSTOMER: str(number)}, priority=-1)
        self._stores.runs.add([run], enqueue=True)
        seconds = self.run()
        found = self._stores.runs.get(run.run_id)
        assert found is not None
        assert found.status is RunStatus.STARTING
        return seconds

    def _admissions(self) -> dict[str, float]:
        """Open the gate: the time until the first run is claimed is the change of rules, the rest is rate."""
        self._stores.limits.configure(rules(gate=HIGH))
        seconds = self.run()
        claimed = len(self._stores.queue.active()) - FINDS
        return {"admissions": claimed / seconds, "admitted": claimed}


def resident() -> float:
    """Memory of this process, in MiB."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - a file of the kernel
        return int(file.read().split()[1]) * 4096 / 2**20


def _raise(error: BaseException) -> None:
    raise error
