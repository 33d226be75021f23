"""The resources of a run, or of one step, going up and down with their events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..core.error_info import error_line, message_of
from ..core.errors import RunyardError
from ..core.events import EventType
from ..core.text import listing
from ..definitions.steps import Step
from .attempt import Attempt
from .emitter import error_data
from .errors import RunCancelled
from .log import line_logger, lines_go_to
from .resources import ResourceScope


class ResourcesNotReady(RunyardError):
    """A resource could not be initialised; its own error is the ``cause``."""

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause
        super().__init__(f"Resources could not be initialised: {message_of(cause)}")


@contextmanager
def resources_for(attempt: Attempt, steps: Iterable[Step], step_key: str | None = None) -> Iterator[Mapping[str, Any]]:
    """What ``steps`` need of the job's resources, by name, taken down at the end.

    Parameters:
        step_key: the step that events and lines are of; None: the run.

    Raises:
        ResourcesNotReady: one cannot be initialised.
    """
    life = _ResourceLife(attempt, steps, step_key)
    try:
        try:
            yield life.open()
        finally:
            life.close()
    finally:
        # A cancellation may have struck while the first call took resources down; it strikes once only.
        life.close()


class _ResourceLife:
    def __init__(self, attempt: Attempt, steps: Iterable[Step], step_key: str | None) -> None:
        self._emitter, self._key = attempt.emitter, step_key
        self._lines = attempt.emitter.line_taker(step_key)
        self._definitions = attempt.job.needed_resources(steps)
        self._scope = ResourceScope(
            self._definitions,
            attempt.config.get("resources", {}),
            log=line_logger(attempt.job.name, self._lines),
            run=attempt.run,
            instance=attempt.instance,
        )

    def open(self) -> Mapping[str, Any]:
        if not self._definitions:
            return {}
        names = listing(self._definitions)
        self._emit(EventType.RESOURCE_INIT_STARTED, f"Initialising resources {names}.")
        try:
            with lines_go_to(self._lines):
                values = self._scope.open()
        except RunCancelled:
            raise
        except BaseException as error:
            told, data = f"Initialising resources {names} failed.", error_data(error)
            self._emit(EventType.RESOURCE_INIT_FAILURE, told, level="ERROR", data=data, wait=True)
            raise ResourcesNotReady(error) from error
        self._emit(EventType.RESOURCE_INIT_SUCCESS, f"Resources {names} are ready.")
        return values

    def close(self) -> None:
        with lines_go_to(self._lines):
            self._scope.close(self._teardown_failed)

    def _teardown_failed(self, name: str, error: BaseException) -> None:
        """The work is done whether or not cleaning up fails: said in the log, no reason to fail the run."""
        told = f"Taking down the resource '{name}' failed: {error_line(error)}"
        self._emit(EventType.ENGINE_EVENT, told, level="ERROR", data=error_data(error))

    def _emit(self, kind: EventType, message: str, **more: Any) -> None:
        self._emitter.emit(kind, message, step_key=self._key, **more)
