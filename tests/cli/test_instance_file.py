"""An instance file that is edited while everything runs: what is in force, what needs a restart, what is broken."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .programs import Place, Program


@pytest.fixture
def here(place: Callable[..., Place], tmp_path: Path) -> Place:
    (tmp_path / "workspace.yaml").write_text("load_from: [{python_file: jobs.py}]")
    made = place()
    write(made, "concurrency: {runs: {max_concurrent_runs: 7}}")
    return made


def write(here: Place, text: str) -> None:
    """As editors do: another file in the place of the old one."""
    (here.home / "new").write_text(text)
    (here.home / "new").rename(here.home / "runyard.yaml")


def run_slots(here: Place) -> int | None:
    limits = here.json("instance", "concurrency", "get")
    found: int | None = next(limit["limit"] for limit in limits if limit["kind"] == "runs")
    return found


def dev(here: Place) -> tuple[Program, str]:
    program = here.start("main", "dev", "-p", "0")
    url = program.read_until(r"http://\S+\d")[0]
    program.read_until("Daemons")
    return program, url


def page(url: str) -> Any:
    with urllib.request.urlopen(f"{url}/api/v1/instance") as answer:  # noqa: S310 # our own page
        return json.load(answer)


def test_limits_are_in_force_at_once(here: Place) -> None:
    running, url = dev(here)
    assert run_slots(here) == 7
    write(here, "concurrency: {runs: {max_concurrent_runs: 3}}\nrun_retries: {enabled: true, max_retries: 1}\n")
    running.read_until("Settings +concurrency, run_retries changed in the instance file: in force")
    assert run_slots(here) == 3
    assert "max_concurrent_runs: 3" in page(url)["configuration_text"]
    failed = here.json("job", "launch", "-j", "broken", "--wait", code=1)
    assert any("retries it" in line for line in here.run("run", "logs", failed["run_id"]).stdout.splitlines())
    (here.home / "runyard.yaml").unlink()
    running.read_until("Settings +concurrency, run_retries")
    assert run_slots(here) != 3
    assert running.stop() == 0


def test_what_needs_a_restart_is_said_until_it_is_done_or_taken_back(here: Place) -> None:
    running, url = dev(here)
    limit = "concurrency: {runs: {max_concurrent_runs: 7}}\n"
    write(here, f"{limit}run_monitoring: {{enabled: true}}\nsensors: {{use_threads: true, num_workers: 2}}\n")
    running.read_until(r"A restart is needed for: run_monitoring.enabled, sensors\.")
    told = f"runyard dev (process {running.process.pid}) has to be started again for: run_monitoring.enabled, sensors"
    assert told in here.run("instance", "info").stdout
    assert told in here.run("instance", "concurrency", "get").stderr
    assert page(url)["processes"][0]["restart"] == ["run_monitoring.enabled", "sensors"]
    write(here, f"{limit}schedules: {{use_threads: true, num_workers: 2}}\n")
    running.read_until(r"A restart is needed for: schedules\.")
    assert running.stop() == 0
    again, url = dev(here)
    assert page(url)["processes"][0]["restart"] == []
    assert "started again" not in here.run("instance", "info").stdout
    assert again.stop() == 0


def test_a_file_that_broke_leaves_the_last_good_settings_in_force(here: Place) -> None:
    running, url = dev(here)
    write(here, "concurrency: {runs: {max_concurent_runs: 3}}\n")
    running.read_until(r"settings of before stay in force: .*runyard\.yaml:1.*max_concurent_runs.*max_concurrent_runs")
    shown = page(url)
    assert "max_concurent_runs" in shown["processes"][0]["problem"]
    assert "max_concurrent_runs: 7" in shown["configuration_text"]
    assert "max_concurent_runs" in here.run("instance", "info", code=1).stderr
    write(here, "concurrency: {runs: {max_concurrent_runs: 2}}\n")
    running.read_until("can be used again|Settings +concurrency")
    running.read_until("can be used again|Settings +concurrency")
    assert page(url)["processes"][0]["problem"] is None
    assert run_slots(here) == 2
    assert running.stop() == 0


def test_daemons_and_pages_of_one_home_both_follow_it(here: Place) -> None:
    daemons = here.start("daemon", "run")
    daemons.read_until("is up")
    pages = here.start("main", "webserver", "-p", "0")
    url = pages.read_until(r"http://\S+\d")[0]
    write(here, "concurrency: {runs: {max_concurrent_runs: 4}}\npython_logs: {python_log_level: ERROR}\n")
    for program in (daemons, pages):
        program.read_until("concurrency changed in the instance file")
        program.read_until("A restart is needed for: python_logs")
    assert run_slots(here) == 4
    shown = page(url)["processes"]
    assert [(each["command"], each["restart"]) for each in shown] == [
        ("runyard-daemon run", ["python_logs"]),
        ("runyard webserver", ["python_logs"]),
    ]
    assert pages.stop() == 0
    assert daemons.stop() == 0
