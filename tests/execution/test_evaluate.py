"""evaluate: what schedules and sensors answer, and what becomes of it."""

import asyncio
import functools
import json
from datetime import datetime, timezone

import pytest

import runyard as dg
from runyard.core.clock import ManualClock
from runyard.core.errors import InvalidDefinition
from runyard.core.pools import PoolNeeds
from runyard.core.tick import EvaluationRequest, InstigatorKey, TickStatus
from runyard.execution.evaluate import evaluate


class Render(dg.Config):
    resolution: int = 1


class Store(dg.ConfigurableResource):
    name: str = "store"

    def setup_for_execution(self, context):
        OPENED.append(self.name)

    def teardown_after_execution(self, context):
        OPENED.remove(self.name)


OPENED: list[str] = []


@dg.op(pool="gpu")
def render(config: Render):
    return config.resolution


@dg.job(tags={"team": "docs", "level": "job"})
def main():
    render()


@dg.job(tags={"kind": "shown"}, run_tags={"team": "other"})
def second():
    render()


NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc).timestamp()


def ask(one, *, jobs=(main, second), resources=None, cursor=None, **more):
    kind = "schedule" if isinstance(one, dg.ScheduleDefinition) else "sensor"
    defs = dg.Definitions(jobs=jobs, resources=resources, **{"schedules" if kind == "schedule" else "sensors": [one]})
    request = EvaluationRequest(
        key=InstigatorKey(kind, "here", one.name), tick_id="t1", scheduled_for=NOON, cursor=cursor, **more
    )
    return evaluate(defs, request, location_name="here", clock=ManualClock(NOON))


def schedule(function=None, **options):
    options.setdefault("job", main)
    made = dg.schedule("@daily", name="s", **options)
    return made(function) if function else made


def sensor(function, **options):
    if not {"job", "jobs", "job_name"} & options.keys():
        options["job"] = main
    return dg.sensor(name="s", **options)(function)


def test_a_plain_schedule_asks_for_one_run_with_merged_tags():
    plain = dg.ScheduleDefinition(
        job=main,
        cron_schedule="0 12 * * *",
        run_config=dg.RunConfig(ops={"render": Render(resolution=4)}),
        tags={"level": "schedule", "n": 1},
    )
    answer = ask(plain)
    assert (answer.status, answer.skip_reason, answer.error) == (TickStatus.SUCCESS, None, None)
    (run,) = answer.runs
    assert (run.job_name, run.run_key, run.pools) == ("main", None, PoolNeeds({"gpu": 1}, {"gpu": 1}))
    assert run.run_config == {"ops": {"render": {"config": {"resolution": 4}}}}
    assert run.tags == {
        "team": "docs",
        "level": "schedule",
        "n": "1",
        "dagster/schedule_name": "main_schedule",
        "dagster/tick": "t1",
        "dagster/code_location": "here",
        ".dagster/scheduled_execution_time": "2024-05-01T12:00:00+00:00",
    }


def test_functions_of_a_schedule_see_its_time_in_its_zone():
    seen = []
    made = dg.ScheduleDefinition(
        name="s",
        job=main,
        cron_schedule="@daily",
        execution_timezone="Asia/Tokyo",
        run_config_fn=lambda context: {"ops": {"render": {"config": {"resolution": 3}}}},
        tags_fn=lambda context: {"day": context.scheduled_execution_time.isoformat()},
        should_execute=lambda context: seen.append(context.scheduled_execution_time.hour) or True,
    )
    (run,) = ask(made).runs
    assert seen == [21]
    assert run.tags["day"] == "2024-05-01T21:00:00+09:00"
    assert run.run_config["ops"]["render"]["config"] == {"resolution": 3}


def test_should_execute_false_skips_and_its_error_fails():
    assert ask(schedule(lambda: None, should_execute=lambda: False)).skip_reason == (
        "should_execute function for s returned false."
    )
    broken = ask(schedule(lambda: None, should_execute=lambda context: 1 / 0))
    assert (broken.status, broken.error.class_name) == (TickStatus.FAILURE, "ZeroDivisionError")


