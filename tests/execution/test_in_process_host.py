"""The in-process executor of a run that has a host: slots of pools, and outputs kept for retries."""

from __future__ import annotations

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.run import RunStatus
from runyard.execution.errors import RunCancelled

from .fake_host import FakeHost, PickledValues, Sink, run_with

IN_PROCESS = {"executor_def": dg.in_process_executor}


@pytest.fixture
def host():
    return FakeHost(ManualClock(0.0))


class Broken(dg.ConfigurableResource):
    def setup_for_execution(self, context):
        raise ConnectionError("no database")


class Noted:
    """An op in a pool that notes what is held while it runs, and gives its slots back as its end does."""

    def __init__(self, host):
        self.host, self.held = host, []

    def op(self, name, pool, **options):
        @dg.op(name=name, pool=pool, **options)
        def noted():
            self.held.append((name, dict(+self.host.used)))
            self.host.free(name)

        return noted


def test_a_step_holds_its_own_slots_and_no_others(host):
    noted = Noted(host)

    @dg.job(**IN_PROCESS)
    def mixed():
        noted.op("a", "p")()
        noted.op("b", "q")()
        noted.op("c", None)()

    host.limits = {"p": 1, "q": 1}
    assert run_with(mixed, host).status is RunStatus.SUCCESS
    assert noted.held == [("a", {"p": 1}), ("b", {"q": 1}), ("c", {})]
    assert (+host.used, host.waiting, host.orders) == ({}, [], [])


def test_a_full_pool_holds_up_no_other_step(host):
    noted = Noted(host)

    @dg.job(**IN_PROCESS)
    def mixed():
        noted.op("a", "p")()
        noted.op("b", None)()
        noted.op("c", None)()

    host.limits, host.used["p"] = {"p": 1}, 1
    original = host.next

    def next_(timeout):
        if timeout is None:
            host.used["p"] = 0
            host.serve()
        return original(timeout)

    host.next = next_
    sink = Sink()
    assert run_with(mixed, host, sink=sink).status is RunStatus.SUCCESS
    assert [name for name, _ in noted.held] == ["b", "c", "a"]


def test_retries_hold_up_no_other_step_and_know_their_number(host):
    order = []

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=2, delay=5))
    def flaky(context):
        order.append(context.retry_number)
        if context.retry_number < 2:
            raise OSError

    @dg.op
    def other():
        order.append("other")

    @dg.job(**IN_PROCESS)
    def mixed():
        flaky()
        other()

    assert run_with(mixed, host).status is RunStatus.SUCCESS
    assert order == [0, "other", 1, 2]
    assert host.clock.now() == 10


def test_retries_can_be_turned_off(host):
    @dg.op(retry_policy=dg.RetryPolicy(max_retries=2))
    def flaky():
        raise dg.RetryRequested(max_retries=4)

    @dg.job(executor_def=dg.in_process_executor.configured({"retries": {"disabled": {}}}))
    def once():
        flaky()

    sink = Sink()
    assert run_with(once, host, sink=sink).status is RunStatus.FAILURE
    assert sink.told() == [("STEP_START", "flaky"), ("STEP_FAILURE", "flaky")]


def test_outputs_are_stored_and_those_that_cannot_be_stay_in_memory(host):
    @dg.op
    def closure():
        return lambda: 5

    @dg.op
    def call(function) -> int:
        return function()

    @dg.job(**IN_PROCESS)
    def handed_on():
        call(closure())

    sink, values = Sink(), PickledValues()
    assert run_with(handed_on, host, sink=sink, values=values).status is RunStatus.SUCCESS
    stored = {event.step_key: event.data["stored"] for event in sink.of("STEP_OUTPUT")}
    assert stored == {"closure": False, "call": True}
    assert values.get("r1", "call", "result") == 5


def test_a_failure_says_whose_it_is_and_what_is_left(host):
    @dg.op(pool="p")
    def boom():
        raise ValueError("it broke")

    @dg.job(**IN_PROCESS)
    def failing():
        boom()

    end = run_with(failing, host)
    assert (end.failure.step_key, end.failure.by_step) == ("boom", True)
    assert (end.pools_left.all, end.pools_left.roots) == ({"p": 1}, {"p": 1})


def test_a_resource_that_cannot_start_is_no_failure_of_a_step(host):
    @dg.op(pool="p")
    def needs(broken: Broken):
        pass

    @dg.job(resource_defs={"broken": Broken()}, **IN_PROCESS)
    def unlucky():
        needs()

    end = run_with(unlucky, host)
    assert (end.failure.error_class, end.failure.by_step) == ("ConnectionError", False)
    assert end.pools_left.all == {"p": 1}


def test_a_cancellation_while_waiting_for_slots(host):
    @dg.op(pool="p")
    def query():
        pass

    @dg.job(**IN_PROCESS)
    def waiting():
        query()

    host.limits = {"p": 1}
    host.used["p"] = 1
    host.interrupt = RunCancelled()
    assert run_with(waiting, host).status is RunStatus.CANCELED
