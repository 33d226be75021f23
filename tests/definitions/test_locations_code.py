"""Loading a code location, and what Definitions puts together or refuses."""

import functools
import sys
import textwrap

import pytest

import runyard as dg
from runyard.core.errors import InvalidDefinition, NotFound
from runyard.definitions.describe import describe
from runyard.definitions.errors import LocationLoadError
from runyard.definitions.loading import load_definitions


@dg.op
def work():
    return 1


@dg.job(tags={"a": "b"}, description="Works.")
def main():
    work()


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Write a file and load it; what it imported is forgotten afterwards."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)

    def load_text(text, *, name="jobs.py", attribute=None):
        path = tmp_path / name
        path.write_text(textwrap.dedent(text))
        return load_definitions(
            kind="python_file", target=str(path), attribute=attribute, working_directory=str(tmp_path)
        )

    yield load_text
    for module in set(sys.modules) - before:
        del sys.modules[module]


HEAD = """
import runyard as dg

@dg.op
def one():
    return 1

@dg.graph
def both():
    one()

"""


def test_definitions_and_helper_modules_beside_the_file(load, tmp_path):
    (tmp_path / "helper_of_jobs.py").write_text("NAME = 'from_helper'\n")
    text = HEAD + "from helper_of_jobs import NAME\ndefs = dg.Definitions(jobs=[both.to_job(name=NAME)])\n"
    assert list(load(text).resolve().jobs) == ["from_helper"]


def test_a_file_named_like_a_module_of_the_library(load):
    text = HEAD + "defs = dg.Definitions(jobs=[both])\n"
    assert list(load(text, name="json.py").resolve().jobs) == ["both"]


def test_older_and_looser_forms(load):
    repo = HEAD + "@dg.repository\ndef repo():\n    return [both.to_job(name='j'), [both]]\n"
    assert sorted(load(repo).resolve().jobs) == ["both", "j"]
    lazy = HEAD + "@dg.definitions\ndef defs():\n    return dg.Definitions(jobs=[both])\n"
    assert list(load(lazy).resolve().jobs) == ["both"]
    loose = HEAD + "@dg.job\ndef j():\n    one()\n@dg.schedule('@daily', job=j)\ndef s():\n    return {}\n"
    found = load(loose).resolve()
    assert (list(found.jobs), list(found.schedules)) == (["j"], ["s"])
    assert list(load(HEAD).resolve().jobs) == ["both"]


def test_attributes(load):
    text = HEAD + "def make():\n    return dg.Definitions(jobs=[both])\na = dg.Definitions()\nb = dg.Definitions()\n"
    assert list(load(text, attribute="make").resolve().jobs) == ["both"]
    assert list(load(text, attribute="both").resolve().jobs) == ["both"]
    with pytest.raises(LocationLoadError, match=r"has 2 Definitions or repositories: a, b"):
        load(text)
    with pytest.raises(LocationLoadError, match=r"has no attribute 'bth'. Did you mean 'both'"):
        load(text, attribute="bth")
    with pytest.raises(LocationLoadError, match=r"Attribute 'one' of jobs.py is OpDefinition"):
        load(text, attribute="one")


