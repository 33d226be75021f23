"""The multiprocess executor, with a host that has no processes: what is ordered when, and what becomes of it."""

from __future__ import annotations

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.run import RunStatus
from runyard.core.step import SEQ_SPACE, StepEnd, StepStatus
from runyard.execution.errors import RunCancelled
from runyard.execution.executors.choice import PATIENCE

from .fake_host import FakeHost, PickledValues, Sink, run_with


@dg.op
def one() -> int:
    return 1


@dg.op
def boom() -> int:
    raise ValueError("it broke")


@dg.op
def pass_on(x):
    return x


@dg.op(out={"yes": dg.Out(is_required=False), "no": dg.Out(is_required=False)})
def choose():
    yield dg.Output(1, "yes")


def fan(count, op=one, **options):
    @dg.job(**options)
    def wide():
        for i in range(count):
            op.alias(f"s{i}")()

    return wide


def limited(**config):
    return {"executor_def": dg.multiprocess_executor.configured(config)}


@pytest.fixture
def host():
    return FakeHost(ManualClock(1000.0))


def keys(host):
    return [order.step_key for order in host.orders]


def test_values_go_from_process_to_process_by_the_store(host):
    @dg.job
    def chain():
        pass_on(one())

    sink, values = Sink(), PickledValues()
    assert run_with(chain, host, sink=sink, values=values).status is RunStatus.SUCCESS
    assert values.get("r1", "pass_on", "result") == 1
    assert [(order.number, order.outputs) for order in host.orders] == [(1, ()), (2, (("one", "result"),))]
    assert sink.told("one") == ["STEP_WORKER_STARTING", "STEP_START", "STEP_OUTPUT", "STEP_SUCCESS"]
    starting, started, output, _ = [event for event in sink.events if event.step_key == "one"]
    assert starting.data == {"number": 1, "retry_number": 0}
    assert started.data["retry_number"] == 0
    assert started.data["pid"] > 0
    assert output.data["stored"] is True
    assert {"STEP_START", "STEP_SUCCESS"} <= {event.type.value for event in sink.waited}


