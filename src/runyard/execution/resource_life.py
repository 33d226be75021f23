"""The resources of a run, or of one step, going up and down with their events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ..core.error_info import error_info, error_line, message_of
from ..core.errors import RunyardError
from ..core.events import EventType
from ..core.managers import contextmanager
from ..core.text import listing
from ..definitions.steps import Step
from .attempt import Attempt
from .emitter import error_data
from .log import line_logger, lines_go_to
from .resources import ResourceScope


class ResourcesNotReady(RunyardError):
    """A resource that a step needs could not be initialised; its own error is the ``cause``."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause
        super().__init__(f"Resources could not be initialised: {message_of(cause)}")


@contextmanager
def shared_resources(attempt: Attempt, steps: Iterable[Step]) -> Iterator[SharedResources]:
    """What ``steps`` need of the job's resources, initialised once for all of them and taken down at the end.

    One that cannot be initialised fails the tries of the steps that need it, and no others.
    """
    with _up(_ResourceLife(attempt, steps, None)) as life:
        life.open()
        yield SharedResources(life)


@contextmanager
def step_resources(attempt: Attempt, step: Step) -> Iterator[Mapping[str, Any]]:
    """What one step needs, initialised for it alone.

    Raises:
        ResourcesNotReady: one cannot be initialised.
    """
    with _up(_ResourceLife(attempt, [step], step.key)) as life:
        life.open()
        yield life.values_for(step)


class SharedResources:
    """The resources of a run whose steps are done one after the other in its own process."""

    def __init__(self, life: _ResourceLife) -> None:
        self._life = life

    @contextmanager
    def for_try(self, step: Step, retry_number: int) -> Iterator[Mapping[str, Any]]:
        """By name, for one try of a step. A later try initialises again what has failed.

        Raises:
            ResourcesNotReady: one that the step needs is not initialised.
        """
        if retry_number:
            self._life.open_failed(step)
        yield self._life.values_for(step)


@contextmanager
def _up(life: _ResourceLife) -> Iterator[_ResourceLife]:
    try:
        try:
            yield life
        finally:
            life.close()
    finally:
        # A cancellation may have struck while the first call took resources down; it strikes once only.
        life.close()


class _ResourceLife:
    """``step_key``: the step that events and lines are of; None: the run."""

    def __init__(self, attempt: Attempt, steps: Iterable[Step], step_key: str | None) -> None:
        self._emitter, self._key, self._job = attempt.emitter, step_key, attempt.job
        self._lines = attempt.emitter.line_taker(step_key)
        self._definitions = attempt.job.needed_resources(steps)
        self._failed: dict[str, BaseException] = {}
        self._scope = ResourceScope(
            self._definitions,
            attempt.config.get("resources", {}),
            log=line_logger(attempt.job.name, self._lines),
            run=attempt.run,
            instance=attempt.instance,
        )

    def open(self) -> None:
        self._open(self._definitions)

    def open_failed(self, step: Step) -> None:
        """Initialise again what the step needs and what could not be initialised before."""
        self._open([name for name in self._job.needed_resources([step]) if name in self._failed])

    def values_for(self, step: Step) -> Mapping[str, Any]:
        """Raises ResourcesNotReady when a resource that the step needs could not be initialised."""
        for name in self._job.needed_resources([step]):
            if name in self._failed:
                error = self._failed[name]
                raise ResourcesNotReady(error) from error
        return self._scope.values

    def close(self) -> None:
        with lines_go_to(self._lines):
            self._scope.close(self._teardown_failed)

    def _open(self, names: Collection[str]) -> None:
        if not names:
            return
        self._emit(EventType.RESOURCE_INIT_STARTED, f"Initialising resources {listing(names)}.")
        with lines_go_to(self._lines):
            failed = self._scope.open_each(names, self._init_failed)
        self._failed = {name: error for name, error in self._failed.items() if name not in names} | failed
        ready = [name for name in names if name not in failed]
        if ready:
            self._emit(EventType.RESOURCE_INIT_SUCCESS, f"Resources {listing(ready)} are ready.")

    def _init_failed(self, name: str, error: BaseException) -> None:
        told = f"Initialising resource '{name}' failed: {error_info(error).sentence}"
        self._emit(EventType.RESOURCE_INIT_FAILURE, told, level="ERROR", data=error_data(error), wait=True)

    def _teardown_failed(self, name: str, error: BaseException) -> None:
        """The work is done whether or not cleaning up fails: said in the log, no reason to fail the run."""
        told = f"Taking down the resource '{name}' failed: {error_line(error)}"
        self._emit(EventType.ENGINE_EVENT, told, level="ERROR", data=error_data(error))

    def _emit(self, kind: EventType, message: str, **more: Any) -> None:
        self._emitter.emit(kind, message, step_key=self._key, **more)
