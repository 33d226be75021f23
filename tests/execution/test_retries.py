"""Retries of steps are the same whichever executor does them."""

from __future__ import annotations

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.run import RunStatus

from .fake_host import FakeHost, Sink, run_with


@pytest.fixture(params=[dg.in_process_executor, dg.multiprocess_executor], ids=["in_process", "multiprocess"])
def executor(request):
    return request.param


@pytest.fixture
def host():
    return FakeHost(ManualClock(0.0))


def failing(executor, policy, fails=99, error=OSError):
    seen = []

    @dg.op(retry_policy=policy)
    def subject(context):
        seen.append(context.retry_number)
        if len(seen) <= fails:
            raise error("not yet")

    @dg.job(executor_def=executor)
    def single():
        subject()

    return single, seen


def waits(sink):
    return [event.data["seconds_to_wait"] for event in sink.of("STEP_UP_FOR_RETRY")]


@pytest.mark.parametrize(
    ("backoff", "expected"),
    [(None, [4, 4, 4]), (dg.Backoff.LINEAR, [4, 8, 12]), (dg.Backoff.EXPONENTIAL, [4, 12, 28])],
)
def test_delays_grow_as_the_policy_says(host, executor, backoff, expected):
    job, seen = failing(executor, dg.RetryPolicy(max_retries=3, delay=4, backoff=backoff))
    sink = Sink()
    assert run_with(job, host, sink=sink).status is RunStatus.FAILURE
    assert waits(sink) == expected
    assert host.clock.now() == sum(expected)
    assert seen == [0, 1, 2, 3]


@pytest.mark.parametrize(("jitter", "least", "most"), [(dg.Jitter.FULL, 0, 10), (dg.Jitter.PLUS_MINUS, 0, 20)])
def test_jitter_spreads_them_within_bounds(host, executor, jitter, least, most):
    job, _ = failing(executor, dg.RetryPolicy(max_retries=20, delay=10, jitter=jitter))
    sink = Sink()
    run_with(job, host, sink=sink)
    assert len(set(waits(sink))) > 10
    assert all(least <= wait <= most for wait in waits(sink))
    assert host.clock.now() == pytest.approx(sum(waits(sink)))


def test_a_policy_without_a_delay_tries_again_at_once(host, executor):
    job, seen = failing(executor, dg.RetryPolicy(max_retries=2), fails=2)
    assert run_with(job, host).status is RunStatus.SUCCESS
    assert (seen, host.clock.now()) == ([0, 1, 2], 0.0)


def test_sys_exit_is_a_failed_try(host, executor):
    job, seen = failing(executor, dg.RetryPolicy(max_retries=1), fails=1, error=SystemExit)
    assert run_with(job, host).status is RunStatus.SUCCESS
    assert seen == [0, 1]


def test_what_a_failed_try_gave_is_not_what_the_step_gave(host, executor):
    @dg.op(out={"a": dg.Out(is_required=False), "b": dg.Out(is_required=False)}, retry_policy=dg.RetryPolicy())
    def either(context):
        if context.retry_number == 0:
            yield dg.Output(1, "a")
            raise OSError("after the first")
        yield dg.Output(2, "b")

    @dg.op
    def take(x):
        return x

    @dg.job(executor_def=executor)
    def chosen():
        a, b = either()
        take.alias("of_a")(a)
        take.alias("of_b")(b)

    sink = Sink()
    assert run_with(chosen, host, sink=sink).status is RunStatus.SUCCESS
    assert sink.told("of_a") == ["STEP_SKIPPED"]
    assert sink.told("of_b")[-1] == "STEP_SUCCESS"