@pytest.mark.parametrize(
    ("returned", "status", "keys", "reason"),
    [
        (dg.RunRequest(run_key="a"), TickStatus.SUCCESS, ["a"], None),
        ([dg.RunRequest("a"), dg.RunRequest("b")], TickStatus.SUCCESS, ["a", "b"], None),
        ([dg.RunRequest("a"), dg.RunRequest("a")], TickStatus.SUCCESS, ["a", "a"], None),
        (dg.SkipReason("not today"), TickStatus.SKIPPED, [], "not today"),
        (None, TickStatus.SKIPPED, [], "Schedule function returned an empty result"),
        ([], TickStatus.SKIPPED, [], "Schedule function returned an empty result"),
        ({"ops": {}}, TickStatus.SUCCESS, [None], None),
        ({}, TickStatus.SUCCESS, [None], None),
        (dg.RunConfig(), TickStatus.SUCCESS, [None], None),
    ],
)
def test_what_a_schedule_may_answer(returned, status, keys, reason):
    def answer(context):
        return returned

    found = ask(schedule(answer))
    assert (found.status, [run.run_key for run in found.runs], found.skip_reason) == (status, keys, reason)


def generator(*yields, returns=None):
    def answer(context):
        yield from yields
        return returns

    return answer


A, B, SKIP = dg.RunRequest("a"), dg.RunRequest("b"), dg.SkipReason("nothing")


@pytest.mark.parametrize("make", [schedule, sensor])
@pytest.mark.parametrize(
    ("function", "keys", "reason"),
    [
        (generator(returns=SKIP), [], "nothing"),
        (generator(SKIP), [], "nothing"),
        (generator(returns=A), ["a"], None),
        (generator(A, returns=B), ["a", "b"], None),
        (generator(None, A), ["a"], None),
    ],
)
def test_what_a_generator_returns_counts_like_what_it_yields(make, function, keys, reason):
    found = ask(make(function))
    assert ([run.run_key for run in found.runs], found.skip_reason, found.error) == (keys, reason, None)


@pytest.mark.parametrize("make", [schedule, sensor])
@pytest.mark.parametrize(
    ("function", "told"),
    [
        (generator(A, returns=SKIP), "a SkipReason is the whole answer"),
        (generator(SKIP, returns=SKIP), "a SkipReason is the whole answer"),
        (generator(returns=[A]), "returned a list; yield what is in it one by one"),
        (generator([A]), "answered with [RunRequest("),
        (generator("hello"), "answered with 'hello' (str)"),
        (generator(returns="hello"), "answered with 'hello' (str)"),
        (generator({}), "answered with {} (dict)"),
    ],
)
def test_what_a_generator_may_not_answer(make, function, told):
    found = ask(make(function))
    assert (found.status, found.runs) == (TickStatus.FAILURE, ())
    assert told in found.error.message


def test_a_generator_may_return_a_sensor_result_as_its_whole_answer():
    found = ask(sensor(generator(returns=dg.SensorResult([A], cursor="c"))))
    assert ([run.run_key for run in found.runs], found.cursor) == (["a"], "c")
    beside = ask(sensor(generator(B, returns=dg.SensorResult([A]))))
    assert "a SensorResult is the whole answer" in beside.error.message
    assert "SensorResult" in ask(schedule(generator(returns=dg.SensorResult([A])))).error.message


class Callable:
    def __call__(self, context):
        return self.of_context(context)

    def of_context(self, context):
        return {"hour": str(context.scheduled_execution_time.hour)}

    def of_nothing(self):
        return {"hour": "12"}

    @staticmethod
    def static(context):
        return {"hour": str(context.scheduled_execution_time.hour)}

    @classmethod
    def of_class(cls, context):
        return {"hour": str(context.scheduled_execution_time.hour)}


