"""A cancel decides before a retry: a try that fails because of it, or after it, announces no other."""

from __future__ import annotations

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.run import RunStatus
from runyard.core.step import StepOrder, StepStatus
from runyard.execution.errors import RunCancelled
from runyard.execution.step import execute_step

from .fake_host import FakeHost, PickledValues, Sink, run_with


class Cancel:
    """As a worker's: it has come, whatever user code does with what it raises."""

    def __init__(self) -> None:
        self.has_come = False

    def come(self) -> None:
        self.has_come = True
        raise RunCancelled

    def __call__(self) -> bool:
        return self.has_come


def stubborn(how: str, cancel: Cancel):
    @dg.op(retry_policy=dg.RetryPolicy(max_retries=5, delay=60))
    def subject():
        try:
            cancel.come()
        except RunCancelled:
            if how == "asks for another try":
                raise dg.RetryRequested(max_retries=5) from None
            raise ValueError("the clean-up failed") from None

    return subject


WAYS = ["asks for another try", "fails in its clean-up"]


@pytest.fixture
def host() -> FakeHost:
    return FakeHost(ManualClock())


@pytest.mark.parametrize("how", WAYS)
def test_in_the_runs_own_process(host: FakeHost, how: str) -> None:
    cancel, sink = Cancel(), Sink()
    subject = stubborn(how, cancel)

    @dg.job(executor_def=dg.in_process_executor)
    def job():
        subject()

    end = run_with(job, host, sink=sink, canceled=cancel)
    assert end.status is RunStatus.CANCELED
    assert sink.told("subject") == ["STEP_START", "STEP_FAILURE"]


@pytest.mark.parametrize("how", WAYS)
def test_in_a_process_of_its_own(how: str) -> None:
    cancel, sink = Cancel(), Sink()
    subject = stubborn(how, cancel)

    @dg.job
    def job():
        subject()

    end = execute_step(
        job,
        StepOrder(step_key="subject", number=1),
        run_id="r",
        attempt=1,
        run_config={},
        tags={},
        sink=sink,
        clock=ManualClock(),
        values=PickledValues(),
        canceled=cancel,
    )
    assert (end.status, end.retry_after) == (StepStatus.CANCELED, None)
    assert sink.told("subject") == ["STEP_START", "STEP_FAILURE"]


def test_a_process_that_dies_after_the_cancel_is_not_tried_again(host: FakeHost) -> None:
    @dg.op(retry_policy=dg.RetryPolicy(max_retries=5, delay=60))
    def subject():
        pytest.fail("called")

    @dg.job(executor_def=dg.multiprocess_executor)
    def job():
        subject()

    sink = Sink()
    host.deaths = frozenset({1})
    end = run_with(job, host, sink=sink, canceled=lambda: True)
    assert end.status is RunStatus.CANCELED
    assert sink.told("subject") == ["STEP_WORKER_STARTING", "STEP_FAILURE"]


def test_without_a_cancel_it_is_tried_again(host: FakeHost) -> None:
    @dg.op(retry_policy=dg.RetryPolicy(max_retries=1, delay=60))
    def subject():
        raise ValueError("broken")

    @dg.job(executor_def=dg.in_process_executor)
    def job():
        subject()

    sink = Sink()
    assert run_with(job, host, sink=sink, canceled=lambda: False).status is RunStatus.FAILURE
    assert sink.told("subject") == ["STEP_START", "STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_FAILURE"]
