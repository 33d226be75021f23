"""Resources of a run's own process: up in order, down in reverse, whatever fails."""

from collections.abc import Iterator

import pytest

import runyard as dg
from runyard.core.run import RunStatus
from runyard.execution.errors import RunCancelled

from .fake_host import Sink
from .run_of import run


@dg.op
def boom() -> int:
    raise ValueError("it broke")


@dg.op
def pass_on(x):
    return x


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
