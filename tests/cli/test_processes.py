"""The commands as real processes, with code, daemons and signals."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from runyard.cli.follow import follow
from runyard.operations.instance import open_instance
from runyard.settings.loading import load_settings

from .programs import Place, Program, wait_until


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


LIMITS = """
concurrency:
  runs:
    tag_concurrency_limits: [{key: teem, limit: 1}]
    job_limits: [{job: tallk, limit: 1}, {job: talk, limit: 1}]
"""
TEEM = "Limit teem counts no run: no definition and no run has the tag 'teem'."
TALLK = "Limit job=tallk counts no run: no code location has a job 'tallk'. Did you mean 'talk'?"


def test_limits_that_match_nothing_are_said_once_the_code_is_loaded(place: Callable[..., Place]) -> None:
    here = place()
    (here.home / "runyard.yaml").write_text(LIMITS)
    (here.directory / "workspace.yaml").write_text("load_from: [{python_file: jobs.py}]")
    daemons = here.start("daemon", "run")
    daemons.read_all(re.escape(TEEM), re.escape(TALLK))
    assert daemons.stop(signal.SIGTERM) == 0
    assert sum(TEEM in line for line in daemons.lines) == 1
    assert not any("job=talk " in line for line in daemons.lines)
    assert here.json("instance", "info")["idle_limits"] == [TEEM, TALLK]

    dev = here.start("main", "dev", "-f", "jobs.py", "-p", "0")
    dev.read_all(f"  Note      {re.escape(TEEM)}", f"  Note      {re.escape(TALLK)}")
    assert dev.stop() == 0


def test_code_without_daemons(place: Callable[..., Place]) -> None:
    here = place()
    assert [job["name"] for job in here.json("job", "list", "-f", "jobs.py")] == ["broken", "endless", "talk"]
    config = '{"ops": {"say": {"config": {"n": 7}}}}'
    done = here.run("job", "execute", "-f", "jobs.py", "-j", "talk", "--config-json", config)
    assert "said 7" in done.stdout
    failed = here.run("job", "execute", "-f", "jobs.py", "-j", "broken", code=1)
    assert "FAILURE: ValueError: no such number" in failed.stderr
    assert "raise ValueError" in failed.stdout, "the user's own line is shown with the failed step"

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
    # On a busy machine the command also says what it waits for.
    assert listed.stderr.splitlines()[-1] == "Location 'bad.py' does not load: ZeroDivisionError: division by zero"


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


def test_a_location_that_dies_at_load_is_said_once_and_is_up_when_it_is_mended(place: Callable[..., Place]) -> None:
    here = place()
    code = here.directory / "d.py"
    dying = "import os, pathlib\nwith open('tries', 'a') as file: file.write('.')\nos._exit(3)\n"
    code.write_text(dying)
    dev = here.start("main", "dev", "-f", "d.py", "-p", "0")
    dev.read_until("Location  d.py does not load")
    tries = here.directory / "tries"
    wait_until(lambda: len(tries.read_text()) >= 3)
    code.write_text(dying.replace("3", "4"))
    dev.read_until("exit code 4")
    code.write_text(CODE)
    dev.read_until("Location  d.py loaded again: 1 job")
    assert dev.stop() == 0
    assert sum("does not load" in line for line in dev.lines) == 2
    assert sum("exit code 3" in line for line in dev.lines) == 1


def test_a_host_that_does_not_come_up_is_told_on_the_terminal_in_info_and_once(place: Callable[..., Place]) -> None:
    here = place()
    (here.directory / "library").mkdir()
    (here.directory / "library" / "grpc.py").write_text("raise ImportError('no libstdc++')")
    # The control process has gRPC of its own: only its host meets this one.
    (here.directory / "d.py").write_text(CODE)
    daemon_process = Program(
        [sys.executable, "-c", BREAKS_ITS_HOSTS, "dev", "-f", "d.py", "-p", "0"], cwd=here.directory, env=here.env
    )
    here.programs.append(daemon_process)
    told = daemon_process.read_until(r"HostNotStarted: .* Its log is (\S+)\.")
    assert "did not come up: it ended with exit code 1; its last words: ImportError: no libstdc++." in told.string
    log = Path(told[1].removesuffix("\x1b[0m"))
    assert "no libstdc++" in log.read_text()
    [location] = here.json("instance", "info")["locations"]
    assert (location["name"], location["state"], location["log"]) == ("d.py", "ERROR", str(log))
    assert str(log) in location["error"]
    assert re.search(rf"location: +d\.py: ERROR; HostNotStarted: .* log {log}", here.run("instance", "info").stdout)
    assert daemon_process.stop() == 0
    assert sum("HostNotStarted" in line for line in daemon_process.lines) == 1


BREAKS_ITS_HOSTS = """
import os, grpc
from runyard.cli.main import main
os.environ["PYTHONPATH"] = os.path.abspath("library")
main()
"""


RETRIES = """
import runyard as dg

@dg.op(retry_policy=dg.RetryPolicy(max_retries=3, delay=600))
def flaky():
    raise ValueError("not yet")

@dg.job(executor_def=dg.EXECUTOR)
def again():
    flaky()
"""


@pytest.mark.parametrize("executor", ["in_process_executor", "multiprocess_executor"])
def test_a_run_that_waits_for_its_retry_is_canceled_without_a_daemon(
    place: Callable[..., Place], executor: str
) -> None:
    here = place()
    (here.directory / "retries.py").write_text(RETRIES.replace("EXECUTOR", executor))
    execute = here.start("main", "job", "execute", "-f", "retries.py", "-j", "again")
    execute.read_until("STEP_UP_FOR_RETRY")
    [run] = here.json("run", "list")
    here.command("run", "cancel", run["run_id"])
    execute.read_until("RUN_CANCELED")
    assert execute.process.wait() == 1
    assert here.json("run", "show", run["run_id"])["status"] == "CANCELED"


def test_ctrl_c_cancels_the_run_that_is_executed(place: Callable[..., Place]) -> None:
    here = place()
    execute = here.start("main", "job", "execute", "-f", "jobs.py", "-j", "endless")
    execute.read_until("STEP_START")
    assert execute.stop() == 1
    assert here.json("run", "list")[0]["status"] == "CANCELED"