class Hour(dict):
    def __init__(self, context):
        super().__init__(hour=str(context.scheduled_execution_time.hour))


def by_any_name(ctx):
    return Callable()(ctx)


def any_arguments(*args):
    return Callable()(*args)


def two(first, context):
    return Callable()(context)


def through(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


def adds_context(function):
    @functools.wraps(function)
    def wrapper(context):
        return function()

    return wrapper


HELPERS = {
    "function": by_any_name,
    "nothing": lambda: {"hour": "12"},
    "partial by position": functools.partial(two, 1),
    "partial by keyword": functools.partial(two, first=1),
    "partial of all": functools.partial(lambda x: x, {"hour": "12"}),
    "object": Callable(),
    "method": Callable().of_context,
    "method of nothing": Callable().of_nothing,
    "static method": Callable.static,
    "class method": Callable.of_class,
    "cached": functools.lru_cache(Callable.static),
    "cached of nothing": functools.lru_cache(lambda: {"hour": "12"}),
    "class": Hour,
    "any arguments": any_arguments,
    "keyword only": lambda *, context: Callable()(context),
    "with a default": lambda context, more=None: Callable()(context),
    "wrapped": through(Callable.static),
    "wrapped of nothing": through(lambda: {"hour": "12"}),
    "wrapped into one of the context": adds_context(lambda: {"hour": "12"}),
}


@pytest.mark.parametrize("name", HELPERS)
def test_helpers_may_be_callables_of_any_kind(name):
    helper = HELPERS[name]
    (run,) = ask(
        dg.ScheduleDefinition("s", job=main, cron_schedule="@daily", should_execute=helper, tags_fn=helper)
    ).runs
    assert run.tags["hour"] == "12"
    configured = dg.ScheduleDefinition("s", job=main, cron_schedule="@daily", run_config_fn=helper)
    assert "hour: no" in ask(configured).error.message


@pytest.mark.parametrize("answer", [None, {}])
def test_tags_and_config_of_none_are_none(answer):
    made = dg.ScheduleDefinition(
        "s", job=main, cron_schedule="@daily", tags_fn=lambda: answer, run_config_fn=lambda: answer
    )
    (run,) = ask(made).runs
    assert run.tags["dagster/schedule_name"] == "s"


@pytest.mark.parametrize("answer", ["", ["a"], 5])
def test_tags_that_are_no_dict_fail_the_tick(answer):
    found = ask(dg.ScheduleDefinition("s", job=main, cron_schedule="@daily", tags_fn=lambda: answer))
    assert "Schedule 's': tags_fn: tags are a dict, not" in found.error.message


def keyed(context):
    return dg.RunRequest("k" if context is not None else None)


def another_name(ctx):
    return keyed(ctx)


def any_keyed(*args):
    return keyed(*args)


FUNCTIONS = {
    "plain": keyed,
    "another name": another_name,
    "with a default": lambda now=None: keyed(now),
    "any arguments": any_keyed,
    "keyword only": lambda *, context: keyed(context),
    "nothing": lambda: dg.RunRequest("k"),
    "partial": functools.partial(lambda x, context: keyed(context), 1),
    "partial by keyword": functools.partial(lambda x, context: keyed(context), x=1),
    "object": type("Object", (), {"__call__": lambda self, context: keyed(context)})(),
    "method": type("Object", (), {"m": lambda self, context: keyed(context)})().m,
    "cached": functools.lru_cache(keyed),
    "wrapped": through(keyed),
    "wrapped into one of the context": adds_context(lambda: dg.RunRequest("k")),
}


@pytest.mark.parametrize("make", [schedule, sensor])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_may_be_callables_of_any_kind(make, name):
    found = ask(make(FUNCTIONS[name]))
    assert ([run.run_key for run in found.runs], found.error) == (["k"], None)


def test_a_partial_keeps_its_resources_and_no_docstring_of_partials():
    def answer(x, context, store: Store):
        """Ask."""
        return dg.RunRequest(f"{store.name}{x}")

    made = sensor(functools.partial(answer, 1))
    assert made.description == "Ask."
    assert [run.run_key for run in ask(made, resources={"store": Store()}).runs] == ["store1"]


async def awaits(context):
    return dg.RunRequest()


async def streams(context):
    yield dg.RunRequest()


class Awaits:
    async def __call__(self, context):
        return dg.RunRequest()


@pytest.mark.parametrize("function", [awaits, streams, Awaits(), functools.partial(awaits), Awaits().__call__])
def test_an_async_function_is_a_problem_of_its_schedule_or_sensor(function):
    for made in (schedule(function), sensor(function), schedule(keyed, should_execute=function)):
        with pytest.raises(InvalidDefinition, match=r"is an async function.*write def"):
            dg.Definitions.validate_loadable(dg.Definitions(**{_kind(made): [made]}))
        assert "is an async function" in ask(made).error.message


def _kind(made):
    return "schedules" if isinstance(made, dg.ScheduleDefinition) else "sensors"


def test_a_wrapper_that_awaits_is_no_async_function():
    @functools.wraps(awaits)
    def waits(context):
        return asyncio.run(awaits(context))

    assert ask(sensor(waits)).status is TickStatus.SUCCESS


@pytest.mark.parametrize("hidden", [awaits, streams])
def test_what_nothing_awaited_fails_the_tick_without_a_warning(hidden, recwarn):
    """A plain function that returns it: a lambda, or a decorator that does not await. It is true, whatever it means."""

    @functools.wraps(hidden)
    def wrapped(context):
        return hidden(context)

    on_steps = [schedule(keyed, **{name: wrapped}) for name in ("should_execute", "tags_fn")]
    own_config = dg.ScheduleDefinition("s", job=main, cron_schedule="@daily", run_config_fn=wrapped)
    for made in (sensor(wrapped), schedule(wrapped), own_config, *on_steps):
        evaluation = ask(made)
        assert evaluation.status is TickStatus.FAILURE
        assert "returned what nothing would await: write def" in evaluation.error.message
    assert "answered with <coroutine" in ask(sensor(lambda context: [awaits(context)])).error.message
    assert [str(warning.message) for warning in recwarn] == []


def test_generators_and_tags_of_requests():
    def answer():
        yield dg.RunRequest(run_key="a", tags={"level": "request", "list": [1]})
        yield dg.RunRequest(run_key="b")

    first, other = ask(schedule(answer, tags={"level": "schedule"})).runs
    assert (first.tags["level"], first.tags["list"], first.tags["dagster/run_key"]) == ("request", "[1]", "a")
    assert other.tags["level"] == "schedule"


def test_a_request_with_the_tags_of_another_run_leaves_out_what_runyard_wrote_about_that_one():
    """Code that runs a job again after a failure hands over all tags of the run that failed."""
    of_another = {"team": "ops", "dagster/run_key": "old", "dagster/parent_run_id": "x", "dagster/partition": "p"}
    (run,) = ask(sensor(lambda: dg.RunRequest(run_key="new", tags={**of_another, "dagster/prioritty": "5"}))).runs
    assert (run.tags["team"], run.tags["dagster/partition"], run.tags["dagster/run_key"]) == ("ops", "p", "new")
    assert "dagster/parent_run_id" not in run.tags
    assert run.warnings == (
        "Tag 'dagster/run_key' of the run request is left out: Runyard writes it itself.",
        "Tag 'dagster/parent_run_id' of the run request is left out: Runyard writes it itself.",
        "Tag 'dagster/prioritty' has no meaning. Did you mean 'dagster/priority'?",
    )


@pytest.mark.parametrize("key", ["dagster/run_key", "dagster/prioritty", "dagster/image"])
def test_a_schedules_tags_fn_is_held_to_what_its_tags_are(key):
    made = dg.ScheduleDefinition(name="s", job=main, cron_schedule="@daily", tags_fn=lambda: {key: "x"})
    failed = ask(made)
    assert (failed.status, failed.error.class_name) == (TickStatus.FAILURE, "InvalidDefinition")
    assert f"Schedule 's': tags_fn: Tag '{key}'" in failed.error.message


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ([dg.RunRequest("a"), dg.RunRequest()], "give each RunRequest a run_key"),
        ([dg.SkipReason("x"), dg.RunRequest("a")], "a SkipReason is the whole answer"),
        (5, "Schedule 's' answered with 5 (int)"),
        (dg.RunRequest(job_name="second"), "not among its jobs: main"),
        (dg.RunRequest(run_config={"ops": {"rendr": {}}}), "ops.rendr: no op named 'rendr'. Did you mean 'render'?"),
        ({"ops": {"render": {"config": {"resolution": "x"}}}}, "ops.render.config.resolution: takes a whole number"),
    ],
)
def test_answers_that_cannot_be_meant_fail_the_tick_and_say_why(returned, told):
    answer = ask(schedule(lambda context: returned))
    assert (answer.status, answer.runs) == (TickStatus.FAILURE, ())
    assert told in answer.error.message