def test_each_process_numbers_its_events_in_a_space_of_its_own(host):
    sink = Sink()
    run_with(fan(2), host, sink=sink)
    by_space = {}
    for event in sink.events:
        by_space.setdefault(event.seq // SEQ_SPACE, []).append(event.seq % SEQ_SPACE)
    assert {space: sorted(seqs) for space, seqs in by_space.items()} == {0: [1, 2], 1: [1, 2, 3], 2: [1, 2, 3]}


def test_no_more_run_at_once_than_the_executor_may_have(host):
    assert run_with(fan(7, **limited(max_concurrent=3)), host).status is RunStatus.SUCCESS
    assert host.most_running == 3


def test_run_config_says_how_many(host):
    config = {"execution": {"config": {"multiprocess": {"max_concurrent": 2}}}}
    run_with(fan(5), host, run_config=config)
    assert host.most_running == 2


def test_the_highest_priority_begins_first(host):
    @dg.job(**limited(max_concurrent=1))
    def ranked():
        one.alias("low").tag({"dagster/priority": -1})()
        one.alias("plain")()
        one.alias("high").tag({"dagster/priority": 5})()
        one.alias("bad").tag({"dagster/priority": "soon"})()

    run_with(ranked, host)
    assert keys(host) == ["high", "plain", "bad", "low"]


def test_a_priority_beyond_the_range_begins_first(host):
    @dg.job(**limited(max_concurrent=1))
    def ranked():
        one.alias("high").tag({"dagster/priority": 5})()
        one.alias("highest").tag({"dagster/priority": 2**40})()

    run_with(ranked, host)
    assert keys(host) == ["highest", "high"]


def test_tag_limits_of_the_executor(host):
    limits = [{"key": "database", "value": "redshift", "limit": 2}]
    tagged = one.tag({"database": "redshift"})
    job = fan(5, tagged, **limited(max_concurrent=9, tag_concurrency_limits=limits))
    assert run_with(job, host).status is RunStatus.SUCCESS
    assert host.most_running == 2


def test_a_failure_skips_what_needs_it_and_not_its_siblings(host):
    @dg.job
    def branches():
        pass_on.alias("after_after")(pass_on.alias("after")(boom()))
        pass_on.alias("sibling")(one())

    sink = Sink()
    end = run_with(branches, host, sink=sink)
    assert (end.status, end.message) == (RunStatus.FAILURE, "Step failed: boom.")
    assert (end.failure.error_class, end.failure.step_key, end.failure.by_step) == ("ValueError", "boom", True)
    ends = {key: kind for kind, key in sink.told()}
    assert (ends["after"], ends["after_after"], ends["sibling"]) == ("STEP_SKIPPED", "STEP_SKIPPED", "STEP_SUCCESS")


def test_an_output_that_is_left_out_skips_what_takes_it_and_leaves_a_list_shorter(host):
    @dg.op
    def gather(items: list) -> int:
        return len(items)

    @dg.job
    def chosen():
        yes, no = choose()
        pass_on.alias("left")(no)
        gather([pass_on.alias("right")(yes), no])

    sink, values = Sink(), PickledValues()
    assert run_with(chosen, host, sink=sink, values=values).status is RunStatus.SUCCESS
    assert sink.told("left") == ["STEP_SKIPPED"]
    assert values.get("r1", "gather", "result") == 1


# --- retries ---


def flaky(fails, error=OSError, **policy):
    seen = []

    @dg.op(retry_policy=dg.RetryPolicy(**policy) if policy else None)
    def subject(context) -> int:
        seen.append(context.retry_number)
        if len(seen) <= fails:
            raise error("not yet")
        return 7

    @dg.job
    def retried():
        pass_on(subject())
        one()

    return retried, seen


def test_a_retry_is_a_new_process_after_its_delay(host):
    job, seen = flaky(2, max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL)
    sink = Sink()
    assert run_with(job, host, sink=sink).status is RunStatus.SUCCESS
    assert seen == [0, 1, 2]
    assert host.clock.now() == 1000.0 + 10 + 30
    assert sink.told("subject") == [
        "STEP_WORKER_STARTING",
        "STEP_START",
        *["STEP_UP_FOR_RETRY", "STEP_WORKER_STARTING", "STEP_RESTARTED"] * 2,
        "STEP_OUTPUT",
        "STEP_SUCCESS",
    ]
    waits = [(event.data["seconds_to_wait"], event.data["retry_number"]) for event in sink.of("STEP_UP_FOR_RETRY")]
    assert waits == [(10, 1), (30, 2)]
    assert sink.of("STEP_UP_FOR_RETRY")[0].data["error"]["class_name"] == "OSError"
    assert [order.retry_number for order in host.orders if order.step_key == "subject"] == [0, 1, 2]


def test_jitter_stays_within_its_bounds(host):
    job, _ = flaky(1, max_retries=1, delay=10, jitter=dg.Jitter.FULL)
    run_with(job, host)
    assert 1000.0 <= host.clock.now() <= 1010.0


def test_retry_requested_and_failures_that_allow_none(host):
    @dg.op
    def asks():
        raise dg.RetryRequested(max_retries=2, seconds_to_wait=5) from ValueError("why")

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=5))
    def final():
        raise dg.Failure("no use", metadata={"code": 4}, allow_retries=False)

    @dg.job
    def both():
        asks()
        final()

    sink = Sink()
    end = run_with(both, host, sink=sink)
    assert keys(host).count("asks") == 3
    assert keys(host).count("final") == 1
    assert (end.failure.error_class, end.message) == ("ValueError", "Steps failed: asks, final.")
    assert sink.of("STEP_FAILURE")[0].data["metadata"] == {"code": {"kind": "int", "value": 4}}


@pytest.mark.parametrize("how", ["disabled", "deferred"])
def test_an_executor_without_retries_tries_once(host, how):
    job, seen = flaky(1, max_retries=3)
    config = {"execution": {"config": {"multiprocess": {"retries": {how: {}}}}}}
    assert run_with(job, host, run_config=config).status is RunStatus.FAILURE
    assert seen == [0]


def test_a_process_that_died_is_a_failed_try(host):
    host.deaths = frozenset({1})
    job, seen = flaky(0, max_retries=1, delay=2)
    sink = Sink()
    assert run_with(job, host, sink=sink).status is RunStatus.SUCCESS
    assert seen == [1], "the first try died before user code saw anything"
    again = sink.of("STEP_UP_FOR_RETRY")[0]
    assert again.data["error"]["class_name"] == "WorkerKilled"
    assert (again.data["seconds_to_wait"], again.data["retry_number"]) == (2, 1)


def test_a_process_that_died_without_a_retry_left_fails_its_step_with_the_hosts_words(host):
    host.deaths = frozenset({1})
    sink = Sink()
    end = run_with(fan(2), host, sink=sink)
    assert (end.failure.error_class, end.failure.step_key, end.failure.by_step) == ("WorkerKilled", "s0", False)
    assert sink.told("s0") == ["STEP_WORKER_STARTING", "STEP_FAILURE"]
    assert sink.of("STEP_FAILURE")[0].message == (
        "Step 's0' failed: WorkerKilled: The process of the step was killed by SIGKILL."
    )
    assert sink.told("s1")[-1] == "STEP_SUCCESS"


