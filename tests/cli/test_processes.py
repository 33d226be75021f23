"""The commands as real processes, with code, daemons and signals."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result

from runyard.cli import daemon, main
from runyard.cli.follow import follow
from runyard.locations.runtime_dir import runtime_dir
from runyard.operations.instance import open_instance
from runyard.settings.loading import load_settings

JOBS = """
import pathlib, time
import runyard as dg

HERE = pathlib.Path(__file__).parent

class Count(dg.Config):
    n: int = 1

@dg.op
def say(context, config: Count):
    context.log.info(f"said {config.n}")

@dg.job(description="Says a number.")
def talk():
    say()

@dg.op
def fail():
    raise ValueError("no such number")

@dg.job
def broken():
    fail()

@dg.op
def wait():
    (HERE / "waiting").touch()
    while not (HERE / "go").exists():
        time.sleep(0.01)

@dg.job
def endless():
    wait()

@dg.schedule(cron_schedule="0 0 1 1 *", job=talk)
def yearly():
    return dg.RunRequest()

@dg.sensor(job=talk)
def watch(context):
    context.log.info("looked")
    return dg.SkipReason("nothing new")

defs = dg.Definitions(jobs=[talk, broken, endless], schedules=[yearly], sensors=[watch])
"""


class Program:
    """A command that runs until it is told to stop; what it prints is read line by line."""

    def __init__(self, args: list[str], *, cwd: Path, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            args, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read on to the first line that ``pattern`` is found in; the test's own time limit is the deadline."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if match := re.search(pattern, line):
                return match
        raise AssertionError(f"ended without '{pattern}':\n{''.join(self.lines)}")

    def read_all(self, *patterns: str) -> list[re.Match[str]]:
        """Read on until each pattern has been found in some line, in whatever order."""
        found: dict[str, re.Match[str]] = {}
        while missing := [pattern for pattern in patterns if pattern not in found]:
            self.read_until("|".join(missing))
            found |= {p: match for p in missing if (match := re.search(p, self.lines[-1]))}
        return [found[pattern] for pattern in patterns]

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.lines += self.process.stdout.readlines()
        return self.process.wait()


class Place:
    """A directory with code and a home, and a program's environment."""

    def __init__(self, directory: Path, *, home: bool) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.home.mkdir()
        (directory / "jobs.py").write_text(JOBS)
        hidden = ("RUNYARD_HOME", "DAGSTER_HOME")
        self.env = {key: value for key, value in os.environ.items() if key not in hidden}
        self.env |= {"RUNYARD_HOME": str(self.home)} if home else {"TMPDIR": str(directory)}
        self.programs: list[Program] = []

    def start(self, module: str, *args: str) -> Program:
        program = Program([sys.executable, "-m", f"runyard.cli.{module}", *args], cwd=self.directory, env=self.env)
        self.programs.append(program)
        return program

    def command(self, *args: str, code: int = 0) -> str:
        """A short command as a process of its own; all that it prints."""
        command = [sys.executable, "-m", "runyard.cli.main", *args]
        done = subprocess.run(command, cwd=self.directory, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run(self, *args: str, code: int = 0, module: str = "main") -> Result:
        """A short command; its own process would only import everything again."""
        root = daemon.cli if module == "daemon" else main.cli
        result = CliRunner(env={"DAGSTER_HOME": None, "RUNYARD_HOME": self.env.get("RUNYARD_HOME")}).invoke(root, args)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def json(self, *args: str, code: int = 0, module: str = "main") -> Any:
        return json.loads(self.run(*args, "--json", code=code, module=module).stdout)

    def take_down(self) -> None:
        for program in self.programs:
            if program.process.poll() is None:
                program.process.kill()
                program.process.wait()
            assert program.process.stdout is not None
            program.process.stdout.close()
        for process in psutil.process_iter():
            if self._is_ours(process):
                process.kill()
        # Of the processes that were killed.
        shutil.rmtree(runtime_dir(str(self.home)), ignore_errors=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return bool(process.pid != os.getpid() and process.environ().get("RUNYARD_HOME") == str(self.home))
        except psutil.Error:
            return False


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Place]]:
    made: list[Place] = []
    monkeypatch.chdir(tmp_path)

    def make(*, home: bool = True) -> Place:
        made.append(Place(tmp_path, home=home))
        return made[-1]

    yield make
    for each in made:
        each.take_down()


