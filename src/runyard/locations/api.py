"""What the control process asks of code locations. The one implementation talks to hosts; tests have their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from ..core.launch import LaunchResult, LaunchSpec
from ..core.location import LocationRecord
from ..core.tick import Evaluation, EvaluationRequest


class Location(Protocol):
    """One code location, reached through its host. Every call has a deadline in seconds.

    Every method may raise LocationUnavailable.
    """

    name: str

    def record(self) -> LocationRecord:
        """The last known state; never blocks."""
        ...

    def launch(self, specs: Sequence[LaunchSpec], *, timeout: float) -> Sequence[LaunchResult]:
        """Fork (or spawn) a worker per spec. Idempotent by (run, attempt). Workers report through their host."""
        ...

    def terminate(
        self, run_id: str, *, attempt: int, force: bool, timeout: float, kill_after: float | None = None
    ) -> bool:
        """SIGTERM (SIGKILL when ``force``) to the worker and its steps; False when the host has no such worker.

        ``kill_after``: SIGKILL, so many seconds later, to what is left then; the host sees to it.
        """
        ...

    def workers(self, *, timeout: float) -> Sequence[tuple[str, int]]:
        """(run id, attempt) of every run worker whose end is not committed yet, launches under way included."""
        ...

    def evaluate(self, requests: Sequence[EvaluationRequest], *, timeout: float) -> Sequence[Evaluation]:
        """Evaluate schedules and sensors in tick workers, in the order given, side by side; ``timeout`` is for each.

        One that outlives it is killed and answered as FAILURE. Never raises for user errors.
        """
        ...

    def validate(self, job_name: str, run_config: Mapping[str, Any], *, timeout: float) -> Sequence[tuple[str, str]]:
        """Problems of run config as (path, message); empty when the job takes it."""
        ...

    def reload(self, *, timeout: float) -> None:
        """Load the code again beside the old; returns once the switch is made or the load failed (see ``record``)."""
        ...

    def load(self) -> int:
        """Live workers of the host; 0 when unknown."""
        ...


class Workspace(Protocol):
    """The code locations of this control process; follows the workspace file and the code by itself."""

    def start(self) -> None:
        """Start or adopt a host per entry, in the background, and begin to watch."""
        ...

    def stop(self, *, terminate_hosts: bool, shared: Collection[str] = ()) -> None:
        """Stop watching; leave hosts (they outlive us for 30 s and keep their workers) or end them.

        ``shared``: locations whose hosts are left in any case, because another process holds them.
        """
        ...

    def get(self, name: str) -> Location | None: ...

    def all(self) -> Sequence[Location]: ...

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call ``callback(location_name)`` from a thread of the workspace's after a load, an error, a removal."""
        ...

    def leave_to_others(self, names: Collection[str]) -> None:
        """From now on other processes publish these locations, and no others. Raises StorageUnavailable."""
        ...

    def wait_loaded(self, *, timeout: float) -> bool:
        """True once every entry is LOADED or ERROR."""
        ...

    def problem(self) -> str | None:
        """Why the workspace file as it is now cannot be read (the last good one is in force), or None."""
        ...
