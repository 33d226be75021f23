"""execute_run: the events, the end and the clean-up of one attempt."""

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.events import Event
from runyard.core.run import RunStatus
from runyard.execution.errors import RunCancelled
from runyard.execution.run import execute_run


class Sink:
    """Remembers events and which of them were waited for."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.waited: list[Event] = []

    def emit(self, event: Event, *, wait: bool = False) -> None:
        self.events.append(event)
        if wait:
            self.waited.append(event)

    def told(self):
        return [(event.type.value, event.step_key) for event in self.events if event.type.value != "LOG"]


def run(job, sink=None, clock=None, **more):
    return execute_run(
        job,
        run_id="r1",
        attempt=2,
        run_config=more.pop("run_config", {}),
        tags=more.pop("tags", {"dagster/code_location": "here"}),
        sink=sink or Sink(),
        clock=clock or ManualClock(),
        **more,
    )


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


# --- resources ---


class Tracked(dg.ConfigurableResource):
    name: str

    def setup_for_execution(self, context):
        TRACE.append(f"up {self.name}")

    def teardown_after_execution(self, context):
        TRACE.append(f"down {self.name}")


class Outer(dg.ConfigurableResource):
    inner: Tracked
    label: str = "plain"

    def setup_for_execution(self, context):
        TRACE.append(f"up outer over {self.inner.name}")

    def teardown_after_execution(self, context):
        TRACE.append("down outer")


TRACE: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_trace():
    TRACE.clear()


@dg.op
def uses(outer: Outer) -> str:
    TRACE.append("use")
    return f"{outer.label} {outer.inner.name}"


def test_resources_go_up_in_order_and_down_in_reverse():
    @dg.job(resource_defs={"outer": Outer(inner=Tracked(name="deep"))})
    def nested():
        uses()

    sink = Sink()
    run(nested, sink)
    assert TRACE == ["up deep", "up outer over deep", "use", "down outer", "down deep"]
    assert sink.told()[:2] == [("RESOURCE_INIT_STARTED", None), ("RESOURCE_INIT_SUCCESS", None)]


def test_a_dependency_that_is_a_resource_of_the_run_is_shared():
    deep = Tracked(name="deep")

    @dg.op
    def uses_both(outer: Outer, tracked: Tracked):
        assert outer.inner is tracked

    @dg.job(resource_defs={"outer": Outer(inner=deep), "tracked": deep})
    def shared():
        uses_both()

    assert run(shared).status is RunStatus.SUCCESS
    assert TRACE.count("up deep") == 1


def test_resources_go_down_after_a_failure():
    @dg.op
    def fails(tracked: Tracked):
        raise ValueError

    @dg.job(resource_defs={"tracked": Tracked(name="t")})
    def failing():
        fails()

    assert run(failing).status is RunStatus.FAILURE
    assert TRACE == ["up t", "down t"]


def test_a_cancellation_ends_the_step_takes_resources_down_and_skips_nothing_silently():
    def terminated():
        raise RunCancelled

    @dg.op
    def canceled(tracked: Tracked):
        try:
            terminated()
        except Exception:  # noqa: BLE001 - that this does not catch it is the point
            pytest.fail("user code must not swallow a cancellation by `except Exception`")

    @dg.job(resource_defs={"tracked": Tracked(name="t")})
    def stopping():
        pass_on(canceled())

    sink = Sink()
    end = run(stopping, sink)
    assert (end.status, end.message) == (RunStatus.CANCELED, "The run was canceled.")
    assert TRACE == ["up t", "down t"]
    assert sink.told()[-1] == ("STEP_FAILURE", "canceled")
    assert sink.events[-1].data["error"]["class_name"] == "RunCancelled"


def test_a_cancellation_during_one_teardown_does_not_keep_the_others_up():
    class Interrupted(dg.ConfigurableResource):
        def teardown_after_execution(self, context):
            raise RunCancelled

    @dg.op
    def uses_two(tracked: Tracked, interrupted: Interrupted):
        pass

    @dg.job(resource_defs={"tracked": Tracked(name="t"), "interrupted": Interrupted()})
    def two():
        uses_two()

    assert run(two).status is RunStatus.SUCCESS
    assert TRACE == ["up t", "down t"]


def test_a_resource_that_cannot_start_fails_the_steps_that_need_it():
    class Broken(dg.ConfigurableResource):
        def setup_for_execution(self, context):
            raise ConnectionError("no database")

    @dg.op
    def needs(broken: Broken):
        TRACE.append("use")

    @dg.job(resource_defs={"broken": Broken()})
    def unlucky():
        needs()

    sink, errors = Sink(), []
    end = run(unlucky, sink, on_failure=errors.append)
    assert (end.status, end.failure.error_class) == (RunStatus.FAILURE, "ConnectionError")
    assert end.failure.step_key == "needs"
    assert sink.told() == [
        ("RESOURCE_INIT_STARTED", None),
        ("RESOURCE_INIT_FAILURE", None),
        ("STEP_START", "needs"),
        ("STEP_FAILURE", "needs"),
    ]
    assert TRACE == []
    assert [type(error) for error in errors] == [ConnectionError]


def test_a_teardown_that_fails_is_told_and_does_not_fail_the_run():
    class Sticky(dg.ConfigurableResource):
        def teardown_after_execution(self, context):
            raise OSError("will not close")

    @dg.op
    def needs(sticky: Sticky):
        pass

    @dg.job(resource_defs={"sticky": Sticky()})
    def done():
        needs()

    sink = Sink()
    assert run(done, sink).status is RunStatus.SUCCESS
    assert sink.told()[-1] == ("ENGINE_EVENT", None)
    assert "will not close" in sink.events[-1].message


def test_resources_from_run_config_and_the_environment(monkeypatch):
    class Database(dg.ConfigurableResource):
        url: str
        size: int = 5

    @dg.op
    def shows(database: Database) -> str:
        return f"{database.url} {database.size}"

    @dg.job(resource_defs={"database": Database(url=dg.EnvVar("DB_URL"))})
    def showing():
        shows()

    @dg.job(resource_defs={"database": Database.configure_at_launch()})
    def at_launch():
        shows()

    monkeypatch.setenv("DB_URL", "pg://x")
    assert showing.execute_in_process().output_for_node("shows") == "pg://x 5"
    bigger = {"resources": {"database": {"config": {"size": 9}}}}
    assert showing.execute_in_process(run_config=bigger).output_for_node("shows") == "pg://x 9"
    with pytest.raises(dg.DagsterInvalidConfigError, match=r"resources\.database\.config\.url: is required"):
        at_launch.execute_in_process()
    given = dg.RunConfig(resources={"database": Database(url="u", size=1)})
    assert at_launch.execute_in_process(run_config=given).output_for_node("shows") == "u 1"
    monkeypatch.delenv("DB_URL")
    end = run(showing)
    assert end.failure.message == "environment variable 'DB_URL' is not set"


def test_older_resources_and_plain_objects():
    @dg.resource(config_schema={"n": dg.Field(int, default_value=2)}, required_resource_keys={"base"})
    def scaled(context) -> Iterator[int]:
        TRACE.append("up")
        yield context.resources.base * context.resource_config["n"]
        TRACE.append("down")

    @dg.op(required_resource_keys={"scaled"})
    def shows(context) -> int:
        return context.resources.scaled

    @dg.job(resource_defs={"scaled": scaled, "base": 10})
    def older():
        shows()

    assert older.execute_in_process().output_for_node("shows") == 20
    assert TRACE == ["up", "down"]
    assert older.execute_in_process(resources={"base": 1}).output_for_node("shows") == 2
    configured = older.execute_in_process(resources={"scaled": scaled.configured({"n": 5})})
    assert configured.output_for_node("shows") == 50


def test_asking_for_an_undeclared_resource_says_how_to_declare_it():
    @dg.op(required_resource_keys={"a"})
    def asks(context):
        return context.resources.b

    @dg.job(resource_defs={"a": 1, "b": 2})
    def asking():
        asks()

    assert "required_resource_keys={'b'}" in run(asking).failure.message


def test_a_missing_resource_is_a_definition_error():
    @dg.op
    def asks(database: dg.ResourceParam[object]):
        pass

    @dg.job
    def asking():
        asks()

    defs = dg.Definitions(jobs=[asking], resources={"databse": 1})
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=r"'database'.*Did you mean 'databse'"):
        defs.get_job_def("asking")