def test_a_process_that_died_is_not_tried_again_where_retries_are_off(host):
    host.deaths = frozenset({1})
    job, _ = flaky(0, max_retries=3)
    config = {"execution": {"config": {"multiprocess": {"retries": {"disabled": {}}}}}}
    assert run_with(job, host, run_config=config).failure.error_class == "WorkerKilled"
    assert keys(host).count("subject") == 1


def test_a_step_that_somebody_else_stopped_has_failed(host):
    sink = Sink()
    job = fan(2)
    host.limits = {}
    original = FakeHost.finish

    def finish(order):
        if order.number == 1:
            return StepEnd(step_key=order.step_key, number=1, status=StepStatus.CANCELED)
        return original(host, order)

    host.finish = finish
    end = run_with(job, host, sink=sink)
    assert (end.status, end.failure.step_key) == (RunStatus.FAILURE, "s0")


# --- what cannot be stored ---


@dg.op
def closure():
    return lambda: 5


def test_an_output_that_cannot_be_pickled_fails_its_step_when_another_takes_it(host):
    @dg.job
    def handed_on():
        pass_on(closure())

    end = run_with(handed_on, host)
    assert (end.failure.error_class, end.failure.step_key) == ("ValueNotStorable", "closure")
    assert end.failure.message.startswith("Output 'result' of step 'closure', a function, cannot be stored: ")


def test_an_output_that_cannot_be_pickled_is_fine_when_nobody_takes_it(host):
    @dg.op(ins={"after": dg.In(dg.Nothing)})
    def later():
        pass

    @dg.job
    def kept():
        later(after=closure())

    sink = Sink()
    assert run_with(kept, host, sink=sink).status is RunStatus.SUCCESS
    output = sink.of("STEP_OUTPUT")[0]
    assert output.data["stored"] is False
    assert "cannot be stored" in output.message


# --- pools ---


def pooled(count, *, pool="db", slots=1, **options):
    @dg.op(pool=pool, pool_slots=slots)
    def query():
        pass

    return fan(count, query, **options)


def test_steps_of_a_pool_hold_its_slots_while_they_run(host):
    host.limits = {"db": 2}
    assert run_with(pooled(5, **limited(max_concurrent=9)), host).status is RunStatus.SUCCESS
    assert host.most_running == 2
    assert (+host.used, host.waiting) == ({}, [])


def test_the_claim_says_the_priority_of_run_and_step_together(host):
    @dg.op(pool="db", pool_slots=2, tags={"dagster/priority": "3"})
    def query():
        pass

    run_with(fan(1, query), host, tags={"dagster/priority": "10"})
    assert host.asked == [("s0", "db", 2, 13)]
    run_with(fan(1, query), host, tags={"dagster/priority": str(2**31 - 1)})
    assert host.asked[-1][3] == 2**31 - 1


def test_a_full_pool_holds_up_nobody_and_its_line_is_joined_once(host):
    @dg.op(pool="db")
    def query():
        pass

    @dg.job(**limited(max_concurrent=1))
    def mixed():
        query()
        for i in range(3):
            one.alias(f"s{i}")()

    host.limits = {"db": 1}
    host.used["db"] = 1
    sink = Sink()
    original = host.next

    def next_(timeout):
        if timeout is None and not host.messages and not host.running:
            # Only the pool is left to wait for: whoever had the slot gives it back.
            host.used["db"] = 0
            host.serve()
        return original(timeout)

    host.next = next_
    assert run_with(mixed, host, sink=sink).status is RunStatus.SUCCESS
    assert keys(host) == ["s0", "s1", "s2", "query"]
    assert host.clock.now() < 1000.0 + 2 * PATIENCE, "its line was joined once, and nobody waited for it again"
    assert [key for key, *_ in host.asked] == ["query"]


def test_a_slot_that_is_free_comes_before_what_ranks_lower(host):
    @dg.op(pool="db", tags={"dagster/priority": "1"})
    def query():
        pass

    @dg.job(**limited(max_concurrent=1))
    def mixed():
        one()
        query()

    run_with(mixed, host)
    assert keys(host) == ["query", "one"]


def test_a_step_that_can_never_have_its_slots_fails(host):
    host.limits = {"db": 1}
    sink = Sink()
    end = run_with(pooled(2, slots=3), host, sink=sink)
    assert (end.failure.error_class, end.failure.message) == ("NeverAdmissible", "'db' has not so many.")
    assert sink.told() == [("STEP_FAILURE", "s0"), ("STEP_FAILURE", "s1")]


