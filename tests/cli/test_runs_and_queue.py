"""Commands that need storage but no code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from runyard.core.run import Run, RunStatus
from runyard.storage.compute_logs import LocalComputeLogs
from runyard.wiring import Instance

from .conftest import Cli

Enqueue = Callable[..., Run]


def test_no_runs(cli: Cli) -> None:
    assert cli("run", "list").stdout == "No runs.\n"
    assert cli.json("run", "list") == []
    assert cli.json("queue", "list") == []


def test_list_runs_with_filters(cli: Cli, enqueue: Enqueue) -> None:
    first, second, third = enqueue("a", team="x"), enqueue("b", team="y"), enqueue("a", team="y")
    cli("run", "cancel", third.run_id)

    def ids(*options: str) -> list[str]:
        return [run["run_id"] for run in cli.json("run", "list", *options)]

    assert ids() == [third.run_id, second.run_id, first.run_id]
    assert ids("--limit", "1") == [third.run_id]
    assert ids("--job", "a") == [third.run_id, first.run_id]
    assert ids("--status", "queued") == [second.run_id, first.run_id]
    assert ids("--status", "QUEUED", "--status", "CANCELED") == [third.run_id, second.run_id, first.run_id]
    assert ids("--tag", "team=y", "--status", "CANCELED") == [third.run_id]
    odd = enqueue(**{"t=1": "x"})
    assert ids("--tag", r"t\=1=x") == [odd.run_id]
    assert ids("--tag", "t=1=x") == []
    assert r"t\=1=x" in cli("run", "show", odd.run_id).stdout
    assert "no run has both" in cli("run", "list", "--tag", "team=x", "--tag", "team=y", code=2).stderr
    assert "write KEY=VALUE" in cli("run", "list", "--tag", "team", code=2).stderr
    assert "invalid" in cli("run", "list", "--status", "DONE", code=2).stderr.lower()


def test_the_shape_of_a_run(cli: Cli, enqueue: Enqueue) -> None:
    run = enqueue("a", priority=3, team="x")
    shape = cli.json("run", "show", run.run_id[:8])
    wanted = (
        "run_id job_name location status priority tags run_config attempt queue_seq launch_seq created_at queued_at "
        "launched_at started_at ended_at failure"
    )
    assert set(wanted.split()) <= set(shape)
    assert shape["status"] == "QUEUED"
    assert shape["priority"] == 3
    assert shape["launched_at"] is None
    assert datetime.fromisoformat(shape["created_at"]).utcoffset() == timedelta(0)
    text = cli("run", "show", run.run_id).stdout
    assert run.run_id in text
    assert "QUEUED" in text


def test_runs_that_are_not_there(cli: Cli) -> None:
    for command in (["run", "show"], ["run", "logs"], ["run", "cancel"], ["run", "delete"], ["queue", "explain"]):
        result = cli(*command, "deadbeef", code=1)
        assert result.stderr == "Error: No run named 'deadbeef'.\n"
        assert result.stdout == ""


def test_cancel_is_the_same_twice_and_delete_needs_an_end(cli: Cli, enqueue: Enqueue, instance: Instance) -> None:
    run = enqueue()
    assert "QUEUED" in cli("run", "delete", run.run_id, code=1).stderr
    assert cli.json("run", "cancel", run.run_id)["status"] == "CANCELED"
    assert cli.json("run", "cancel", run.run_id)["status"] == "CANCELED"
    logs = LocalComputeLogs(instance.settings.compute_logs_dir)
    directory = logs.make_directory(run.run_id)
    logs.path(run.run_id, "out").write_text("said")
    cli("run", "delete", run.run_id[:8])
    assert not directory.exists()
    assert instance.stores.runs.get(run.run_id) is None


def test_logs_of_a_run(cli: Cli, enqueue: Enqueue) -> None:
    run = enqueue()
    (event,) = cli.json("run", "logs", run.run_id)
    assert event["type"] == "RUN_ENQUEUED"
    cli("run", "cancel", run.run_id)
    assert [event["type"] for event in cli.json("run", "logs", run.run_id, "--follow")] == [
        "RUN_ENQUEUED",
        "RUN_CANCELED",
    ]
    lines = cli("run", "logs", run.run_id).stdout.splitlines()
    assert len(lines) == 2
    assert "Canceled by tester." in lines[1]


def test_the_queue_is_listed_and_explained(cli: Cli, enqueue: Enqueue) -> None:
    low, high = enqueue(priority=-1), enqueue(priority=5)
    entries = cli.json("queue", "list")
    assert [entry["run_id"] for entry in entries] == [high.run_id, low.run_id]
    wanted = "run_id job_name position forecast_position priority queued_at waiting_seconds estimated_start reason"
    assert set(wanted.split()) <= set(entries[0])
    assert {"kind", "message", "rule", "limit", "used", "holders"} <= set(entries[0]["reason"])
    assert len(cli.json("queue", "list", "--limit", "1")) == 1
    assert "1 more." in cli("queue", "list", "--limit", "1").stdout

    explained = cli.json("queue", "explain", low.run_id)
    assert explained["position"] == 2
    assert low.run_id in cli("queue", "explain", low.run_id).stdout
    cli("run", "cancel", low.run_id)
    ended = cli.json("queue", "explain", low.run_id)
    assert ended["reason"]["kind"] == "status"
    assert set(ended) == set(explained)
    assert "CANCELED" in cli("queue", "explain", low.run_id).stdout


def test_priority_hold_and_release(cli: Cli, enqueue: Enqueue, instance: Instance) -> None:
    first, second = enqueue(), enqueue()
    assert cli.json("queue", "priority", second.run_id, "7")["priority"] == 7
    assert cli.json("queue", "priority", second.run_id[:8], "-3")["priority"] == -3
    result = cli("queue", "priority", second.run_id, "high", code=1)
    assert "'high' is not a whole number" in result.stderr
    cli("queue", "hold", first.run_id, "--reason", "waits for the audit")
    (held,) = [entry for entry in cli.json("queue", "list") if entry["run_id"] == first.run_id]
    assert held["reason"]["kind"] == "held"
    assert "waits for the audit" in held["reason"]["message"]
    assert cli.json("run", "show", first.run_id)["held"] == {"by": "tester", "reason": "waits for the audit"}
    cli("queue", "release", first.run_id)
    assert cli.json("run", "show", first.run_id)["held"] is None
    cli("run", "cancel", first.run_id)
    assert "is not queued: it is CANCELED" in cli("queue", "hold", first.run_id, code=1).stderr
    assert instance.stores.runs.count_by_status()[RunStatus.QUEUED] == 1


def test_the_instance(cli: Cli) -> None:
    (cli.home / "runyard.yaml").write_text("run_queue: {max_concurrent_runs: 3}\ntelemetry: {enabled: false}\n")
    info = cli.json("instance", "info")
    assert info["home"] == str(cli.home)
    assert info["settings"]["queue"]["rules"]["max_concurrent_runs"] == 3
    assert info["daemons_off"] == {"MONITORING": {"setting": "run_monitoring.enabled: false", "where": None}}
    text = cli("instance", "info").stdout
    assert "runyard.yaml:2: telemetry: Runyard never sends telemetry" in text
    assert "schema revision" in cli("instance", "migrate").stdout


def test_daemons_that_do_not_run(cli: Cli) -> None:
    result = cli.daemon("liveness-check", code=1)
    assert result.stderr == "Not live: SCHEDULER, QUEUED_RUN_COORDINATOR, SENSOR.\n"
    cli.daemon("liveness-check", "--this-process", "1", code=1)
    text = cli.daemon("status").stdout
    assert text.count("not_running") == 3
    assert "run_monitoring.enabled: false (the default)" in text
