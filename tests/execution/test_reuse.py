"""Runs that do only some of a job's steps: those left of an earlier attempt, or those that were selected."""

from __future__ import annotations

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.run import RunStatus
from runyard.core.step import steps_done

from .fake_host import FakeHost, PickledValues, Sink, run_with

CALLS: list[str] = []


@pytest.fixture(autouse=True)
def _no_calls():
    CALLS.clear()


@dg.op
def fetch(context) -> int:
    CALLS.append(context.step_key)
    return 3


@dg.op
def add(context, x: int) -> int:
    CALLS.append(context.step_key)
    return x + 1


@dg.op
def fail_once(context, x: int) -> int:
    CALLS.append(context.step_key)
    if CALLS.count(context.step_key) == 1:
        raise OSError("once")
    return x * 10


class Loud(dg.ConfigurableResource):
    def setup_for_execution(self, context):
        CALLS.append("up")


def pipeline(executor):
    @dg.job(executor_def=executor)
    def three():
        add.alias("last")(fail_once(add.alias("middle")(fetch())))

    return three


@pytest.fixture(params=[dg.in_process_executor, dg.multiprocess_executor], ids=["in_process", "multiprocess"])
def executor(request):
    return request.param


@pytest.fixture
def host():
    return FakeHost(ManualClock())


def test_what_succeeded_is_not_done_again(host, executor):
    job, values, before = pipeline(executor), PickledValues(), Sink()
    assert run_with(job, host, sink=before, values=values).status is RunStatus.FAILURE
    done = steps_done(before.events)
    assert done == {"fetch": ("result",), "middle": ("result",)}
    CALLS[:] = ["fail_once"]
    sink = Sink()
    end = run_with(job, host, sink=sink, values=values, done=done, tags={"dagster/parent_run_id": "p1"})
    assert end.status is RunStatus.SUCCESS
    assert CALLS[1:] == ["fail_once", "last"]
    assert values.get("r1", "last", "result") == 41
    reused = sink.events[0]
    assert reused.type.value == "ENGINE_EVENT"
    assert reused.data == {"reused_steps": {"fetch": ["result"], "middle": ["result"]}, "parent_run_id": "p1"}
    assert reused.message == "The outputs of 2 steps that succeeded before are used again: fetch, middle."
    # A further retry reads it all from this run alone.
    assert set(steps_done(sink.events)) == {"fetch", "middle", "fail_once", "last"}


def test_only_the_selected_steps_are_done(host, executor):
    values = PickledValues()
    values.put("r1", "middle", "result", 5)
    CALLS[:] = ["fail_once"]
    sink = Sink()
    end = run_with(pipeline(executor), host, sink=sink, values=values, done={"middle": ("result",)}, only=["fail_once"])
    assert end.status is RunStatus.SUCCESS
    assert CALLS[1:] == ["fail_once"]
    assert {event.step_key for event in sink.events} == {None, "fail_once"}


def test_a_selected_step_that_takes_what_nobody_gives_is_refused(host, executor):
    end = run_with(pipeline(executor), host, only=["last"])
    assert (end.status, end.failure.error_class) == (RunStatus.FAILURE, "SelectionImpossible")
    assert end.failure.message == (
        "Step 'last' takes output 'result' of step 'fail_once', which is not selected and has left nothing to use. "
        "Select it too."
    )


def test_a_selected_step_that_is_not_there_is_refused(host, executor):
    end = run_with(pipeline(executor), host, only=["lost"])
    assert end.failure.message == "Job 'three' has no step 'lost'. Did you mean 'last'?"


def test_a_value_that_is_gone_fails_the_step_that_takes_it(host, executor):
    end = run_with(pipeline(executor), host, done={"fetch": ("result",)})
    assert (end.failure.error_class, end.failure.step_key, end.failure.by_step) == ("ValueMissing", "middle", False)
    assert end.failure.message == "Output 'result' of step 'fetch' is needed, but it is not kept."


def test_with_everything_done_nothing_is_opened_or_called(host, executor):
    @dg.op
    def uses(loud: Loud):
        CALLS.append("use")

    @dg.job(executor_def=executor, resource_defs={"loud": Loud()})
    def single():
        uses()

    assert run_with(single, host, done={"uses": (), "of old code": ()}).status is RunStatus.SUCCESS
    assert CALLS == []


def test_an_output_that_was_not_stored_means_that_its_step_is_done_again(host):
    @dg.op
    def closure():
        return lambda: 5

    @dg.job(executor_def=dg.in_process_executor)
    def single():
        closure()

    sink = Sink()
    run_with(single, host, sink=sink)
    assert steps_done(sink.events) == {}
