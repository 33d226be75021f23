"""execute_step: one try of one step, as its own process does it."""

from __future__ import annotations

import logging

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.step import StepOrder, StepStatus, first_seq
from runyard.execution.errors import RunCancelled
from runyard.execution.step import execute_step

from .fake_host import PickledValues, Sink

TRACE: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_trace():
    TRACE.clear()


class Tracked(dg.ConfigurableResource):
    name: str

    def setup_for_execution(self, context):
        TRACE.append(f"up {self.name}")

    def teardown_after_execution(self, context):
        TRACE.append(f"down {self.name}")


class Broken(dg.ConfigurableResource):
    def setup_for_execution(self, context):
        raise ConnectionError("no database")


def step(job, key, sink=None, values=None, **order):
    return execute_step(
        job,
        StepOrder(step_key=key, number=order.pop("number", 4), **order),
        run_id="r1",
        attempt=1,
        run_config=None,
        tags={"dagster/code_location": "here"},
        sink=sink or Sink(),
        clock=ManualClock(),
        values=values or PickledValues(),
    )


def of(function, **options):
    op = dg.op(name="subject", **options)(function)
    other = dg.op(name="other")(lambda: 1)

    @dg.job(resource_defs={"mine": Tracked(name="mine"), "theirs": Tracked(name="theirs"), "broken": Broken()})
    def two():
        op()
        other()

    return two


def test_only_the_resources_of_the_step_are_up_and_down_again_before_its_end_is_told():
    def uses(context):
        TRACE.append(f"use {context.location_name} {context.retry_number}")

    class Watching(Sink):
        def emit(self, event, *, wait=False):
            super().emit(event, wait=wait)
            TRACE.append(event.type.value)

    sink = Watching()
    end = step(of(uses, required_resource_keys={"mine"}), "subject", sink, retry_number=2)
    assert (end.status, end.outputs, end.number) == (StepStatus.SUCCESS, ("result",), 4)
    assert TRACE == [
        "STEP_RESTARTED",
        "RESOURCE_INIT_STARTED",
        "up mine",
        "RESOURCE_INIT_SUCCESS",
        "use here 2",
        "STEP_OUTPUT",
        "down mine",
        "STEP_SUCCESS",
    ]
    assert {event.step_key for event in sink.events} == {"subject"}
    assert sink.events[0].seq == first_seq(4) + 1
    assert [event.type.value for event in sink.waited] == ["STEP_RESTARTED", "STEP_SUCCESS"]


def test_user_code_is_not_called_before_the_start_is_committed():
    class Refusing(Sink):
        def emit(self, event, *, wait=False):
            super().emit(event, wait=wait)
            if event.type.value == "STEP_START":
                assert wait
                raise RunCancelled

    def never():
        pytest.fail("called")

    sink = Refusing()
    assert step(of(never), "subject", sink).status is StepStatus.CANCELED
    assert sink.told("subject") == ["STEP_START", "STEP_FAILURE"]


def test_a_resource_that_cannot_start_is_a_failed_try():
    def needs(broken: Broken):
        pytest.fail("called")

    sink = Sink()
    end = step(of(needs), "subject", sink)
    assert (end.status, end.failure.error_class, end.failure.by_step) == (StepStatus.FAILURE, "ConnectionError", False)
    policy = dg.RetryPolicy(max_retries=1, delay=3)
    again = step(of(needs, retry_policy=policy), "subject")
    assert (again.status, again.retry_after) == (StepStatus.UP_FOR_RETRY, 3)


def test_a_cancellation_cleans_up_and_is_told():
    def canceled(mine: Tracked):
        try:
            raise RunCancelled
        finally:
            TRACE.append("cleaned")

    sink = Sink()
    end = step(of(canceled, retry_policy=dg.RetryPolicy(max_retries=5)), "subject", sink)
    assert (end.status, end.failure.error_class, end.failure.by_step) == (StepStatus.CANCELED, "RunCancelled", False)
    assert TRACE == ["up mine", "cleaned", "down mine"]
    assert sink.told("subject")[-1] == "STEP_FAILURE"


def test_a_cancellation_after_the_last_event_changes_nothing():
    class Late(Sink):
        def emit(self, event, *, wait=False):
            super().emit(event, wait=wait)
            if event.type.value == "STEP_SUCCESS":
                raise RunCancelled

    sink = Late()
    assert step(of(lambda: 1), "subject", sink).status is StepStatus.SUCCESS
    assert sink.told("subject")[-1] == "STEP_SUCCESS"


def test_a_step_that_the_code_does_not_have_any_more_fails():
    sink = Sink()
    end = step(of(lambda: 1), "subjekt", sink)
    assert (end.status, end.failure.message) == (
        StepStatus.FAILURE,
        "No step named 'subjekt'. Did you mean 'subject'?",
    )
    assert sink.told("subjekt") == ["STEP_FAILURE"]


def test_loggers_without_a_context_speak_for_the_step():
    def talks(context):
        context.log.info("from the context")
        dg.get_dagster_logger().warning("from a library")

    sink = Sink()
    step(of(talks), "subject", sink)
    lines = [(event.level, event.message, event.step_key) for event in sink.of("LOG")]
    assert lines == [("INFO", "from the context", "subject"), ("WARNING", "from a library", "subject")]
    assert logging.getLogger("runyard.user").handlers


def test_types_are_checked_as_in_the_runs_own_process():
    def wrong() -> int:
        return "x"  # type: ignore[return-value]  # the point of the test

    end = step(of(wrong), "subject")
    assert end.failure.message == "Step 'subject', output 'result': expected int, got 'x' (str)."
    assert end.failure.by_step


def test_inputs_of_the_job_and_of_its_config_reach_a_step():
    @dg.op
    def show(mine: int, written: str) -> str:
        return f"{mine} {written}"

    @dg.graph
    def shown(mine):
        show(mine)

    job = shown.to_job(name="inputs", input_values={"mine": 5}, config={"ops": {"show": {"inputs": {"written": "w"}}}})
    values = PickledValues()
    assert step(job, "show", values=values).status is StepStatus.SUCCESS
    assert values.get("r1", "show", "result") == "5 w"


@pytest.mark.parametrize("how", ["another value", "a wrong type", "a name twice"])
def test_a_generator_that_is_left_before_its_end_cleans_up_in_its_step(how):
    sink = Sink()

    def yields(mine: Tracked):
        try:
            if how == "another value":
                yield 5
            yield dg.Output("text" if how == "a wrong type" else 1)
            yield dg.Output(2)
        finally:
            TRACE.append("cleaned")

    end = step(of(yields, out=dg.Out(int)), "subject", sink)
    assert end.status is StepStatus.FAILURE
    assert TRACE == ["up mine", "cleaned", "down mine"]
    assert sink.told("subject")[-1] == "STEP_FAILURE"