def test_modules_and_packages(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    package = tmp_path / "pack_of_jobs"
    package.mkdir()
    (package / "__init__.py").write_text(HEAD + "from .more import defs\n")
    (package / "more.py").write_text("import runyard as dg\ndefs = dg.Definitions()\n")
    for kind, target in (("python_package", "pack_of_jobs"), ("python_module", "pack_of_jobs.more")):
        assert load_definitions(kind=kind, target=target, working_directory=str(tmp_path)).jobs == ()


def test_nothing_to_load(load):
    with pytest.raises(LocationLoadError, match=r"no Definitions, @repository, job, schedule or sensor"):
        load("x = 1\n")
    with pytest.raises(LocationLoadError, match=r"it has one, which need a job"):
        load("import runyard as dg\n@dg.op\ndef one():\n    pass\n")
    with pytest.raises(LocationLoadError, match=r"There is no file"):
        load_definitions(kind="python_file", target="/nowhere/jobs.py")


def test_the_users_own_errors_come_through(load):
    with pytest.raises(ZeroDivisionError):
        load("1 / 0\n")
    with pytest.raises(SyntaxError):
        load("def\n")
    with pytest.raises(InvalidDefinition, match=r"give run_config or run_config_fn"):
        load(HEAD + "s = dg.ScheduleDefinition(name='s', job=both, run_config={}, run_config_fn=dict)\n")


def test_a_fault_of_one_schedule_or_sensor_is_its_problem_and_the_others_load(load):
    defs = load(
        HEAD
        + "def make(name, **more):\n"
        + "    return dg.ScheduleDefinition(name, **{'job': both, 'cron_schedule': '@daily', **more})\n"
        + "bad_cron = make('bad_cron', cron_schedule='0\\n99 * * *')\n"
        + "one_of_two = make('one_of_two', cron_schedule=['@hourly', 'nonsense'])\n"
        + "never = make('never', cron_schedule='0 0 31 2 *')\n"
        + "none = make('none', cron_schedule=None)\n"
        + "number = make('number', cron_schedule=5)\n"
        + "raw = make('raw', cron_schedule=b'0 0 * * *')\n"
        + "zone = make('zone', execution_timezone='Europe/\\nZurch')\n"
        + "both_wrong = make('both_wrong', cron_schedule='x', execution_timezone='y')\n"
        + "no_job = make('no_job', job=None, job_name='bth')\n"
        + "not_callable = make('not_callable', tags_fn=5)\n"
        + "good = make('good')\n"
        + "@dg.sensor(job=both)\nasync def waits(context): ...\n"
        + "@dg.sensor(job=both)\ndef no_resource(context, database: dg.ResourceParam[object]): ...\n"
        + "@dg.sensor(job=both, minimum_interval_seconds=-1)\ndef interval(context): ...\n"
        + "@dg.sensor(job=both, minimum_interval_seconds=float('nan'))\ndef never_due(context): ...\n"
        + "@dg.sensor(job=both)\ndef watch(context): ...\n"
    )
    info = describe(defs)
    problems = {one.name: one.problem for one in (*info.schedules, *info.sensors)}
    assert [job.name for job in info.jobs] == ["both"]
    assert [name for name, problem in problems.items() if problem is None] == ["good", "watch"]
    for name, told in {
        "bad_cron": "Schedule 'bad_cron': Cron schedule '0 99 * * *': hour '99' is not valid; it takes 0 to 23.",
        "one_of_two": "Cron schedule 'nonsense': it has 1 field",
        "never": "day of month '31' never comes in month '2'",
        "none": "cron_schedule is a cron expression or a list with at least one",
        "number": "Cron schedule '5': a cron schedule is a string of five fields",
        "raw": "Cron schedule 'b'0 0 * * *'': a cron schedule is a string of five fields",
        "zone": "No time zone named 'Europe/ Zurch'. Did you mean 'Europe/Zurich'?",
        "both_wrong": "it has 1 field",
        "no_job": "names the job 'bth', which is not defined. Did you mean 'both'?",
        "not_callable": "Schedule 'not_callable': tags_fn is a function, not 5",
        "waits": "Sensor 'waits' (jobs.py:",
        "no_resource": "Sensor 'no_resource': it needs the resource 'database'",
        "interval": "a number from 0 up, not -1",
        "never_due": "a number from 0 up, not nan",
    }.items():
        assert told in problems[name], name
    assert "No time zone named 'y'" in problems["both_wrong"]
    assert len(info.problems()) == 14
    with pytest.raises(InvalidDefinition) as refusal:
        dg.Definitions.validate_loadable(defs)
    assert all(problem in str(refusal.value) for problem in info.problems())


def test_objects_of_the_real_package_are_told_apart(load):
    text = "Fake = type('Definitions', (), {'__module__': 'dagster._core.definitions'})\ndefs = Fake()\n"
    with pytest.raises(LocationLoadError, match=r"'defs' of jobs.py is an object of the real dagster package"):
        load(text)
    with pytest.raises(LocationLoadError, match=r"Attribute 'defs' of jobs.py is an object of the real dagster"):
        load(text, attribute="defs")


def test_describe():
    @dg.schedule(["0 1 * * *", "@hourly"], job=main, execution_timezone="Europe/Berlin", tags={"t": 1})
    def often():
        """Often."""

    @dg.sensor(jobs=[main], minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
    def watch():
        return None

    info = describe(dg.Definitions(schedules=[often], sensors=[watch]))
    (job,) = info.jobs
    assert (job.name, job.description, job.tags, [op.key for op in job.ops]) == ("main", "Works.", {"a": "b"}, ["work"])
    (schedule,) = info.schedules
    assert schedule.cron_schedule == ("0 1 * * *", "@hourly")
    assert (schedule.execution_timezone, schedule.running_by_default, schedule.description) == (
        "Europe/Berlin",
        False,
        "Often.",
    )
    (sensor,) = info.sensors
    assert (sensor.minimum_interval_seconds, sensor.running_by_default, sensor.job_names) == (5.0, True, ("main",))


def test_jobs_of_schedules_are_defined_too_and_once():
    schedule = dg.ScheduleDefinition(job=main, cron_schedule="@daily")
    by_name = dg.ScheduleDefinition(name="again", job_name="main", cron_schedule="@daily")
    defs = dg.Definitions(jobs=[main], schedules=[schedule, by_name])
    assert list(defs.resolve().jobs) == ["main"]
    assert list(dg.Definitions(schedules=[schedule, by_name]).resolve().jobs) == ["main"]
    graph = main.graph
    twice = [dg.ScheduleDefinition(name=name, job=graph, cron_schedule="@daily") for name in ("a", "b")]
    assert list(dg.Definitions(jobs=[graph], schedules=twice).resolve().jobs) == ["main"]


def test_what_definitions_refuse():
    other = main.graph.to_job(name="main")

    def refused(told, **parts):
        with pytest.raises(InvalidDefinition, match=told):
            dg.Definitions.validate_loadable(dg.Definitions(**parts))

    schedule = dg.ScheduleDefinition(name="s", job_name="mian", cron_schedule="@daily")
    refused("Schedule 's' names the job 'mian'.*Did you mean 'main'", jobs=[main], schedules=[schedule])
    refused("Two jobs are called 'main'", jobs=[main, other])
    refused("is in jobs, but is a ScheduleDefinition", jobs=[schedule])
    refused("jobs is a list", jobs=main)

    @dg.sensor(job=main)
    def s(context, database: dg.ResourceParam[object]):
        return None

    refused("Sensor 's': it needs the resource 'database'", sensors=[s])
    named = dg.ScheduleDefinition(name="s", job=main, cron_schedule="@daily")
    refused("both called 's'", sensors=[s], schedules=[named], resources={"database": 1})


def test_merge():
    resource = object()
    merged = dg.Definitions.merge(
        dg.Definitions(jobs=[main], resources={"r": resource}), dg.Definitions(jobs=[main], resources={"r": resource})
    )
    assert merged.get_job_def("main").name == "main"
    with pytest.raises(InvalidDefinition, match=r"the resource 'r' is given twice"):
        dg.Definitions.merge(dg.Definitions(resources={"r": 1}), dg.Definitions(resources={"r": object()}))
    with pytest.raises(NotFound, match=r"Did you mean 'main'"):
        merged.get_job_def("maim")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: dg.ScheduleDefinition(cron_schedule="@daily"), "needs a name"),
        (lambda: dg.schedule("@daily", job=main)(functools.partial(print)), "A schedule of a partial needs a name"),
        (lambda: dg.sensor(job=main)(functools.partial(print)), "A sensor of a partial needs a name"),
        (lambda: dg.ScheduleDefinition(job=main, job_name="main", cron_schedule="@daily"), "job, job_name are given"),
        (
            lambda: dg.ScheduleDefinition(job=main, cron_schedule="@daily", run_config={}, run_config_fn=dict),
            "run_config or run_config_fn",
        ),
        (lambda: dg.sensor(job=work, name="s")(lambda: None), "neither a job nor a graph"),
        (lambda: dg.RetryPolicy(max_retries=-1), "from 0 up"),
        (lambda: dg.RetryPolicy(backoff=dg.Backoff.LINEAR), "need a delay"),
        (
            lambda: dg.AssetMaterialization("a", metadata={"x": object()}),
            "Metadata key 'x' of AssetMaterialization 'a' is object",
        ),
    ],
)
def test_bad_definitions_say_what_is_wrong(make, told):
    with pytest.raises(InvalidDefinition, match=told):
        make()


def test_a_function_of_more_than_context_and_resources_is_a_problem():
    for made in (
        {"schedules": [dg.schedule("@daily", name="s", job=main)(lambda context, thing: None)]},
        {"sensors": [dg.sensor(name="s", job=main)(lambda context, thing: None)]},
    ):
        with pytest.raises(InvalidDefinition, match=r"'thing' is neither the context nor a resource"):
            dg.Definitions.validate_loadable(dg.Definitions(**made))
    helped = dg.ScheduleDefinition("s", job=main, cron_schedule="@daily", tags_fn=lambda context, more: {})
    with pytest.raises(InvalidDefinition, match=r"tags_fn .*takes the context alone, and needs 'more' too"):
        dg.Definitions.validate_loadable(dg.Definitions(schedules=[helped]))
