"""A workspace whose one location takes every launch at once and starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runyard.core.launch import LaunchResult, LaunchSpec
from runyard.core.location import JobInfo, LocationDefinitions, LocationRecord, LocationState
from runyard.core.tick import Evaluation, EvaluationRequest

from .shape import JOB, LOCATION


class NullLocation:
    """``locations.api.Location``."""

    name = LOCATION

    def record(self) -> LocationRecord:
        """One job."""
        definitions = LocationDefinitions(jobs=(JobInfo(name=JOB),))
        return LocationRecord(name=self.name, state=LocationState.LOADED, definitions=definitions, host_id="null")

    def launch(self, specs: Sequence[LaunchSpec], *, timeout: float) -> Sequence[LaunchResult]:
        """Taken, and nothing more."""
        return [LaunchResult(run_id=spec.run_id, attempt=spec.attempt, pid=1) for spec in specs]

    def terminate(
        self, run_id: str, *, attempt: int, force: bool, timeout: float, kill_after: float | None = None
    ) -> bool:
        """There is no worker."""
        return False

    def workers(self, *, timeout: float) -> Sequence[tuple[str, int]]:
        """There are none."""
        return ()

    def evaluate(self, requests: Sequence[EvaluationRequest], *, timeout: float) -> Sequence[Evaluation]:
        """There are no schedules and sensors."""
        return ()

    def validate(self, job_name: str, run_config: Mapping[str, Any], *, timeout: float) -> Sequence[tuple[str, str]]:
        """Any run config will do."""
        return ()

    def reload(self, *, timeout: float) -> None:
        """Nothing to load."""

    def load(self) -> int:
        """No workers."""
        return 0


class NullWorkspace:
    """``locations.api.Workspace`` with that location."""

    def __init__(self) -> None:
        self._location = NullLocation()

    def start(self) -> None:
        """Nothing to start."""

    def stop(self, *, terminate_hosts: bool) -> None:
        """Nothing to stop."""

    def get(self, name: str) -> NullLocation | None:
        """The one."""
        return self._location if name == LOCATION else None

    def all(self) -> Sequence[NullLocation]:
        """The one."""
        return [self._location]

    def on_change(self, callback: Callable[[str], None]) -> None:
        """It never changes."""

    def wait_loaded(self, *, timeout: float) -> bool:
        """It is."""
        return True

    def problem(self) -> str | None:
        """None."""
        return None


class NullLauncher:
    """``launchers.base.Launcher`` that takes ``capacity`` runs in all, because none ever begins."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity

    def capacity(self) -> int:
        """Launches that it takes unacknowledged."""
        return self._capacity
