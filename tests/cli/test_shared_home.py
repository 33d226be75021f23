"""Several processes on one home: each says so at its start, and none ends the runs of another."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from runyard.cli.follow import follow
from runyard.core.location import LocationState
from runyard.core.run import ACTIVE, RunStatus
from runyard.operations.instance import Instance, open_instance
from runyard.settings.loading import load_settings

from .programs import Place, Program, wait_until

NEEDY = """
import os
import runyard as dg

URL = os.environ["DATABASE_URL"]

@dg.op
def say(context): context.log.info(URL)

@dg.job
def talk(): say()
"""


@pytest.fixture
def here(place: Callable[..., Place], tmp_path: Path) -> Place:
    (tmp_path / "workspace.yaml").write_text("load_from: [{python_file: jobs.py}]")
    return place()


@pytest.fixture
def instance(here: Place) -> Iterator[Instance]:
    with open_instance(load_settings(str(here.home), env={})) as opened:
        yield opened


def dev(here: Place, *args: str) -> Program:
    program = here.start("main", "dev", "-p", "0", *args)
    program.read_until("Daemons")
    return program


def waiting_run(here: Place, instance: Instance) -> str:
    """A run that is in user code, and stays there until ``go`` is there."""
    run_id = here.run("job", "launch", "-j", "endless").stdout.strip()
    stored = follow(instance.stores, run_id, clock=instance.clock)
    assert next(each for each in stored if each.event.type == "STEP_START").event.step_key == "wait"
    return run_id


def status(instance: Instance, run_id: str) -> RunStatus:
    run = instance.stores.runs.get(run_id)
    assert run is not None
    return run.status


def finishes(here: Place, instance: Instance, run_id: str) -> RunStatus:
    (here.directory / "go").touch()
    list(follow(instance.stores, run_id, clock=instance.clock))
    return status(instance, run_id)


def test_a_second_dev_says_who_serves_the_home_and_leaves_its_runs_alone(here: Place, instance: Instance) -> None:
    first = here.start("main", "dev", "-p", "0")
    address = first.read_until(r"http://\S+\d")[0]
    first.read_until("Daemons")
    run_id = waiting_run(here, instance)

    second = dev(here)
    told = second.read_until("Shared")
    line = second.lines[-1]
    assert told
    assert f"runyard dev (process {first.process.pid}), since 20" in line
    assert address in line
    assert second.stop() == 0
    assert f"1 run goes on, served by runyard dev (process {first.process.pid})" in "".join(second.lines)
    assert status(instance, run_id) is RunStatus.STARTED
    assert finishes(here, instance, run_id) is RunStatus.SUCCESS
    assert first.stop() == 0


def test_the_last_one_ends_the_runs(here: Place, instance: Instance) -> None:
    first, second = dev(here), dev(here)
    run_id = waiting_run(here, instance)
    assert first.stop() == 0
    assert status(instance, run_id) is RunStatus.STARTED
    assert second.stop() == 0
    assert status(instance, run_id) is RunStatus.CANCELED
    assert instance.stores.processes.all() == []


def test_the_last_one_ends_runs_of_a_host_that_is_not_its_own(here: Place, instance: Instance) -> None:
    """Another environment, another host: what the first has left there is nobody else's to end."""
    first = dev(here)
    run_id = waiting_run(here, instance)
    here.env["DATABASE_URL"] = "another"
    second = dev(here)
    second.read_until("loaded")
    assert first.stop() == 0
    assert status(instance, run_id) is RunStatus.STARTED
    assert second.stop() == 0
    assert status(instance, run_id) is RunStatus.CANCELED


def test_of_two_that_end_together_one_ends_the_runs(here: Place, instance: Instance) -> None:
    first, second = dev(here), dev(here)
    run_id = waiting_run(here, instance)
    for program in (first, second):
        program.process.send_signal(signal.SIGINT)
    for program in (first, second):
        assert program.process.stdout is not None
        program.process.stdout.read()
        assert program.process.wait() == 0
    assert status(instance, run_id) is RunStatus.CANCELED


def test_dev_beside_daemons_alone(here: Place, instance: Instance) -> None:
    daemons = here.start("daemon", "run")
    daemons.read_until("is up")
    run_id = waiting_run(here, instance)
    beside = dev(here)
    beside.read_until(rf"Shared +with runyard-daemon run \(process {daemons.process.pid}\)")
    assert beside.stop() == 0
    second = here.start("daemon", "run")
    second.read_until(rf"served by runyard-daemon run \(process {daemons.process.pid}\)")
    assert second.stop(signal.SIGTERM) == 0
    assert finishes(here, instance, run_id) is RunStatus.SUCCESS
    assert daemons.stop() == 0


def test_pages_alone_keep_no_runs(here: Place, instance: Instance) -> None:
    """Nothing would look after them: dev keeps its promise to end them."""
    first = dev(here)
    pages = here.start("main", "webserver", "-p", "0")
    pages.read_until(rf"served by runyard dev \(process {first.process.pid}\)")
    run_id = waiting_run(here, instance)
    assert first.stop() == 0
    assert status(instance, run_id) is RunStatus.CANCELED
    assert pages.stop() == 0