def test_a_users_error_shows_the_users_frames_and_keeps_the_log():
    def answer(context):
        context.log.info("about to %s", "fail")
        raise LookupError("nothing there")

    found = ask(schedule(answer))
    assert (found.error.class_name, found.error.message) == ("LookupError", "nothing there")
    assert len(found.error.stack) == 1
    assert "test_evaluate.py" in found.error.stack[0]
    assert found.log == ("2024-05-01T12:00:00.000+00:00 INFO about to fail",)


def test_run_tags_and_job_config_reach_the_run():
    with_config = second.graph.to_job(name="third", config={"ops": {"render": {"config": {"resolution": 8}}}})
    (run,) = ask(schedule(_plain_request, job=with_config), jobs=[with_config]).runs
    assert run.run_config == {"ops": {"render": {"config": {"resolution": 8}}}}
    (other,) = ask(schedule(_plain_request, job=second)).runs
    assert other.tags["team"] == "other"
    assert "kind" not in other.tags


def test_resources_are_injected_and_taken_down():
    def answer(context, store: Store):
        assert OPENED == ["here"]
        assert context.resources.store is store
        return dg.RunRequest(run_key=store.name)

    for one in (schedule(answer), sensor(answer)):
        found = ask(one, resources={"store": Store(name="here")})
        assert [run.run_key for run in found.runs] == ["here"]
        assert OPENED == []

    def breaks(context):
        assert context.resources.store.name == "here"
        raise ValueError

    found = ask(sensor(breaks, required_resource_keys={"store"}), resources={"store": Store(name="here")})
    assert found.error.class_name == "ValueError"
    assert OPENED == []