def test_dev_in_a_temporary_home_comes_up_serves_and_leaves_nothing(place: Callable[..., Place]) -> None:
    here = place(home=False)
    dev = here.start("main", "dev", "-f", "jobs.py", "-p", "0")
    _, url, home_line, _ = dev.read_all(
        "jobs.py loaded: 3 jobs, 1 schedule, 1 sensor",
        r"http://\S+",
        r"Home +(\S+) \(temporary",
        "Daemons +Scheduler, Run queue, Sensors",
    )
    home = Path(home_line[1])
    assert home.is_dir()
    with urllib.request.urlopen(f"{url[0]}/livez") as answer:  # noqa: S310 # our own page
        assert answer.status == 200
    children = psutil.Process(dev.process.pid).children(recursive=True)
    assert dev.stop() == 0
    assert not home.exists()
    _gone, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []


def test_dev_runs_what_is_launched_and_cancels_it_at_the_end(place: Callable[..., Place]) -> None:
    here = place()
    dev = here.start("main", "dev", "-f", "jobs.py", "-p", "0")
    dev.read_until("Daemons")

    done = here.json("job", "launch", "-f", "jobs.py", "-j", "talk", "--wait", "--tags", '{"team": "a", "n": 5}')
    assert done["status"] == "SUCCESS"
    assert (done["tags"]["team"], done["tags"]["n"]) == ("a", "5")
    assert "said 1" in here.run("run", "logs", done["run_id"], "--follow").stdout
    failed = here.json("job", "launch", "-f", "jobs.py", "-j", "broken", "--wait", code=1)
    raised = {"error_class": "ValueError", "message": "no such number"}
    assert failed["failure"] == {"step_key": "fail", **raised, "by_step": True}

    launched = here.run("job", "launch", "-f", "jobs.py", "-j", "endless")
    assert launched.stderr == ""
    endless = launched.stdout.strip()
    with subprocess.Popen(
        [sys.executable, "-m", "runyard.cli.main", "run", "logs", endless, "--follow"],
        cwd=here.directory,
        env=here.env,
        stdout=subprocess.PIPE,
        text=True,
    ) as logs:
        assert logs.stdout is not None
        for line in logs.stdout:
            if "STEP_START" in line:
                break
        assert dev.stop() == 0
        rest = logs.stdout.read()
        assert logs.wait() == 0
    assert "RUN_CANCELED" in rest
    assert here.json("run", "show", endless)["status"] == "CANCELED"


@pytest.mark.parametrize(("insist", "statuses"), [(False, {"SUCCESS"}), (True, {"FAILURE", "CANCELING", "STARTED"})])
def test_draining_lets_runs_finish_unless_insisted(
    place: Callable[..., Place], insist: bool, statuses: set[str]
) -> None:
    here = place()
    dev = here.start("main", "dev", "-f", "jobs.py", "-p", "0", "--drain")
    dev.read_until("Daemons")
    run_id = here.run("job", "launch", "-f", "jobs.py", "-j", "endless").stdout.strip()
    with open_instance(load_settings(str(here.home), env={})) as instance:
        started = next(e for e in follow(instance.stores, run_id, clock=instance.clock) if e.event.type == "STEP_START")
        assert started.event.step_key == "wait"
        children = psutil.Process(dev.process.pid).children(recursive=True)
        dev.process.send_signal(signal.SIGINT)
        dev.read_until("Waiting for 1 run to end")
        if insist:
            dev.process.send_signal(signal.SIGINT)
            dev.read_until("Killing what is left")
        else:
            (here.directory / "go").touch()
        assert dev.process.wait() == 0
        _gone, alive = psutil.wait_procs(children, timeout=20)
        assert alive == []
        run = instance.stores.runs.get(run_id)
        assert run is not None
        assert run.status.value in statuses


