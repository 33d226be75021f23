"""A workspace whose locations answer from a script: what daemons see of the world outside storage."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from runyard.core.errors import LocationUnavailable
from runyard.core.events import ErrorInfo
from runyard.core.launch import LaunchResult, LaunchSpec
from runyard.core.location import JobInfo, LocationDefinitions, LocationRecord, LocationState, ScheduleInfo, SensorInfo
from runyard.core.tick import Evaluation, EvaluationRequest, TickStatus


class FakeLocation:
    """Launches are remembered in order; ``reachable`` False makes every call fail."""

    def __init__(self, name: str, definitions: LocationDefinitions | None) -> None:
        self.name = name
        self.definitions = definitions
        self.reachable = True
        #: In place of the state that follows from ``definitions``.
        self.state: LocationState | None = None
        self.error: ErrorInfo | None = None
        self.host_id: str | None = None
        self.launched: list[LaunchSpec] = []
        self.launch_error: str | None = None
        self.terminated: list[tuple[str, bool]] = []
        self.has_workers = True
        #: (run id, attempt) that the host says it has workers for, beside those launched.
        self.alive: list[tuple[str, int]] = []
        self.evaluated: list[EvaluationRequest] = []
        self.answer: Callable[[EvaluationRequest], Evaluation] = lambda _: Evaluation(status=TickStatus.SKIPPED)
        self.issues: list[tuple[str, str]] = []
        self.changed = threading.Condition()

    def record(self) -> LocationRecord:
        state = self.state or (LocationState.LOADED if self.definitions else LocationState.ERROR)
        return LocationRecord(
            name=self.name, state=state, definitions=self.definitions, host_id=self.host_id, error=self.error
        )

    def launch(self, specs: Sequence[LaunchSpec], *, timeout: float) -> Sequence[LaunchResult]:
        self._answer_or_fail()
        with self.changed:
            self.launched.extend(specs)
            self.changed.notify_all()
        return [LaunchResult(run_id=s.run_id, attempt=s.attempt, pid=1, error=self.launch_error) for s in specs]

    def workers(self, *, timeout: float) -> Sequence[tuple[str, int]]:
        self._answer_or_fail()
        return [*self.alive, *((spec.run_id, spec.attempt) for spec in self.launched)]

    def terminate(
        self, run_id: str, *, attempt: int, force: bool, timeout: float, kill_after: float | None = None
    ) -> bool:
        self._answer_or_fail()
        with self.changed:
            self.terminated.append((run_id, force))
            self.changed.notify_all()
        return self.has_workers

    def evaluate(self, requests: Sequence[EvaluationRequest], *, timeout: float) -> Sequence[Evaluation]:
        self._answer_or_fail()
        self.evaluated.extend(requests)
        return [self.answer(request) for request in requests]

    def validate(self, job_name: str, run_config: Mapping[str, Any], *, timeout: float) -> Sequence[tuple[str, str]]:
        self._answer_or_fail()
        return self.issues

    def reload(self, *, timeout: float) -> None:
        self._answer_or_fail()

    def load(self) -> int:
        return len(self.launched)

    def wait_launched(self, count: int) -> list[str]:
        """Run ids in launch order once there are ``count``."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.launched) >= count, timeout=10)
            return [spec.run_id for spec in self.launched]

    def wait_terminated(self) -> tuple[str, bool]:
        """The first run that was told to stop, and whether by force."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.terminated, timeout=10)
            return self.terminated[0]

    def _answer_or_fail(self) -> None:
        if not self.reachable:
            raise LocationUnavailable(self.name, "the test took it away.")


class FakeWorkspace:
    """Locations by name."""

    def __init__(self, *locations: FakeLocation) -> None:
        self.locations = {location.name: location for location in locations}

    def start(self) -> None: ...

    def stop(self, *, terminate_hosts: bool, shared: Collection[str] = ()) -> None: ...

    def get(self, name: str) -> FakeLocation | None:
        return self.locations.get(name)

    def all(self) -> Sequence[FakeLocation]:
        return list(self.locations.values())

    def on_change(self, callback: Callable[[str], None]) -> None: ...

    def wait_loaded(self, *, timeout: float) -> bool:
        return True

    def problem(self) -> str | None:
        return None


def definitions(
    *jobs: str, schedules: Sequence[ScheduleInfo] = (), sensors: Sequence[SensorInfo] = ()
) -> LocationDefinitions:
    return LocationDefinitions(
        jobs=tuple(JobInfo(name=job) for job in jobs), schedules=tuple(schedules), sensors=tuple(sensors)
    )


class Woken:
    """Stands for the loop: counts wake-ups and keeps the errors that a daemon reports."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.errors: list[BaseException] = []

    def wake(self) -> None:
        self._event.set()

    def report(self, error: BaseException) -> None:
        self.errors.append(error)

    def was_woken(self) -> bool:
        """Whether the daemon asked for a pass; forgets it."""
        woken = self._event.is_set()
        self._event.clear()
        return woken

    def wait(self) -> None:
        """Return once the daemon asked for a pass; forgets it."""
        assert self._event.wait(10), "the daemon never asked for a pass"
        self._event.clear()
