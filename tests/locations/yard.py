"""A home, its storage and a workspace of real hosts, for one test."""

from __future__ import annotations

import os
import shutil
import signal
import textwrap
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil

from runyard.core.clock import SystemClock
from runyard.core.events import Event, EventType
from runyard.core.host import HostRecord
from runyard.core.ids import new_id
from runyard.core.launch import LaunchResult, LaunchSpec
from runyard.core.run import FINISHED, NewRun, Run, RunStatus
from runyard.locations.api import Location
from runyard.locations.runtime_dir import runtime_dir
from runyard.locations.spec import LocationSpec
from runyard.locations.workspace import LocalWorkspace
from runyard.settings.instance import PostgresSettings, SqliteSettings
from runyard.storage.open import SqlStores, open_stores

T = TypeVar("T")
PATIENCE = 30.0


class SpecList:
    """A workspace that a test changes by hand."""

    def __init__(self) -> None:
        self.entries: list[LocationSpec] = []
        self.files: list[str] = []
        self.error: Exception | None = None

    def specs(self) -> list[LocationSpec]:
        if self.error is not None:
            raise self.error
        return list(self.entries)

    def watched_files(self) -> list[str]:
        return self.files


class Yard:
    """What a test works with. ``close`` ends every process that it has started."""

    def __init__(self, home: Path, storage: PostgresSettings | None = None) -> None:
        self.home = home
        self.code = home / "code"
        self.code.mkdir(parents=True)
        self.clock = SystemClock()
        self.storage = storage or SqliteSettings(str(home / "runyard.db"), synchronous="OFF")
        self.runtime_dir = runtime_dir(str(home))
        self.stores: SqlStores = open_stores(self.storage, self.clock, runtime_dir=self.runtime_dir)
        self.target = SpecList()
        self.workspaces: list[LocalWorkspace] = []
        self._moved = threading.Event()
        self._unlisten = self.stores.wakeups.listen(lambda _: self._moved.set())

    # -- locations --------------------------------------------------------------------------------------------

    def write(self, name: str, code: str) -> Path:
        path = self.code / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(code))
        return path

    def spec(self, file: str = "jobs.py", *, name: str | None = None, **fields: Any) -> LocationSpec:
        return LocationSpec(
            name=name or file.removesuffix(".py"),
            kind="python_file",
            target=str(self.code / file),
            working_directory=str(self.code),
            **fields,
        )

    def open(self, *entries: LocationSpec, wait: bool = True, **options: Any) -> LocalWorkspace:
        """A started workspace; of the entries given, or of those of the first one."""
        if entries:
            self.target.entries = list(entries)
        workspace = LocalWorkspace(
            self.target,
            stores=self.stores,
            storage=self.storage,
            compute_logs_dir=str(self.home / "logs"),
            outputs_dir=str(self.home / "outputs"),
            runtime_dir=self.runtime_dir,
            clock=self.clock,
            **options,
        )
        workspace.on_change(lambda _: self._moved.set())
        self.workspaces.append(workspace)
        workspace.start()
        if wait:
            assert workspace.wait_loaded(timeout=PATIENCE), [location.record() for location in workspace.all()]
        return workspace

    def location(self, code: str, **options: Any) -> Location:
        """The one location of a workspace with this code."""
        fields = {key: options.pop(key) for key in ("start_method", "executable_path") if key in options}
        self.write("jobs.py", code)
        location = self.open(self.spec(**fields), **options).get("jobs")
        assert location is not None
        return location

    # -- runs -------------------------------------------------------------------------------------------------

    def claim(
        self,
        job: str = "job",
        *,
        config: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
        location: str = "jobs",
    ) -> LaunchSpec:
        """A run in STARTING, ready to be handed to its location."""
        run_id = new_id()
        new = NewRun(run_id=run_id, job_name=job, location_name=location, run_config=config or {}, tags=tags or {})
        self.stores.runs.add([new], enqueue=False)
        claim = self.stores.queue.start_directly(run_id, now=self.clock.now())
        assert claim is not None
        return LaunchSpec(
            run_id=run_id,
            attempt=claim.attempt,
            token=claim.token,
            job_name=job,
            location_name=location,
            run_config=config or {},
            tags=tags or {},
        )

    def launch(
        self,
        location: Location,
        job: str = "job",
        *,
        config: dict[str, Any] | None = None,
        tags: dict[str, str] | None = None,
    ) -> str:
        spec = self.claim(job, config=config, tags=tags, location=location.name)
        self.accepted(location.launch([spec], timeout=PATIENCE))
        return spec.run_id

    def accepted(self, results: Sequence[LaunchResult]) -> None:
        assert [result.error for result in results] == [None] * len(results)

    def run(self, run_id: str) -> Run:
        run = self.stores.runs.get(run_id)
        assert run is not None
        return run

    def finished(self, run_id: str) -> Run:
        return self.until(lambda: run if (run := self.run(run_id)).status in FINISHED else None)

    def started(self, run_id: str) -> Run:
        return self.until(lambda: run if (run := self.run(run_id)).status is RunStatus.STARTED else None)

    def events(self, run_id: str) -> list[Event]:
        return [stored.event for stored in self.stores.events.of_run(run_id)]

    def lines(self, run_id: str) -> list[str]:
        return [event.message for event in self.events(run_id) if event.type is EventType.LOG]

    def until(self, look: Callable[[], T | None], *, patience: float = PATIENCE) -> T:
        """What ``look`` returns once it is something; looked at whenever storage or a location says that it moved."""
        deadline = self.clock.monotonic() + patience
        while True:
            self._moved.clear()
            found = look()
            if found:
                return found
            assert self.clock.monotonic() < deadline, "waited in vain"
            # Files and processes tell nobody that they moved: looked at now and then.
            self._moved.wait(0.02)

    def file(self, name: str) -> str:
        """The text of a file that user code writes, once it is there."""
        return self.until(lambda: path.read_text() if (path := self.code / name).exists() else None)

    def steps(self, run_id: str, *kinds: EventType) -> list[tuple[str, str]]:
        """(type, step key) of the run's events about steps, in order, of these types."""
        return [
            (event.type.value, event.step_key)
            for event in self.events(run_id)
            if event.step_key is not None and (event.type in kinds if kinds else event.type.value.startswith("STEP_"))
        ]

    # -- processes --------------------------------------------------------------------------------------------

    def host_record(self, location_name: str = "jobs") -> HostRecord:
        found = [host for host in self.stores.hosts.all() if host.location_name == location_name]
        return max(found, key=lambda host: host.registered_at)

    def host(self, location_name: str = "jobs") -> psutil.Process:
        return psutil.Process(self.host_record(location_name).pid)

    def zygote(self, location_name: str = "jobs") -> psutil.Process:
        """The one child that is in the host's own session: orphaned workers have theirs."""
        host = self.host(location_name)
        return next(child for child in host.children() if os.getsid(child.pid) == os.getsid(host.pid))

    def processes(self) -> list[psutil.Process]:
        """Everything that runs on behalf of this test's home."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.pid != os.getpid() and self.runtime_dir in process.environ().get("YARD", ""):
                    found.append(process)
        return found

    def alive(self) -> list[psutil.Process]:
        found = []
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def kill(self, process: psutil.Process) -> None:
        process.send_signal(signal.SIGKILL)

    def close(self) -> None:
        for workspace in reversed(self.workspaces):
            workspace.stop(terminate_hosts=True)
        for process in self.alive():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._unlisten()
        self.stores.close()
        # Of processes that were killed.
        shutil.rmtree(self.runtime_dir, ignore_errors=True)