def test_daemons_log_json_report_their_state_and_follow_instigators(place: Callable[..., Place]) -> None:
    here = place()
    (here.directory / "workspace.yaml").write_text("load_from: [{python_file: jobs.py}]")
    daemons = here.start("daemon", "run", "--log-format", "json")
    daemons.read_until("is up")
    done = here.json("job", "launch", "-j", "talk", "--wait")
    assert done["status"] == "SUCCESS"
    states = {each["type"]: each for each in here.json("status", module="daemon")}
    assert {states[kind]["state"] for kind in ("SCHEDULER", "SENSOR", "QUEUED_RUN_COORDINATOR")} <= {"healthy", "idle"}
    assert states["MONITORING"]["state"] == "off"
    assert states["SENSOR"]["pid"] == daemons.process.pid
    assert here.run("liveness-check", module="daemon").stdout == "Live.\n"
    here.run("liveness-check", "--this-process", str(daemons.process.pid), module="daemon")
    here.run("liveness-check", "--this-process", "1", module="daemon", code=1)

    assert here.json("schedule", "start", "yearly")["status"] == "RUNNING"
    (schedule,) = here.json("schedule", "list")
    assert (schedule["name"], schedule["status"], schedule["cron_schedule"]) == ("yearly", "RUNNING", ["0 0 1 1 *"])
    assert schedule["next_tick_at"].endswith("-01-01T00:00:00.000000+00:00")
    assert here.json("schedule", "stop", "yearly")["status"] == "STOPPED"
    assert here.json("sensor", "cursor", "watch", "--set", "here")["cursor"] == "here"
    assert here.json("sensor", "cursor", "watch", "--delete")["cursor"] is None
    assert "Did you mean 'yearly'?" in here.run("schedule", "start", "yerly", code=1).stderr
    preview = here.json("sensor", "preview", "watch")
    assert (preview["status"], preview["skip_reason"]) == ("SKIPPED", "nothing new")
    assert here.json("sensor", "logs", "watch") == []

    assert daemons.stop(signal.SIGTERM) == 0
    for line in daemons.lines:
        assert set(json.loads(line)) >= {"timestamp", "level", "logger", "message"}


def test_code_without_daemons(place: Callable[..., Place]) -> None:
    here = place()
    assert [job["name"] for job in here.json("job", "list", "-f", "jobs.py")] == ["broken", "endless", "talk"]
    config = '{"ops": {"say": {"config": {"n": 7}}}}'
    done = here.run("job", "execute", "-f", "jobs.py", "-j", "talk", "--config-json", config)
    assert "said 7" in done.stdout
    failed = here.run("job", "execute", "-f", "jobs.py", "-j", "broken", code=1)
    assert "FAILURE: ValueError: no such number" in failed.stderr

    wrong = here.run(
        "job", "launch", "-f", "jobs.py", "-j", "talk", "--config-json", config.replace("7", '"x"'), code=1
    )
    assert "ops.say.config.n" in wrong.stderr
    assert wrong.stderr.count("\n") == 1
    unknown = here.run("job", "launch", "-f", "jobs.py", "-j", "tlak", code=1)
    assert unknown.stderr == "Error: No job named 'tlak'. Did you mean 'talk'?\n"
    priority = ["--tags", '{"dagster/priority": "high"}']
    refused = here.run("job", "launch", "-f", "jobs.py", "-j", "talk", *priority, code=1)
    assert "'high' is not a whole number" in refused.stderr
    assert [run["job_name"] for run in here.json("run", "list")] == ["broken", "talk"]

    waits = here.run("job", "launch", "-f", "jobs.py", "-j", "talk")
    assert waits.stderr.startswith("No run queue daemon is alive")
    assert here.json("queue", "explain", waits.stdout.strip())["reason"]["kind"] == "no_queue_daemon"


