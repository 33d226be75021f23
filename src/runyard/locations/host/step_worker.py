"""One step process as its host sees it, and what is known of it when it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ...core.events import Event, EventType
from ...core.launch import WorkerReport
from ...core.leftovers import Owner
from ...core.run import RunFailure
from ...core.step import StepEnd, StepOrder, StepStatus, first_seq
from ..messages import Ack
from .process_tree import ProcessTree
from .worker_process import WorkerProcess
from .zygote_process import ZygoteProcess

Key = tuple[str, int]


class StepWorker(WorkerProcess):
    """State of the loop's thread, except ``committed_up_to`` and ``rejected``, which the committer's sets."""

    def __init__(
        self, run: Key, order: StepOrder, pid: int, exit_fd: int, tree: ProcessTree, parent: ZygoteProcess | None = None
    ) -> None:
        super().__init__(pid, exit_fd, tree, parent)
        self.run, self.order = run, order
        #: Its last word.
        self.end: StepEnd | None = None
        #: Ids of the last report that came, and of the last that is committed.
        self.received = self.committed_up_to = 0

    @property
    def owner(self) -> Owner:
        return Owner(*self.run, self.order.step_key)

    @property
    def has_said_its_end(self) -> bool:
        return self.end is not None

    @property
    def all_committed(self) -> bool:
        return self.committed_up_to >= self.received

    def committed(self, last_id: int, report: WorkerReport, *, accepted: bool) -> None:  # noqa: ARG002 - a Reporter
        self.committed_up_to = last_id
        if not accepted:
            self.rejected = True
        self.send(Ack(id=last_id, accepted=accepted))


class Heard(NamedTuple):
    """What the run's events tell of a step process."""

    begun: bool
    end: StepEnd | None


def heard_of(events: Iterable[Event], order: StepOrder, attempt: int) -> Heard:
    """What a step process has told of itself; each numbers its events in a space of its own."""
    begun, end = False, None
    outputs: list[str] = []
    for event in events:
        mine = event.attempt == attempt and first_seq(order.number) < (event.seq or 0) <= first_seq(order.number + 1)
        if not mine or event.step_key != order.step_key:
            continue
        begun = True
        if event.type is EventType.STEP_OUTPUT:
            outputs.append(event.data["output_name"])
        end = _end_in(event, order, tuple(outputs)) or end
    return Heard(begun, end)


def _end_in(event: Event, order: StepOrder, outputs: tuple[str, ...]) -> StepEnd | None:
    if event.type is EventType.STEP_SUCCESS:
        return _end(order, StepStatus.SUCCESS, outputs=outputs)
    if event.type is EventType.STEP_FAILURE:
        return _end(order, StepStatus.FAILURE, failure=_failure_in(event))
    if event.type is EventType.STEP_UP_FOR_RETRY:
        wait = float(event.data.get("seconds_to_wait") or 0.0)
        return _end(order, StepStatus.UP_FOR_RETRY, failure=_failure_in(event), retry_after=wait)
    return None


def _failure_in(event: Event) -> RunFailure:
    error: dict[str, Any] = event.data.get("error") or {}
    said = (error.get("class_name", "StepFailed"), error.get("message", event.message))
    return RunFailure(*said, step_key=event.step_key, by_step=True)


def died(order: StepOrder, failure: RunFailure) -> StepEnd:
    return _end(order, StepStatus.DIED, failure=failure)


def death_of(worker: StepWorker) -> RunFailure:
    """Why a step process ended that has not said how its step ended."""
    kind, words = worker.death()
    before = " before it had said how the step ended" if kind == "WorkerExited" else ""
    message = f"The process of step '{worker.order.step_key}' (process {worker.pid}) {words}{before}."
    return RunFailure(kind, message, worker.order.step_key)


def _end(order: StepOrder, status: StepStatus, **fields: Any) -> StepEnd:
    return StepEnd(step_key=order.step_key, number=order.number, status=status, **fields)
