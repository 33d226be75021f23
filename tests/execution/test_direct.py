"""Calling ops, schedules and sensors as functions, and what execute_in_process tells."""

from datetime import datetime, timezone

import pytest

import runyard as dg


class Settings(dg.Config):
    n: int = 2


class Client(dg.ConfigurableResource):
    url: str

    def setup_for_execution(self, context):
        LIFE.append("up")

    def teardown_after_execution(self, context):
        LIFE.append("down")


LIFE: list[str] = []


@dg.op
def times(context: dg.OpExecutionContext, x: int, config: Settings, client: Client) -> str:
    context.log.info("called")
    return f"{client.url}{x * config.n}"


@dg.op
def add(a: int, b: int = 1) -> int:
    return a + b


def test_an_op_without_a_context():
    assert add(1) == 2
    assert add(1, 2) == 3
    assert add(a=1, b=5) == 6


def test_an_op_with_everything():
    LIFE.clear()
    with dg.build_op_context(resources={"client": Client(url="u")}, config={"n": 5}) as context:
        assert times(context, 2) == "u10"
        assert times(context, x=2, config=Settings(n=1)) == "u2"
    assert LIFE == ["up", "down"]
    assert times(dg.build_op_context(), 3, client=Client(url="v"), config=Settings()) == "v6"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (add, "called without its input 'a'"),
        (lambda: add(1, c=2), "has no input 'c'"),
        (lambda: add(1, 2, 3), "is given 3 inputs, but takes 2"),
        (lambda: times(3), "takes a context"),
        (lambda: times(dg.build_op_context(), 3), "needs the resource 'client'"),
        (
            lambda: times(dg.build_op_context(resources={"client": Client(url="u")}, config={"m": 1}), 3),
            "no field named 'm'",
        ),
    ],
)
def test_wrong_calls_say_what_is_missing(call, told):
    with pytest.raises(dg.DagsterInvalidInvocationError, match=told):
        call()


def test_inputs_are_checked():
    with pytest.raises(dg.DagsterTypeCheckDidNotPass, match="expected int, got 'x'"):
        add("x")


def test_op_config_and_required_resources_of_the_context():
    @dg.op(config_schema={"a": int}, required_resource_keys={"db"})
    def older(context):
        context.log_event(dg.AssetMaterialization("t"))
        return context.op_config["a"], context.resources.db

    context = dg.build_op_context(resources={"db": 7}, op_config={"a": 1})
    assert older(context) == (1, 7)
    assert [event.asset_key for event in context.user_events] == [dg.AssetKey("t")]
    with pytest.raises(dg.DagsterInvalidInvocationError, match="needs the resource 'db'"):
        older(dg.build_op_context(op_config={"a": 1}))


def test_schedules_and_sensors():
    @dg.job
    def main():
        add(give())

    @dg.schedule("@daily", job=main)
    def daily(context, client: Client):
        return dg.RunRequest(run_key=f"{client.url}-{context.scheduled_execution_time:%Y-%m-%d}")

    @dg.sensor(job=main)
    def seen(context):
        context.update_cursor("2")
        yield dg.RunRequest(run_key=context.cursor)

    time = datetime(2024, 1, 2, tzinfo=timezone.utc)
    context = dg.build_schedule_context(scheduled_execution_time=time, resources={"client": Client(url="u")})
    assert daily(context).run_key == "u-2024-01-02"
    sensor_context = dg.build_sensor_context(cursor="1")
    assert [request.run_key for request in seen(sensor_context)] == ["2"]
    assert sensor_context.cursor == "2"
    with pytest.raises(dg.DagsterInvalidInvocationError, match="takes a context"):
        daily()
    with pytest.raises(dg.DagsterInvalidInvocationError, match="needs the resource 'client'"):
        daily(dg.build_schedule_context())


@dg.op
def give() -> int:
    return 1


@dg.op
def fails():
    raise KeyError("gone")


@dg.op
def late(x):
    return x


@dg.job
def failing():
    late(fails())


def test_errors_are_raised_as_they_are_or_left_in_the_result():
    with pytest.raises(KeyError, match="gone"):
        failing.execute_in_process()
    result = failing.execute_in_process(raise_on_error=False)
    assert not result.success
    assert result.is_node_failed("fails")
    assert result.is_node_skipped("late")
    assert result.get_run_failure_event().message == "Step failed: fails."
    assert result.dagster_run.status is dg.DagsterRunStatus.FAILURE
    with pytest.raises(dg.DagsterStepOutputNotFoundError, match="did not produce its output 'result'"):
        result.output_for_node("late")
    with pytest.raises(dg.DagsterStepOutputNotFoundError, match="Did you mean 'late'"):
        result.output_for_node("lates")
    with pytest.raises(dg.DagsterStepOutputNotFoundError, match="has no output 'other'"):
        result.output_for_node("late", "other")


def test_the_run_of_a_result_has_its_id_and_tags():
    @dg.job(tags={"a": 1})
    def plain():
        add(give())

    result = plain.execute_in_process(run_id="mine", tags={"b": 2})
    assert (result.run_id, result.dagster_run.tags) == ("mine", {"a": "1", "b": "2"})
    kinds = [event.event_type_value for event in result.all_events]
    assert (kinds[0], kinds[-1]) == ("RUN_START", "RUN_SUCCESS")
    assert [event.event_type_value for event in result.events_for_node("add")] == [
        "STEP_START",
        "STEP_OUTPUT",
        "STEP_SUCCESS",
    ]
