"""execute_run: the events, the end and the clean-up of one attempt."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.run import RunStatus
from runyard.execution.errors import RunCancelled

from .fake_host import Sink
from .run_of import run


@dg.op
def boom() -> int:
    raise ValueError("it broke")


@dg.op
def one() -> int:
    return 1


@dg.op
def pass_on(x):
    return x


def test_events_are_numbered_timed_and_waited_for_where_it_matters():
    @dg.op
    def talk(context) -> int:
        context.log.info("n is %d", 5)
        context.log_event(dg.AssetMaterialization("table", metadata={"rows": 3}))
        context.add_output_metadata({"path": "/x"})
        return 5

    @dg.job
    def plain():
        talk()

    sink = Sink()
    end = run(plain, sink)
    assert (end.status, end.failure) == (RunStatus.SUCCESS, None)
    assert sink.told() == [
        ("STEP_START", "talk"),
        ("ASSET_MATERIALIZATION", "talk"),
        ("STEP_OUTPUT", "talk"),
        ("STEP_SUCCESS", "talk"),
    ]
    assert [event.seq for event in sink.events] == [1, 2, 3, 4, 5]
    assert {event.attempt for event in sink.events} == {2}
    assert [event.type.value for event in sink.waited] == ["ASSET_MATERIALIZATION", "STEP_SUCCESS"]
    log, materialized, output = sink.events[1], sink.events[2], sink.events[3]
    assert (log.message, log.level, log.step_key) == ("n is 5", "INFO", "talk")
    assert materialized.data["metadata"] == {"rows": {"kind": "int", "value": 3}}
    assert output.data["metadata"] == {"path": {"kind": "text", "value": "/x"}}
    assert (output.data["output_name"], output.data["stored"]) == ("result", False)


def test_a_failure_skips_what_needs_it_and_nothing_else():
    @dg.job
    def branches():
        pass_on.alias("after_after")(pass_on.alias("after")(boom()))
        pass_on.alias("sibling")(one())

    sink = Sink()
    end = run(branches, sink)
    assert end.status is RunStatus.FAILURE
    assert (end.failure.error_class, end.failure.message, end.failure.step_key) == ("ValueError", "it broke", "boom")
    assert end.message == "Step failed: boom."
    told = {key: kind for kind, key in sink.told()}
    assert told == {
        "boom": "STEP_FAILURE",
        "after": "STEP_SKIPPED",
        "after_after": "STEP_SKIPPED",
        "one": "STEP_SUCCESS",
        "sibling": "STEP_SUCCESS",
    }


def test_the_error_shows_the_users_frames_and_its_cause():
    @dg.op
    def chained():
        try:
            {}["k"]
        except KeyError as error:
            raise RuntimeError("outer") from error

    @dg.job
    def broken():
        chained()

    sink = Sink()
    run(broken, sink)
    error = sink.events[-1].data["error"]
    assert (error["class_name"], error["message"]) == ("RuntimeError", "outer")
    assert len(error["stack"]) == 1
    assert "test_run.py" in error["stack"][0]
    assert error["library_frames"] > 0
    assert error["cause"]["class_name"] == "KeyError"


def test_an_optional_output_that_is_left_out_skips_what_needs_it():
    @dg.op(out={"yes": dg.Out(is_required=False), "no": dg.Out(is_required=False)})
    def choose():
        yield dg.Output(1, "yes")

    @dg.op
    def gather(items: list) -> int:
        return len(items)

    @dg.job
    def chosen():
        yes, no = choose()
        pass_on.alias("down")(pass_on.alias("left")(no))
        gather([pass_on.alias("right")(yes), no])

    sink = Sink()
    assert run(chosen, sink).status is RunStatus.SUCCESS
    ends = {key: kind for kind, key in sink.told()}
    assert ends["left"] == ends["down"] == "STEP_SKIPPED"
    assert ends["right"] == ends["gather"] == "STEP_SUCCESS"


def test_an_output_without_a_value_is_given_by_success_alone():
    @dg.op(out={"rows": dg.Out(int), "loaded": dg.Out(dg.Nothing)})
    def load():
        yield dg.Output(3, "rows")

    @dg.op(ins={"after": dg.In(dg.Nothing)})
    def check():
        return "checked"

    @dg.job
    def loading():
        _, loaded = load()
        check(after=loaded)

    result = loading.execute_in_process()
    assert result.output_for_node("load", "loaded") is None
    assert result.output_for_node("check") == "checked"


def test_sys_exit_fails_the_step():
    @dg.op
    def leave():
        sys.exit(3)

    @dg.job
    def leaving():
        leave()

    end = run(leaving)
    assert (end.failure.error_class, end.failure.message) == ("SystemExit", "sys.exit(3) was called")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (lambda: "x", "Step 'typed', output 'result': expected int, got 'x' (str)."),
        (lambda: None, "Step 'typed', output 'result': expected int, got None."),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(body, told):
    @dg.op
    def typed() -> int:
        return body()

    @dg.job
    def wrong():
        typed()

    end = run(wrong)
    assert (end.failure.error_class, end.failure.message) == ("WrongType", told)


def test_an_input_of_the_wrong_type_is_refused():
    @dg.op
    def takes(names: dict[str, list[int]]):
        return names

    @dg.op
    def gives():
        return {"a": [1, "2"]}

    @dg.job
    def wrong():
        takes(gives())

    assert run(wrong).failure.message.startswith("Step 'takes', input 'names': expected dict[str, list[int]], got")


def _job_of(function, **options):
    op = dg.op(name="subject", **options)(function)

    @dg.job
    def single():
        op()

    return single


def test_outputs_that_do_not_fit_the_definition_are_refused():
    def missing():
        yield dg.Output(1, "a")

    def unknown():
        yield dg.Output(1, "c")

    def twice():
        yield dg.Output(1, "a")
        yield dg.Output(1, "a")

    def bare():
        yield 5

    def short():
        return 1, 2, 3

    two = {"a": dg.Out(), "b": dg.Out()}
    assert "did not yield its required output b" in run(_job_of(missing, out=two)).failure.message
    assert "gave the output 'c', which it does not have; it has a, b" in run(_job_of(unknown, out=two)).failure.message
    assert "gave the output 'a' twice" in run(_job_of(twice, out=two)).failure.message
    assert "yielded 5 (int)" in run(_job_of(bare)).failure.message
    assert "has 2 outputs (a, b) and returned (1, 2, 3)" in run(_job_of(short, out=two)).failure.message


def test_async_ops():
    @dg.op
    async def fetch() -> int:
        await asyncio.sleep(0)
        return 4

    @dg.op(out={"a": dg.Out(), "b": dg.Out()})
    async def stream():
        yield dg.Output(1, "a")
        await asyncio.sleep(0)
        yield dg.Output(2, "b")

    @dg.job
    def waiting():
        fetch()
        stream()

    result = waiting.execute_in_process()
    assert result.output_for_node("fetch") == 4
    assert result.output_for_node("stream", "b") == 2


def test_retries_wait_by_the_clock_and_then_succeed():
    seen = []

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=3, delay=10, backoff=dg.Backoff.EXPONENTIAL))
    def flaky(context) -> str:
        seen.append(context.retry_number)
        if len(seen) < 4:
            raise OSError("not yet")
        return "done"

    @dg.job
    def retried():
        pass_on(flaky())

    sink, clock = Sink(), ManualClock(1000.0)
    assert run(retried, sink, clock).status is RunStatus.SUCCESS
    assert seen == [0, 1, 2, 3]
    assert clock.now() == 1000.0 + 10 + 30 + 70
    waits = [event.data["seconds_to_wait"] for event in sink.events if event.type.value == "STEP_UP_FOR_RETRY"]
    assert waits == [10, 30, 70]
    kinds = [kind for kind, key in sink.told() if key == "flaky"]
    assert kinds == ["STEP_START", *["STEP_UP_FOR_RETRY", "STEP_RESTARTED"] * 3, "STEP_OUTPUT", "STEP_SUCCESS"]


def test_a_cancellation_ends_the_wait_for_a_retry():
    class Interrupting(ManualClock):
        def wait(self, event, seconds):
            raise RunCancelled

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=1, delay=60))
    def flaky():
        raise ValueError

    @dg.job
    def waiting():
        flaky()

    sink = Sink()
    assert run(waiting, sink, Interrupting()).status is RunStatus.CANCELED
    assert [kind for kind, _ in sink.told()] == ["STEP_START", "STEP_UP_FOR_RETRY", "STEP_FAILURE"]


def test_retry_requested_and_failures_that_allow_none():
    tries = {"asks": 0, "final": 0}

    @dg.op
    def asks():
        tries["asks"] += 1
        raise dg.RetryRequested(max_retries=2, seconds_to_wait=5) from ValueError("why")

    @dg.op(retry_policy=dg.RetryPolicy(max_retries=5))
    def final():
        tries["final"] += 1
        raise dg.Failure("no use", metadata={"code": 4}, allow_retries=False)

    @dg.job
    def both():
        asks()
        final()

    sink, clock = Sink(), ManualClock(0.0)
    end = run(both, sink, clock)
    assert tries == {"asks": 3, "final": 1}
    assert clock.now() == 10
    assert end.message == "Steps failed: asks, final."
    assert (end.failure.error_class, end.failure.message) == ("ValueError", "why")
    failures = {event.step_key: event for event in sink.events if event.type.value == "STEP_FAILURE"}
    assert list(failures) == ["final", "asks"], "a step that waits for its retry holds up no other"
    assert failures["final"].data["metadata"] == {"code": {"kind": "int", "value": 4}}


def test_values_are_dropped_when_nobody_needs_them_any_more():
    class Big:
        alive = 0

        def __init__(self):
            Big.alive += 1

        def __del__(self):
            Big.alive -= 1

    @dg.op
    def make() -> Big:
        return Big()

    @dg.op
    def use(big) -> int:
        return Big.alive

    @dg.op
    def later(n: int):
        assert n == 1
        assert Big.alive == 0

    @dg.job
    def chain():
        later(use(make()))

    assert run(chain).status is RunStatus.SUCCESS


def test_loggers_without_a_context_speak_for_the_step_that_runs():
    logger = dg.get_dagster_logger("lib")

    def divide(n):
        return 1 / n

    @dg.op
    def quiet():
        logger.warning("from the library")
        try:
            divide(0)
        except ZeroDivisionError:
            logger.exception("caught")

    @dg.job
    def logging_job():
        quiet()

    sink = Sink()
    run(logging_job, sink)
    logs = [event for event in sink.events if event.type.value == "LOG"]
    assert [(log.level, log.message, log.step_key) for log in logs] == [
        ("WARNING", "from the library", "quiet"),
        ("ERROR", "caught", "quiet"),
    ]
    assert logs[1].data["error"]["class_name"] == "ZeroDivisionError"
    logger.warning("outside of a run")
    assert len([event for event in sink.events if event.type.value == "LOG"]) == 2


def test_an_op_priority_that_means_nothing_or_too_much_is_said_once_per_op():
    high = dg.op(name="high", tags={"dagster/priority": "high"})(lambda: None)
    half = dg.op(name="half", tags={"dagster/priority": "1.5"})(lambda: None)
    far = dg.op(name="far", tags={"dagster/priority": str(2**40)})(lambda: None)

    @dg.job
    def ranked():
        high()
        high.alias("again")()
        half()
        far()
        one.tag({"dagster/priority": "3"})()

    sink = Sink()
    assert run(ranked, sink).status is RunStatus.SUCCESS
    told = [event.message for event in sink.events if event.level == "WARNING"]
    write, counts = "write for example '5' or '-1'", "The step counts as priority"
    assert told == [
        f"Op 'high': Tag 'dagster/priority': 'high' is not a whole number; {write}. {counts} 0.",
        f"Op 'half': Tag 'dagster/priority': '1.5' is not a whole number; {write}. {counts} 0.",
        f"Op 'far': Tag 'dagster/priority': {2**40} is outside -2147483648 to 2147483647. {counts} 2147483647.",
    ]


def test_a_pooled_op_called_in_a_step_is_warned_of_once_per_call_site():
    inner = dg.op(name="inner", pool="db")(lambda: 1)
    free = dg.op(name="free")(lambda: 1)

    @dg.op
    def outer() -> int:
        total = free() + sum(inner() for _ in range(3))  # one call site
        with ThreadPoolExecutor(1) as threads:
            return total + threads.submit(lambda: inner()).result()  # another, in a thread  # noqa: PLW0108

    @dg.op(pool="db")
    def covered() -> int:
        return inner()

    @dg.job
    def nested():
        outer()
        covered()

    sink = Sink()
    assert run(nested, sink).status is RunStatus.SUCCESS
    first = outer.compute_fn.__code__.co_firstlineno
    told = [(event.step_key, event.message) for event in sink.events if event.level == "WARNING"]
    assert [key for key, _ in told] == ["outer", "outer"]
    for (_, message), line in zip(told, (first + 2, first + 4), strict=True):
        assert message.startswith(
            f"Op 'inner' is called as a function at test_run.py:{line} and takes no slot of its pool 'db'."
        )
    assert inner() == 1, "outside of a step nothing is said and nothing fails"