def test_many_runs_from_a_file(place: Callable[..., Place]) -> None:
    here = place()
    lines = here.directory / "runs.jsonl"
    config = {"ops": {"say": {"config": {"n": 7}}}}
    asked = [{"tags": {"day": "1"}}, {"job_name": "broken", "tags": {"dagster/priority": 5}}, {"run_config": config}]
    lines.write_text("\n\n".join(json.dumps(line) for line in asked) + "\n")
    launch = ("job", "launch", "-f", "jobs.py", "-j", "talk", "--from", str(lines), "--tags", '{"team": "docs"}')
    run_ids = here.json(*launch, "--key", "backfill")["run_ids"]
    found = [here.json("run", "show", run_id) for run_id in run_ids]
    assert [run["job_name"] for run in found] == ["talk", "broken", "talk"]
    assert [run["tags"].get("day") for run in found] == ["1", None, None]
    assert {run["tags"]["team"] for run in found} == {"docs"}
    assert [run["priority"] for run in found] == [0, 5, 0]
    assert found[2]["run_config"] == config
    assert here.json(*launch, "--key", "backfill")["run_ids"] == run_ids, "the same key: nothing twice"

    lines.write_text('{"tags": {}}\n\n{"job_name": "tlak"}\n')
    refused = here.run(*launch, code=1)
    assert refused.stderr.endswith(f"Error: {lines}:3: No job named 'tlak'. Did you mean 'talk'?\n")
    assert len(here.json("run", "list")) == 3


def test_code_that_does_not_load(place: Callable[..., Place]) -> None:
    here = place()
    (here.directory / "bad.py").write_text("import runyard as dg\n\ndef deep():\n    return 1 / 0\n\ndeep()\n")
    checked = here.run("definitions", "validate", "-f", "bad.py", "-f", "jobs.py", code=1)
    assert "jobs.py: 3 jobs, 1 schedule, 1 sensor" in checked.stdout
    assert "bad.py" in checked.stderr
    assert "line 4, in deep" in checked.stderr
    assert "ZeroDivisionError: division by zero" in checked.stderr
    shapes = {each["name"]: each for each in here.json("definitions", "validate", "-f", "bad.py", code=1)}
    assert shapes["bad.py"]["error"]["error_class"] == "ZeroDivisionError"
    assert list(here.home.iterdir()) == []
    listed = here.run("job", "list", "-f", "bad.py", code=1)
    assert listed.stderr == "Location 'bad.py' does not load: ZeroDivisionError: division by zero\n"


CODE = """
import os
import runyard as dg

@dg.op
def say(context):
    context.log.info(f"first text, {os.environ.get('DB_URL')}")

@dg.job
def j():
    say()
"""


def test_a_command_after_an_edit_runs_the_new_text_and_knows_new_names(place: Callable[..., Place]) -> None:
    here = place()
    code = here.directory / "d.py"
    code.write_text(CODE)
    assert "j" in here.command("job", "list", "-f", "d.py")
    code.write_text(CODE.replace("first text", "second text"))
    assert "second text" in here.command("job", "execute", "-f", "d.py", "-j", "j")
    code.write_text(CODE.replace("def j", "def renamed"))
    assert "first text" in here.command("job", "execute", "-f", "d.py", "-j", "renamed")
    assert "'j'" in here.command("job", "execute", "-f", "d.py", "-j", "j", code=1)


def test_a_command_with_another_environment_does_not_get_the_error_of_the_one_before(
    place: Callable[..., Place],
) -> None:
    here = place()
    (here.directory / "d.py").write_text(f"{CODE}\nos.environ['DB_URL']\n")
    assert "KeyError" in here.command("job", "execute", "-f", "d.py", "-j", "j", code=1)
    here.env["DB_URL"] = "x"
    dev = here.start("main", "dev", "-f", "d.py", "-p", "0")
    dev.read_until(r"d\.py.* loaded: 1 job")
    assert "first text, x" in here.command("job", "execute", "-f", "d.py", "-j", "j")
    assert dev.stop() == 0
