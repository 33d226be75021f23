"""``runyard run cancel`` for many, ``run reexecute``, and what ``run delete`` takes with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from runyard.cli import main
from runyard.core.events import Event, EventType
from runyard.core.launch import RunEnd, WorkerReport
from runyard.core.lease import Fence
from runyard.core.location import JobInfo, LocationDefinitions, LocationRecord, LocationState, OpInfo
from runyard.core.run import Run, RunFailure, RunStatus
from runyard.storage.values import LocalValues
from runyard.wiring import Instance

from .conftest import Cli

Enqueue = Callable[..., Run]
OPS = (OpInfo(key="load", op_name="load"), OpInfo(key="write", op_name="write", needs=("load",)))


@pytest.fixture
def failed(enqueue: Enqueue, instance: Instance) -> Callable[..., Run]:
    """A run of which ``load`` succeeded and ``write`` failed."""
    job = JobInfo(name="job", ops=OPS)
    known = LocationRecord(name="here", state=LocationState.LOADED, definitions=LocationDefinitions(jobs=(job,)))
    instance.stores.locations.publish(known)

    def fail(**tags: str) -> Run:
        run = enqueue(**tags)
        direct = instance.stores.runs
        lease = instance.stores.leases.acquire("daemon:queue", holder="test", seconds=60)
        assert lease is not None
        claim = admit(instance, lease.name, lease.term)
        done = Event(run_id=run.run_id, type=EventType.STEP_SUCCESS, timestamp=1, attempt=1, seq=1, step_key="load")
        end = RunEnd(status=RunStatus.FAILURE, failure=RunFailure("ValueError", "no", "write", by_step=True))
        report = WorkerReport(run_id=run.run_id, attempt=1, begin=claim, events=(done,), end=end, timestamp=1)
        assert direct.report([report]) == [True]
        return run

    return fail


def admit(instance: Instance, lease: str, term: int) -> str:
    """Start the queue's first run; its token."""
    queue = instance.stores.queue
    heads = queue.heads(queue.lanes(), per_lane=1)
    (claim,) = queue.claim(heads[:1], fence=Fence(lease, term), rules_version=queue.rules().version, now=1)
    return claim.token


def test_several_runs_are_canceled(cli: Cli, enqueue: Enqueue) -> None:
    first, second, third = enqueue(), enqueue(), enqueue()
    cli("run", "cancel", third.run_id)
    told = cli("run", "cancel", first.run_id[:8], second.run_id, third.run_id).stdout
    assert told == "Canceled 2 runs. 1 run had ended already.\n"
    assert "Canceled by tester." in cli("run", "logs", first.run_id).stdout
    assert cli.json("run", "cancel", first.run_id, second.run_id) == {"canceled": 0, "canceling": 0, "ended": 2}
    assert "No run named 'feedfeed'" in cli("run", "cancel", first.run_id, "feedfeed", code=1).stderr


def test_all_that_fit_are_canceled_unasked_where_nobody_could_answer(cli: Cli, enqueue: Enqueue) -> None:
    for team in ("docs", "docs", "web"):
        enqueue("etl", team=team)
    assert cli.json("run", "cancel", "--tag", "team=docs") == {"canceled": 2, "canceling": 0, "ended": 0}
    assert cli("run", "cancel", "--all", "--job", "report").stdout == "No run matches that has not ended.\n"
    assert cli("run", "cancel", "--all", "--status", "started").stdout == "No run matches that has not ended.\n"
    assert cli("run", "cancel", "--all").stdout == "Canceled 1 run.\n"


def test_a_person_at_a_terminal_is_asked(
    cli: Cli, enqueue: Enqueue, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(), enqueue()
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    env = {"RUNYARD_HOME": str(cli.home), "USER": "tester"}
    refused = CliRunner(env=env).invoke(main.cli, ["run", "cancel", "--all"], input="n\n")
    assert refused.exit_code == 1
    assert "Cancel 2 runs? [y/N]" in refused.stderr
    assert instance.stores.queue.depth() == 2
    for option in ("--json", "--yes"):
        enqueue()
        assert CliRunner(env=env).invoke(main.cli, ["run", "cancel", "--all", option], input="").exit_code == 0
        assert instance.stores.queue.depth() == 0


@pytest.mark.parametrize(
    "args", [(), ("abcd", "--all"), ("abcd", "--job", "x"), ("--status", "SUCCESS"), ("--tag", "x")]
)
def test_unclear_cancellations_are_wrong_usage(cli: Cli, enqueue: Enqueue, args: tuple[str, ...]) -> None:
    run = enqueue()
    assert cli("run", "cancel", *args, code=2).stdout == ""
    assert cli.json("run", "show", run.run_id)["status"] == "QUEUED"


def test_a_run_is_done_again(cli: Cli, failed: Callable[..., Run]) -> None:
    first = failed(team="docs")
    result = cli("run", "reexecute", first.run_id[:8])
    second = cli.json("run", "show", result.stdout.strip())
    assert (second["status"], second["parent_run_id"], second["tags"]["team"]) == ("QUEUED", first.run_id, "docs")
    assert "No run queue daemon is alive" in result.stderr
    assert f"run {first.run_id}" in cli("run", "show", second["run_id"]).stdout
    left = cli.json("run", "reexecute", first.run_id, "--from-failure", "--tags", '{"n": 1}')
    assert (left["tags"]["dagster/is_resume_retry"], left["tags"]["n"]) == ("true", "1")
    chosen = cli.json("run", "reexecute", first.run_id, "--step", "load", "--step", "write")
    assert chosen["tags"]["dagster/step_selection"] == "load,write"


def test_what_cannot_be_done_again_is_told_in_a_line(cli: Cli, failed: Callable[..., Run], enqueue: Enqueue) -> None:
    first, waiting = failed(), enqueue()
    assert "Did you mean 'write'?" in cli("run", "reexecute", first.run_id, "--step", "wrote", code=1).stderr
    assert "is QUEUED: it can be done again" in cli("run", "reexecute", waiting.run_id, code=1).stderr
    assert "exclude each other" in cli("run", "reexecute", "x", "--from-failure", "--step", "a", code=2).stderr
    assert "are for one run" in cli("run", "reexecute", "x", "y", "--step", "a", code=2).stderr


def test_several_runs_are_done_again(cli: Cli, failed: Callable[..., Run], enqueue: Enqueue) -> None:
    first, second = failed(), failed()
    told = cli("run", "reexecute", first.run_id, second.run_id, "--from-failure").stdout
    assert f"after {first.run_id[:8]}" in told
    waiting = enqueue()
    done = cli.json("run", "reexecute", first.run_id, waiting.run_id, code=1)
    assert [run["parent_run_id"] for run in done["runs"]] == [first.run_id]
    assert [run["run_id"] for run in done["refused"]] == [waiting.run_id]


def test_a_deleted_run_takes_its_values_along(cli: Cli, failed: Callable[..., Run], instance: Instance) -> None:
    run = failed()
    values = LocalValues(instance.settings.outputs_dir)
    values.put(run.run_id, "load", "result", 5)
    cli("run", "delete", run.run_id)
    assert not values.has(run.run_id, "load", "result")
    assert not (Path(instance.settings.outputs_dir) / run.run_id).exists()
