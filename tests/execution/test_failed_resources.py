"""A resource that cannot be initialised fails the tries of the steps that need it, whichever executor does them."""

from __future__ import annotations

from typing import Any

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.run import RunStatus

from .fake_host import FakeHost, Sink, run_with

EXECUTORS = [dg.in_process_executor, dg.multiprocess_executor]
CALLS: list[str] = []


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    CALLS.clear()


@pytest.fixture
def host() -> FakeHost:
    return FakeHost(ManualClock())


def late(failures: int) -> dg.ResourceDefinition:
    """A resource that can be initialised after so many failures."""
    left = [failures]

    @dg.resource
    def database(_context: Any) -> Any:
        CALLS.append("init")
        if left[0]:
            left[0] -= 1
            raise ConnectionError("not yet.")
        yield "connection"
        CALLS.append("close")

    return database


@dg.op(required_resource_keys={"database"}, retry_policy=dg.RetryPolicy(max_retries=2))
def patient(context: Any) -> None:
    assert context.resources.database == "connection"


@dg.op(required_resource_keys={"database"})
def hasty(context: Any) -> None:
    assert context.resources.database == "connection"


@dg.op
def apart() -> None:
    pass


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_retry_policy_of_the_step_covers_it(host: FakeHost, executor: Any) -> None:
    @dg.job(resource_defs={"database": late(2)}, executor_def=executor)
    def job():
        patient()
        apart()

    sink = Sink()
    assert run_with(job, host, sink=sink).status is RunStatus.SUCCESS
    tries = [told for told in sink.told("patient") if told in ("STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_SUCCESS")]
    assert tries == ["STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_UP_FOR_RETRY", "STEP_RESTARTED", "STEP_SUCCESS"]
    assert CALLS == ["init", "init", "init", "close"]
    again = sink.of("STEP_UP_FOR_RETRY")[0]
    assert again.message == "Step 'patient' failed: ConnectionError: not yet. It is tried again in 0 s (retry 1)."


@pytest.mark.parametrize("executor", EXECUTORS)
def test_without_a_policy_its_steps_fail_and_the_others_are_done(host: FakeHost, executor: Any) -> None:
    @dg.job(resource_defs={"database": late(9)}, executor_def=executor)
    def job():
        hasty()
        apart()

    sink = Sink()
    end = run_with(job, host, sink=sink)
    assert (end.status, end.failure.error_class) == (RunStatus.FAILURE, "ConnectionError")
    assert (end.failure.step_key, end.failure.by_step) == ("hasty", False)
    assert sink.told("apart")[-1] == "STEP_SUCCESS"
    assert len(sink.of("RESOURCE_INIT_FAILURE")) == len(CALLS) == 1


@pytest.mark.parametrize("executor", EXECUTORS)
def test_one_that_needs_a_failed_one_has_its_error_and_is_ready_with_it(host: FakeHost, executor: Any) -> None:
    @dg.resource(required_resource_keys={"database"})
    def client(context: Any) -> str:
        return f"over {context.resources.database}"

    @dg.op(required_resource_keys={"client"}, retry_policy=dg.RetryPolicy(max_retries=1))
    def asks(context: Any) -> None:
        assert context.resources.client == "over connection"

    @dg.job(resource_defs={"database": late(1), "client": client}, executor_def=executor)
    def job():
        asks()
        apart()

    sink = Sink()
    assert run_with(job, host, sink=sink).status is RunStatus.SUCCESS
    assert [event.message for event in sink.of("RESOURCE_INIT_FAILURE")] == [
        "Initialising resource 'database' failed: ConnectionError: not yet."
    ]


def test_what_one_step_has_initialised_again_is_there_for_the_next(host: FakeHost) -> None:
    @dg.job(resource_defs={"database": late(1)}, executor_def=dg.in_process_executor)
    def job():
        patient.alias("first")()
        patient.alias("second")()

    assert run_with(job, host).status is RunStatus.SUCCESS
    assert CALLS == ["init", "init", "close"]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_one_that_cannot_be_taken_down_fails_nothing(host: FakeHost, executor: Any) -> None:
    @dg.resource
    def sticky(_context: Any) -> Any:
        yield "sticky"
        raise OSError("will not close")

    @dg.op(required_resource_keys={"sticky"}, retry_policy=dg.RetryPolicy(max_retries=1))
    def uses(context: Any) -> None:
        pass

    @dg.job(resource_defs={"sticky": sticky}, executor_def=executor)
    def job():
        uses()
        apart()

    sink = Sink()
    assert run_with(job, host, sink=sink).status is RunStatus.SUCCESS
    [told] = [event for event in sink.of("ENGINE_EVENT") if event.level == "ERROR"]
    assert told.message == "Taking down the resource 'sticky' failed: OSError: will not close"
    assert sink.of("STEP_UP_FOR_RETRY") == []


def test_execute_in_process_raises_the_resources_own_error() -> None:
    @dg.job(resource_defs={"database": late(9)})
    def job():
        hasty()

    with pytest.raises(ConnectionError, match="not yet"):
        job.execute_in_process()