def test_a_sensor_keeps_a_cursor_and_sees_its_past():
    def answer(context):
        state = json.loads(context.cursor or "0")
        context.update_cursor(json.dumps(state + 1))
        return dg.RunRequest(run_key=f"{context.last_run_key}-{context.is_first_tick_since_sensor_start}")

    found = ask(sensor(answer), cursor="4", last_run_key="k", last_tick_at=NOON - 60, started_at=NOON - 30)
    assert (found.cursor, found.runs[0].run_key) == ("5", "k-True")
    assert found.runs[0].tags["dagster/sensor_name"] == "s"
    assert ".dagster/scheduled_execution_time" not in found.runs[0].tags


@pytest.mark.parametrize(
    ("returned", "status", "runs", "cursor", "reason"),
    [
        (dg.SensorResult([dg.RunRequest("a")], cursor="c"), TickStatus.SUCCESS, 1, "c", None),
        (dg.SensorResult(skip_reason="wait", cursor="c"), TickStatus.SKIPPED, 0, "c", "wait"),
        (dg.SensorResult(), TickStatus.SKIPPED, 0, None, "Sensor function returned an empty result"),
        (dg.SensorResult([]), TickStatus.SKIPPED, 0, None, "Sensor function returned an empty result"),
        (None, TickStatus.SKIPPED, 0, None, "Sensor function returned an empty result"),
        ([dg.RunRequest(), dg.RunRequest()], TickStatus.SUCCESS, 2, None, None),
        (dg.SkipReason("why"), TickStatus.SKIPPED, 0, None, "why"),
    ],
)
def test_what_a_sensor_may_answer(returned, status, runs, cursor, reason):
    found = ask(sensor(lambda context: returned))
    assert (found.status, len(found.runs), found.cursor, found.skip_reason) == (status, runs, cursor, reason)


