"""A whole system whose processes can be told apart, and killed."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import sqlalchemy as sa

from end_to_end.yard import Yard
from runyard.core.errors import LocationUnavailable
from runyard.core.events import Cursor
from runyard.core.run import FINISHED, Run, RunStatus
from runyard.locations.process_mark import marked
from runyard.locations.target import WorkspaceTarget
from runyard.storage.protocols import RunsFilter
from runyard.storage.schema import pool_counters, pool_holders
from runyard.wiring import Control

from .jobs import INSTANCE, JOBS

#: How often each kind of process is meant when there is one of each.
WEIGHTS = {"worker": 30, "step": 37, "child": 20, "zygote": 10, "host": 3}
UNFINISHED = tuple(status for status in RunStatus if status not in FINISHED)


class System:
    """Daemons in this process, hosts and workers in theirs. ``close`` ends everything."""

    def __init__(self, directory: Path) -> None:
        self.yard = Yard(directory, instance=INSTANCE, jobs=JOBS)
        (directory / "daemon.log").touch()
        self.stores = self.yard.stores
        target = WorkspaceTarget(workspace_files=(str(self.yard.workspace_file),))
        self.control = Control(self.yard.instance, target)
        self.control.start()
        assert self.control.workspace.wait_loaded(timeout=30)
        self.yard._workspace = self.control.workspace
        self._seen: Cursor = self.stores.events.head()
        self.killed: Counter[str] = Counter()

    def close(self) -> None:
        self.control.stop(terminate_hosts=True)
        self.yard._workspace = None
        with self.yard:
            pass

    # -- runs -------------------------------------------------------------------------------------------------

    def keep_busy(self, rng: random.Random, *, runs: int) -> None:
        """Submit runs until so many are on their way; as many as can be while a host is replaced."""
        with suppress(LocationUnavailable):
            for _ in range(runs - self.stores.runs.count(RunsFilter(statuses=UNFINISHED))):
                self.yard.submit(rng.choice(["one", "many"]))

    def unfinished(self) -> list[Run]:
        return self.yard.runs(*UNFINISHED)

    def await_events(self, count: int) -> None:
        """Return once so many more events are in the log."""
        found = 0

        def enough() -> bool:
            nonlocal found
            while events := self.stores.events.since(self._seen):
                self._seen = events[-1].cursor
                found += len(events)
            return found >= count or not self.unfinished()

        self.until(enough)

    def until(self, condition: Callable[[], object], *, seconds: float = 60.0) -> None:
        """Wait until it holds; says what is unfinished when it never does."""
        try:
            self.yard.wait(condition, seconds=seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.state()}") from None

    def state(self) -> str:
        """Unfinished runs with their last events, and the host's last words."""
        now = self.yard.instance.clock.now()
        location = self.control.workspace.get("jobs.py")
        record = None if location is None else location.record()
        lines = [
            f"killed: {dict(self.killed)}",
            f"left: {self.left()}",
            f"hosts: {[host.pid for host in self.stores.hosts.all()]}",
            f"location: {record and (record.state, record.error, record.host_id)}",
        ]
        for run in self.unfinished():
            lines.append(f"{run.run_id} {run.status} attempt {run.attempt} of {run.host_id}")
            events = self.stores.events.of_run(run.run_id)[-8:]
            for event in (stored.event for stored in events):
                since = event.timestamp - now
                lines.append(f"    {since:.1f} {event.attempt} {event.type.value} {event.step_key} {event.message}")
        logs = (self.yard.home / "storage" / "_locations").glob("*.log")
        return "\n".join([*lines, *(log.read_text()[-4000:] for log in logs)])

    # -- processes --------------------------------------------------------------------------------------------

    def kill_one(self, rng: random.Random) -> None:
        """SIGKILL to a process of a kind chosen by weight; to none when there is none of it now."""
        [kind] = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))
        found = self.processes().get(kind)
        if found:
            with suppress(psutil.NoSuchProcess):  # ended by itself just now
                rng.choice(found).kill()
                self.killed[kind] += 1

    def processes(self) -> dict[str, list[psutil.Process]]:
        found: dict[str, list[psutil.Process]] = {}
        for host in self.stores.hosts.all():
            with suppress(psutil.NoSuchProcess):  # its row goes later than it does
                found.setdefault("host", []).append(psutil.Process(host.pid))
        for process, name in self._marked():
            found.setdefault(_kind(process, name), []).append(process)
        found.pop("other", None)
        return found

    def _marked(self) -> Iterator[tuple[psutil.Process, str]]:
        """Every process below the hosts of this system, with the name of its tree."""
        for pid, mark in marked():
            try:
                process = psutil.Process(pid)
                ours = process.environ().get("RUNYARD_HOME") == str(self.yard.home)
            except psutil.Error:
                continue  # gone by now
            if ours and "/" in mark:
                yield process, mark.partition("/")[2]

    def left(self) -> list[str]:
        """Processes of runs."""
        return [f"{process.pid} of {name}" for process, name in self._marked() if not name.startswith("code.")]

    # -- what must hold ---------------------------------------------------------------------------------------

    def counters(self) -> dict[str, int]:
        with self.stores.database.read() as connection:
            rows = connection.execute(sa.select(pool_counters.c.pool, pool_counters.c.used))
            return {pool: used for pool, used in rows if used}

    def held(self) -> dict[str, int]:
        with self.stores.database.read() as connection:
            rows = connection.execute(
                sa.select(pool_holders.c.pool, sa.func.sum(pool_holders.c.slots)).group_by(pool_holders.c.pool)
            )
            return dict(rows.all())


def _kind(process: psutil.Process, name: str) -> str:
    try:
        leads, forked = os.getsid(process.pid) == process.pid, "runyard.locations" in " ".join(process.cmdline())
    except (OSError, psutil.Error):
        return "other"
    if name.startswith("code."):
        # Its tick workers have sessions of their own.
        return "zygote" if forked and not leads else "other"
    if not (leads and forked):
        return "child"
    return "step" if "/" in name else "worker"