def test_a_step_that_was_refused_its_slots_does_not_wait_for_them(host):
    @dg.op(pool="db", pool_slots=3)
    def query():
        pass

    @dg.op(retry_policy=dg.RetryPolicy(delay=60))
    def flaky_one(context):
        if context.retry_number == 0:
            raise OSError

    @dg.job
    def mixed():
        query()
        flaky_one()

    host.limits = {"db": 1}
    sink = Sink()
    run_with(mixed, host, sink=sink)
    assert sink.of("ENGINE_EVENT") == []


def test_a_waiting_retry_holds_no_slot(host):
    held = []

    @dg.op(pool="db", retry_policy=dg.RetryPolicy(max_retries=1, delay=30))
    def query(context):
        if context.retry_number == 0:
            raise OSError

    @dg.op
    def look():
        held.append(dict(+host.used))

    @dg.job(**limited(max_concurrent=1))
    def mixed():
        query()
        look()

    host.limits = {"db": 1}
    assert run_with(mixed, host).status is RunStatus.SUCCESS
    assert keys(host) == ["query", "look", "query"]
    assert held == [{}]


def test_what_is_left_of_the_pools_after_a_failure(host):
    @dg.op(pool="in")
    def fetch() -> int:
        return 1

    @dg.op(pool="out", pool_slots=2)
    def load(x):
        raise ValueError(x)

    @dg.op(pool="after")
    def check(x):
        pass

    @dg.job
    def pipeline():
        check(load(fetch()))

    left = run_with(pipeline, host).pools_left
    assert (left.all, left.roots) == ({"out": 2, "after": 1}, {"out": 2})


# --- stopping ---


def test_a_cancellation_stops_every_step_and_waits_for_their_ends(host):
    job = fan(3, **limited(max_concurrent=2))
    host.interrupt = RunCancelled()
    host.deaths = frozenset({2})
    sink = Sink()
    end = run_with(job, host, sink=sink)
    assert (end.status, host.stopped, host.running) == (RunStatus.CANCELED, True, [])
    assert keys(host) == ["s0", "s1"]
    assert sink.told("s1") == ["STEP_WORKER_STARTING", "STEP_FAILURE"], "what died without a word is told of"


def test_a_cancellation_fails_steps_that_wait_for_their_retry(host):
    job, _ = flaky(1, max_retries=1, delay=60)
    original = host.next

    def next_(timeout):
        if timeout is not None:
            raise RunCancelled
        return original(timeout)

    host.next = next_
    sink = Sink()
    assert run_with(job, host, sink=sink).status is RunStatus.CANCELED
    assert sink.told("subject")[-2:] == ["STEP_UP_FOR_RETRY", "STEP_FAILURE"]


def test_a_cancellation_fails_a_step_that_asks_for_another_try_as_it_is_stopped(host):
    job, _ = flaky(1, max_retries=1, delay=60)
    host.interrupt = RunCancelled()
    sink = Sink()
    assert run_with(job, host, sink=sink).status is RunStatus.CANCELED
    assert sink.told("subject")[-2:] == ["STEP_UP_FOR_RETRY", "STEP_FAILURE"]


def test_a_cancellation_fails_steps_whose_retry_waits_for_slots(host):
    @dg.op(pool="db", retry_policy=dg.RetryPolicy(max_retries=1))
    def query():
        # Somebody else takes the slot before the retry asks for it.
        host.used["db"] += 1
        raise OSError

    @dg.job
    def waiting():
        query()

    original = host.next

    def next_(timeout):
        if host.waiting:
            raise RunCancelled
        return original(timeout)

    host.limits, host.next = {"db": 1}, next_
    sink = Sink()
    assert run_with(waiting, host, sink=sink).status is RunStatus.CANCELED
    assert sink.told("query")[-2:] == ["STEP_UP_FOR_RETRY", "STEP_FAILURE"]


# --- where there is nothing to keep apart ---


def test_a_single_step_is_done_in_the_runs_own_process(host):
    captured = []

    class Capture:
        def __init__(self, key):
            captured.append(key)

        def __enter__(self):
            pass

        def __exit__(self, *_):
            pass

    sink = Sink()
    assert run_with(fan(1), host, sink=sink, capture=Capture).status is RunStatus.SUCCESS
    assert (host.orders, captured) == ([], ["s0"])
    assert sink.of("STEP_OUTPUT")[0].data["stored"] is True


def test_a_single_step_with_a_retry_policy_has_its_own_process(host):
    run_with(fan(1, one.with_retry_policy(dg.RetryPolicy())), host)
    assert keys(host) == ["s0"]


def test_the_in_process_executor_starts_nothing(host):
    run_with(fan(3, executor_def=dg.in_process_executor), host)
    assert host.orders == []