def test_a_cursor_is_not_kept_by_a_tick_that_fails():
    def answer(context):
        context.update_cursor("new")
        return dg.RunRequest(job_name="nowhere")

    found = ask(sensor(answer))
    assert (found.status, found.cursor) == (TickStatus.FAILURE, None)


def test_a_cursor_given_twice_or_of_another_type_fails_the_tick():
    def twice(context):
        context.update_cursor("a")
        return dg.SensorResult(cursor="b")

    assert "use one of the two" in ask(sensor(twice)).error.message
    assert "cursor is a string, not 5" in ask(sensor(lambda context: context.update_cursor(5))).error.message


def test_which_job_a_sensor_means():
    several = {"jobs": [main, second]}
    assert ask(sensor(lambda: dg.RunRequest(job_name="second"), **several)).runs[0].job_name == "second"
    assert "has several: main, second" in ask(sensor(_plain_request, **several)).error.message
    assert "Did you mean 'second'?" in ask(sensor(lambda: dg.RunRequest(job_name="secnd"), **several)).error.message
    assert ask(sensor(_plain_request, job_name="second")).runs[0].job_name == "second"


def test_a_sensor_without_a_job_cannot_ask_for_one():
    bare = dg.SensorDefinition("s", evaluation_fn=_request)
    assert "has no job" in ask(bare).error.message


def _plain_request():
    return dg.RunRequest()


def _request(context):
    return dg.RunRequest()


def test_the_instance_is_what_the_caller_gives():
    def answer(context):
        filters = dg.RunsFilter(job_name="main", statuses=[dg.DagsterRunStatus.SUCCESS])
        return dg.RunRequest(run_key=str(len(context.instance.get_run_records(filters, limit=1))))

    instance = dg.EphemeralInstance()
    main.execute_in_process(instance=instance)
    main.execute_in_process(instance=instance)
    defs = dg.Definitions(sensors=[sensor(answer)])
    request = EvaluationRequest(key=InstigatorKey("sensor", "here", "s"), tick_id="t")
    found = evaluate(defs, request, location_name="here", clock=ManualClock(), instance=instance)
    assert found.runs[0].run_key == "1"
    without = evaluate(defs, request, location_name="here", clock=ManualClock())
    assert without.error.class_name == "NoInstance"


def test_run_config_is_made_storable_or_refused():
    @dg.op
    def free(context):
        return context.op_config

    @dg.job
    def any_config():
        free()

    def config(value):
        return dg.RunRequest(run_config={"ops": {"free": {"config": {"when": value}}}})

    (run,) = ask(sensor(lambda: config(datetime(2024, 1, 2)), job=any_config), jobs=[any_config]).runs  # noqa: DTZ001
    assert run.run_config["ops"]["free"]["config"] == {"when": "2024-01-02T00:00:00"}
    refused = ask(sensor(lambda: config(object), job=any_config), jobs=[any_config])
    assert "ops.free.config.when" in refused.error.message
    assert "has no JSON form" in refused.error.message


def test_sys_exit_in_a_sensor_is_its_failure():
    def leaves():
        raise SystemExit(1)

    assert ask(sensor(leaves)).error.class_name == "SystemExit"