def test_locations_of_its_own_end_with_it(here: Place, instance: Instance, tmp_path: Path) -> None:
    daemons = here.start("daemon", "run", "--empty-workspace")
    daemons.read_until("is up")
    first = here.start("main", "job", "execute", "-f", "jobs.py", "-j", "endless")
    first.read_until("STEP_START")
    beside = here.start("main", "dev", "-f", "jobs.py", "-p", "0")
    beside.read_until("Shared")
    assert beside.stop() == 0
    assert not instance.stores.runs.count_by_status().get(RunStatus.STARTED)
    assert daemons.stop() == 0


def test_a_killed_process_shares_nothing_any_more(here: Place, instance: Instance) -> None:
    first = dev(here)
    first.process.kill()
    first.process.wait()
    assert [process.pid for process in instance.stores.processes.all()] == [first.process.pid]
    second = dev(here)
    run_id = waiting_run(here, instance)
    assert second.stop() == 0
    assert "Shared" not in "".join(second.lines)
    assert status(instance, run_id) not in ACTIVE


def test_a_port_in_use_names_who_has_it(here: Place) -> None:
    first = here.start("main", "dev", "-p", "0")
    port = first.read_until(r"http://127.0.0.1:(\d+)")[1]
    first.read_until("Daemons")
    refused = here.run("webserver", "-p", port, code=1)
    assert f"in use by runyard dev (process {first.process.pid})" in refused.stderr
    assert first.stop() == 0


def test_who_serves_is_shown_by_instance_info(here: Place) -> None:
    first = dev(here)
    (known,) = here.json("instance", "info")["processes"]
    assert (known["command"], known["pid"], known["home"]) == ("runyard dev", first.process.pid, str(here.home))
    assert f"runyard dev (process {first.process.pid}), since" in here.run("instance", "info").stdout
    assert first.process.pid != os.getpid()
    assert first.stop() == 0
    assert here.json("instance", "info")["processes"] == []


def published_host(instance: Instance) -> str:
    """The host of the code that pages and schedules go by."""
    record = instance.stores.locations.get("jobs.py")
    assert record is not None
    assert record.state is LocationState.LOADED, record.error
    assert record.host_id is not None
    return record.host_id


def test_what_is_enqueued_is_checked_by_the_code_of_the_daemons(here: Place, instance: Instance) -> None:
    """It is executed there: the command's shell need not have their variables."""
    (here.directory / "jobs.py").write_text(NEEDY)
    here.env["DATABASE_URL"] = "theirs"
    first = dev(here)
    first.read_until("loaded")
    del here.env["DATABASE_URL"]
    assert "SUCCESS" in here.command("job", "launch", "-j", "talk", "--wait")
    assert "talk" in here.command("job", "list")
    assert len(instance.stores.hosts.all()) == 1
    # What runs here and now runs with the variables of here and now.
    assert "does not load: KeyError: 'DATABASE_URL'" in here.command("job", "execute", "-j", "talk", code=1)
    assert first.stop() == 0
    assert "does not load: KeyError: 'DATABASE_URL'" in here.command("job", "launch", "-j", "talk", code=1)


def test_pages_of_another_environment_show_the_code_of_the_daemons(here: Place, instance: Instance) -> None:
    (here.directory / "jobs.py").write_text(NEEDY)
    here.env["DATABASE_URL"] = "theirs"
    first = dev(here)
    first.read_until("loaded")
    host = published_host(instance)
    del here.env["DATABASE_URL"]
    pages = here.start("main", "webserver", "-p", "0")
    address = pages.read_until(r"http://\S+\d")[0]
    launched = httpx.post(f"{address}/api/v1/runs", json={"job_name": "talk"})
    assert launched.status_code == 201, launched.text
    assert published_host(instance) == host
    assert [record.host_id for record in instance.stores.hosts.all()] == [host]
    assert pages.stop() == 0
    assert first.stop() == 0


def test_pages_that_were_there_first_go_by_the_code_of_the_daemons(here: Place, instance: Instance) -> None:
    (here.directory / "jobs.py").write_text(NEEDY)
    pages = here.start("main", "webserver", "-p", "0")
    address = pages.read_until(r"http://\S+\d")[0]
    assert "KeyError" in httpx.post(f"{address}/api/v1/runs", json={"job_name": "talk"}).text
    here.env["DATABASE_URL"] = "theirs"
    first = dev(here)
    first.read_until("loaded")
    host = published_host(instance)
    wait_until(lambda: httpx.post(f"{address}/api/v1/runs", json={"job_name": "talk"}).status_code == 201)
    assert published_host(instance) == host
    assert first.stop() == 0
    assert pages.stop() == 0


def test_of_two_environments_that_of_the_first_process_is_published(here: Place, instance: Instance) -> None:
    first = dev(here)
    first.read_until("loaded")
    host = published_host(instance)
    here.env["DATABASE_URL"] = "another"
    second = dev(here)
    second.read_until("loaded")
    assert published_host(instance) == host
    (own,) = {record.host_id for record in instance.stores.hosts.all()} - {host}
    assert first.stop() == 0
    wait_until(lambda: published_host(instance) == own)
    assert second.stop() == 0
