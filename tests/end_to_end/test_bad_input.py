"""Each kind of bad input gives one clear error at the right place, and leaves nothing half-written."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runyard.core.location import LocationState
from runyard.core.tick import InstigatorKey, TickStatus
from runyard.storage.protocols import RunsFilter

from .yard import Yard

BROKEN = "import runyard as dg\n\ndef helper():\n    return missing_name\n\nhelper()\n"
CYCLE = """
import runyard as dg

@dg.op
def one(x): return x

@dg.op
def two(x): return x

defs = dg.Definitions(jobs=[
    dg.GraphDefinition(
        name="circle",
        node_defs=[one, two],
        dependencies={
            "one": {"x": dg.DependencyDefinition("two")},
            "two": {"x": dg.DependencyDefinition("one")},
        },
    ).to_job()
])
"""
BAD_CRON = """
import runyard as dg

@dg.op
def nothing(): ...

@dg.job
def plain():
    nothing()

defs = dg.Definitions(schedules=[dg.ScheduleDefinition(job=plain, cron_schedule="61 * * * *")])
"""
TYPED = """
import runyard as dg

class Settings(dg.Config):
    size: int

@dg.op
def sized(config: Settings): ...

@dg.job
def typed():
    sized()

@dg.sensor(job=typed, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def strange_tag(context):
    return dg.RunRequest(run_config={"ops": {"sized": {"config": {"size": 1}}}}, tags={"owner": object()})

defs = dg.Definitions(jobs=[typed], sensors=[strange_tag])
"""

Runyard = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def runyard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runyard:
    """Run a command in an empty directory with a home of its own."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "runyard.cli.main", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    return run


def refused(result: subprocess.CompletedProcess[str], *says: str) -> None:
    assert result.returncode == 1, result
    assert "Traceback" not in result.stderr
    for words in says:
        assert words in result.stderr + result.stdout, result


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (BROKEN, ["NameError", "missing_name", "code.py", "line 4"]),
        (CYCLE, ["circle", "one", "two"]),
        (BAD_CRON, ["61 * * * *", "minute"]),
    ],
    ids=["broken module", "cycle", "bad cron"],
)
def test_code_that_does_not_load(runyard: Runyard, tmp_path: Path, code: str, says: list[str]) -> None:
    (tmp_path / "code.py").write_text(code)
    refused(runyard("definitions", "validate", "-f", "code.py"), *says)


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("workspace.yaml", "load_from: [\n", ["workspace.yaml:2"]),
        ("workspace.yaml", "load_form: []\n", ["load_form", "load_from"]),
        (
            "workspace.yaml",
            "load_from:\n  - python_file: {relative_path: a.py, atribute: x}\n",
            ["atribute", "attribute"],
        ),
        (
            "home/runyard.yaml",
            "concurrency:\n  runs:\n    max_concurent_runs: 1\n",
            ["runyard.yaml:3", "max_concurrent_runs"],
        ),
        (
            "home/runyard.yaml",
            "concurrency: {runs: {max_concurrent_runs: many}}\n",
            ["max_concurrent_runs", "got a string"],
        ),
        ("home/runyard.yaml", "a: b: c\n", ["runyard.yaml:1"]),
    ],
)
def test_files_that_say_what_cannot_be_meant(runyard: Runyard, tmp_path: Path, file, text, says) -> None:
    (tmp_path / "workspace.yaml").write_text("load_from: []\n")
    (tmp_path / file).write_text(text)
    result = subprocess.run(
        [sys.executable, "-m", "runyard.cli.daemon", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    refused(result, *says)
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-j", "typd"], ["Did you mean 'typed'?"]),
        (
            ["-j", "typed", "--config-json", '{"ops": {"sized": {"config": {"size": "big"}}}}'],
            ["ops.sized.config.size", "big"],
        ),
        (["-j", "typed", "--config-json", "{"], ["--config-json"]),
        (["-j", "typed", "-c", "bad.yaml"], ["bad.yaml:2"]),
        (["-j", "typed", "--tags", '{"a": NaN}'], ["Tag 'a'"]),
        (["-j", "typed", "--tags", '{"dagster/priority": "soon"}'], ["dagster/priority", "soon"]),
    ],
)
def test_a_launch_that_cannot_be_meant(runyard: Runyard, tmp_path: Path, arguments: list[str], says: list[str]) -> None:
    (tmp_path / "code.py").write_text(TYPED)
    (tmp_path / "bad.yaml").write_text("ops: {sized: [\n")
    result = runyard("job", "launch", "-f", "code.py", *arguments)
    assert result.returncode in (1, 2), result
    assert "Traceback" not in result.stderr
    for words in says:
        assert words in result.stderr, result
    listed = runyard("run", "list", "--json")
    assert listed.stdout.strip() == "[]"


def test_a_broken_location_stops_no_other(make_yard: Callable[..., Yard]) -> None:
    yard = make_yard()
    (yard.directory / "broken.py").write_text(BROKEN)
    yard.workspace_file.write_text("load_from:\n  - python_file: broken.py\n  - python_file: jobs.py\n")
    yard.start()
    record = yard.wait(lambda: (r := yard.location("broken.py")) and r.error and r)
    assert record.state is LocationState.ERROR
    assert record.error.class_name == "NameError"
    assert any("broken.py" in frame and "line 4" in frame for frame in record.error.stack)
    assert yard.location().state is LocationState.LOADED


def test_a_tag_from_code_that_is_no_json_fails_the_tick_and_makes_no_run(make_yard: Callable[..., Yard]) -> None:
    yard = make_yard(jobs=TYPED)
    yard.start()
    key = InstigatorKey("sensor", "jobs.py", "strange_tag")
    tick = yard.wait(lambda: next(iter(yard.stores.ticks.list(key, limit=1)), None))
    assert tick.status is TickStatus.FAILURE
    assert "owner" in tick.error.message
    assert yard.stores.runs.count(RunsFilter()) == 0
