"""``runyard queue`` in a person's hands: many runs at once, pauses, drains, the record of who did what."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from runyard.cli import main, session
from runyard.core.location import JobInfo, LocationDefinitions, LocationRecord, LocationState
from runyard.core.pools import PoolNeeds
from runyard.core.run import Run, RunStatus
from runyard.wiring import Instance

from .conftest import Cli

Enqueue = Callable[..., Run]


def priorities(cli: Cli) -> list[int]:
    return [entry["priority"] for entry in cli.json("queue", "list")]


def test_many_runs_get_another_priority(cli: Cli, enqueue: Enqueue) -> None:
    for team in ("docs", "docs", "web"):
        enqueue("etl", team=team)
    told = cli("queue", "priority", "7", "--tag", "team=docs", "--yes").stdout
    assert told == "Reprioritised 2 runs.\n"
    assert priorities(cli) == [7, 7, 0]
    assert cli.json("queue", "priority", "-3", "--with-priority", "7", "--yes") == {
        "action": "priority",
        "matching": 2,
        "changed": 2,
    }
    assert priorities(cli) == [0, -3, -3]
    assert "1 were so already" in cli("queue", "priority", "0", "--all", "-y").stdout
    assert cli("queue", "priority", "1", "--job", "nothing", "-y").stdout == "No queued run matches.\n"


def test_a_person_is_asked_before_many_runs_change(cli: Cli, enqueue: Enqueue, instance: Instance) -> None:
    enqueue("etl"), enqueue("etl")
    env = {"RUNYARD_HOME": str(cli.home), "USER": "tester"}
    refused = CliRunner(env=env).invoke(main.cli, ["queue", "cancel", "--job", "etl"], input="n\n")
    assert refused.exit_code == 1
    assert "Cancel 2 queued runs (job etl)? [y/N]" in refused.stderr
    assert instance.stores.queue.depth() == 2
    agreed = CliRunner(env=env).invoke(main.cli, ["queue", "cancel", "--job", "etl", "--json"], input="y\n")
    assert agreed.exit_code == 0
    assert '"changed": 2' in agreed.stdout
    assert instance.stores.runs.count_by_status() == {RunStatus.CANCELED: 2}


def test_filters_and_all_are_not_given_together(cli: Cli, enqueue: Enqueue) -> None:
    enqueue("etl")
    told = cli("queue", "hold", "--job", "etl", "--all", "-y", code=2).stderr
    assert "RUN_ID, filters and --all exclude each other" in told
    assert "Say which runs" in cli("queue", "hold", "-y", code=2).stderr


def test_who_acts_is_the_user_of_the_process(cli: Cli, enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch) -> None:
    run = enqueue("etl")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    with monkeypatch.context() as nameless:
        nameless.setattr("getpass.getuser", _no_such_user)
        assert session.user() == f"user {os.getuid()}"
    assert session.user() == pwd.getpwuid(os.getuid()).pw_name
    cli("queue", "hold", run.run_id)
    assert cli.json("run", "show", run.run_id)["held"]["by"] == "tester"


def _no_such_user() -> str:
    raise KeyError


def test_hold_and_release_by_filter(cli: Cli, enqueue: Enqueue) -> None:
    first, _, other = enqueue("etl"), enqueue("etl"), enqueue("report")
    cli("queue", "hold", "-j", "etl", "--reason", "audit", "-y")
    cli("queue", "hold", other.run_id)
    assert "Released 2 runs." in cli("queue", "release", "--held", "--job", "etl", "-y").stdout
    assert cli.json("run", "show", first.run_id)["held"] is None
    assert cli.json("run", "show", other.run_id)["held"]["by"] == "tester"


def test_one_queued_run_is_canceled(cli: Cli, enqueue: Enqueue) -> None:
    run = enqueue()
    assert cli("queue", "cancel", run.run_id[:8], "--reason", "wrong day").stdout == f"{run.run_id} canceled\n"
    assert cli.json("queue", "cancel", run.run_id)["status"] == "CANCELED", "it is so already"
    assert "Canceled by tester: wrong day" in cli("run", "logs", run.run_id).stdout


@pytest.mark.parametrize(
    "args",
    [
        ("hold",),
        ("hold", "abcd", "--all"),
        ("hold", "--all", "--job", "x"),
        ("priority",),
        ("priority", "abcd", "1", "2"),
        ("priority", "abcd", "1", "--all"),
        ("cancel", "--tag", "team"),
        ("pause", "--tag", "team"),
        ("pause", "--pool", "db", "--location", "here"),
    ],
)
def test_unclear_requests_are_wrong_usage(cli: Cli, enqueue: Enqueue, args: tuple[str, ...]) -> None:
    enqueue()
    assert cli("queue", *args, code=2).stdout == ""
    assert cli.json("queue", "pauses") == []
    assert cli.json("queue", "history") == []


def test_the_queue_is_paused_and_resumed(cli: Cli, enqueue: Enqueue) -> None:
    run = enqueue()
    assert cli("queue", "pause", "--reason", "upgrade").stdout == "Paused queue. 1 queued run will wait.\n"
    reason = cli.json("queue", "explain", run.run_id)["reason"]
    assert (reason["kind"], reason["needs_action"]) == ("paused", True)
    assert "tester" in reason["message"]
    assert "upgrade" in reason["message"]
    (paused,) = cli.json("queue", "pauses")
    assert (paused["subject"], paused["by"], paused["reason"], paused["until"]) == ("queue", "tester", "upgrade", None)
    cli("queue", "pause", "--tag", "team=docs", "--until", "in 2h")
    assert cli("queue", "resume").stdout == "Resumed queue.\nStill paused: team=docs.\n"
    assert "queue was not paused." in cli("queue", "resume").stdout
    assert cli.json("queue", "resume", "--tag", "team=docs")["resumed"]["subject"] == "team=docs"
    assert cli("queue", "pauses").stdout == "Nothing is paused.\n"


def test_a_key_with_an_equals_sign_is_written_with_a_backslash(cli: Cli, enqueue: Enqueue) -> None:
    odd, other = enqueue(**{"t=1": "x"}), enqueue(t="1=x")
    assert cli.json("queue", "pause", "--tag", r"t\=1=x")["subject"] == r"t\=1=x"
    assert cli.json("queue", "explain", odd.run_id)["reason"]["kind"] == "paused"
    assert cli.json("queue", "explain", other.run_id)["reason"]["kind"] != "paused"
    assert cli("queue", "resume", "--tag", r"t\=1=x").stdout == "Resumed t\\=1=x.\n"
    assert cli.json("queue", "hold", "--tag", r"t\=1=x", "-y")["changed"] == 1
    assert cli("queue", "drain", "--tag", "t=1=x").stdout.startswith("Draining t=1=x.")
    assert cli.json("run", "cancel", "--tag", r"t\=1=x", "-y")["canceled"] == 1


@pytest.fixture
def known(instance: Instance) -> None:
    """A location has been loaded: its job is 'report', of the team 'docs' and in the pool 'db'."""
    job = JobInfo(name="report", tags={"team": "docs"}, pools=PoolNeeds({"db": 1}, {"db": 1}))
    definitions = LocationDefinitions(jobs=(job,))
    record = LocationRecord(name="here", state=LocationState.LOADED, definitions=definitions)
    instance.stores.locations.publish(record)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("subject", "says"),
    [
        (("--job", "reprot"), "No job named 'reprot'. Did you mean 'report'?"),
        (("--pool", "dbb"), "No pool named 'dbb'. Did you mean 'db'?"),
        (("--location", "her"), "No code location named 'her'. Did you mean 'here'?"),
    ],
)
def test_a_pause_of_what_is_not_there_is_refused(cli: Cli, subject: tuple[str, str], says: str) -> None:
    for command in ("pause", "drain"):
        assert says in cli("queue", command, *subject, code=1).stderr
    assert cli.json("queue", "pauses") == []


@pytest.mark.usefixtures("known")
def test_a_pause_or_limit_that_nothing_has_yet_is_made_with_a_note(cli: Cli) -> None:
    paused = cli("queue", "pause", "--tag", "teem=docs")
    assert paused.stdout == "Paused teem=docs. 0 queued runs will wait.\n"
    note = "It holds nothing back so far: no definition and no run has the tag 'teem'. Did you mean 'team'?"
    assert paused.stderr == f"{note}\n"
    assert cli.json("queue", "drain", "--tag", "teem=docs")["note"] == note
    assert cli.json("queue", "pause", "--tag", "team=docs")["note"] is None

    command = ("instance", "concurrency")
    made = cli(*command, "set", "dbb", "1")
    assert made.stdout == "pool dbb: 1\n"
    assert made.stderr == "Pool dbb holds no step back: no op is in a pool 'dbb'. Did you mean 'db'?\n"
    assert cli(*command, "set", "db", "1").stderr == ""
    assert "no op is in a pool 'dbb'" in cli(*command, "get").stderr
    assert "'a b' is no name for a pool" in cli(*command, "set", "a b", "1", code=1).stderr
    assert "no op is in a pool 'nope'" in cli(*command, "unset", "nope").stderr


@pytest.mark.usefixtures("known")
def test_limits_that_match_nothing_are_notes_of_the_instance(cli: Cli) -> None:
    (cli.home / "runyard.yaml").write_text(
        "concurrency:\n"
        "  runs:\n"
        "    tag_concurrency_limits:\n"
        "      - {key: dagster/concurrency_key, limit: 1, value: {applyLimitPerUniqueValue: true}}\n"
        "      - {key: team, limit: 1}\n"
        "    job_limits: [{job: reprot, limit: 1}]\n"
    )
    first, second = cli.json("instance", "info")["idle_limits"]
    assert first.endswith("is a tag of ops, and runs do not have it. Such ops are in a pool: limit that.")
    assert second.endswith("no code location has a job 'reprot'. Did you mean 'report'?")
    text = cli("instance", "info").stdout
    assert f"note:          {first}\n" in text
    assert f"note:          {second}\n" in text


def test_a_job_is_paused_alone(cli: Cli, enqueue: Enqueue) -> None:
    etl, report = enqueue("etl"), enqueue("report")
    assert cli.json("queue", "pause", "--job", "etl")["drain"] is False
    assert cli.json("queue", "explain", etl.run_id)["reason"]["kind"] == "paused"
    assert cli.json("queue", "explain", report.run_id)["reason"]["kind"] != "paused"


def test_a_time_that_is_not_understood_says_what_is(cli: Cli) -> None:
    told = cli("queue", "pause", "--until", "soon", code=1).stderr
    assert "'soon' is no time; write an ISO 8601 time such as" in told
    assert "18:00, or 2h, in 90m" in told
    assert cli.json("queue", "pauses") == []


def test_drain_waits_for_what_runs(cli: Cli, enqueue: Enqueue) -> None:
    run = enqueue()
    told = cli("queue", "drain", "--wait", "--reason", "upgrade").stdout
    assert told == "Draining queue.\nNothing of it runs any more.\n"
    assert cli.json("queue", "explain", run.run_id)["reason"]["kind"] == "draining"
    shape = cli.json("queue", "drain", "--wait")
    assert (shape["drain"], shape["running"]) == (True, 0)


def test_everything_is_on_record_with_its_author(cli: Cli, enqueue: Enqueue) -> None:
    run = enqueue(team="docs")
    cli("queue", "hold", run.run_id, "--reason", "audit")
    cli("queue", "priority", "5", "--tag", "team=docs", "-y")
    cli("queue", "pause", "--tag", "team=docs")
    cli("queue", "resume", "--tag", "team=docs")
    cli("queue", "drain")
    cli("instance", "concurrency", "set", "--runs", "3")
    entries = cli.json("queue", "history")
    wanted = ["limit", "drain", "resume", "pause", "priority", "hold"]
    assert [entry["action"] for entry in entries] == wanted
    assert {entry["by"] for entry in entries} == {"tester"}
    assert "audit" in entries[-1]["message"]
    assert len(cli.json("queue", "history", "--limit", "2")) == 2
    assert "team=docs" in cli("queue", "history").stdout


def test_limits_are_shown_set_and_unset(cli: Cli) -> None:
    (cli.home / "runyard.yaml").write_text(
        "concurrency:\n  runs: {max_concurrent_runs: 4, tag_concurrency_limits: [{key: team, value: docs, limit: 1}]}\n"
        "  pools: {default_limit: 2}\n"
    )
    command = ("instance", "concurrency")
    assert cli.json(*command, "get", "db") == {
        "kind": "pool",
        "name": "db",
        "limit": 2,
        "origin": "default",
        "note": None,
    }
    assert cli(*command, "set", "db", "5").stdout == "pool db: 5\n"
    assert cli.json(*command, "set", "--runs", "-1")["limit"] is None
    assert cli.json(*command, "set", "--tag", "team=docs", "3")["limit"] == 3
    found = {limit["name"]: limit["limit"] for limit in cli.json(*command, "get", "--all")}
    assert found == {"": None, "team=docs": 3, "db": 5}
    assert "max_concurrent_runs  none   set" in cli(*command, "get").stdout
    assert cli(*command, "unset", "db").stdout == "pool db: 2 (the default)\n"
    assert cli(*command, "unset", "--runs").stdout == "max_concurrent_runs: 4 (the instance file)\n"
    assert cli.json(*command, "unset", "--tag", "team=docs")["limit"] == 1


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("set", "db", "1001"), 1, "from 0 to 1000"),
        (("set", "db", "-1"), 1, "from 0 to 1000"),
        (("set", "db", "many"), 2, "'many' is not a whole number"),
        (("set", "db", str(2**70)), 2, "too large"),
        (("set", "5"), 2, "Name one of POOL, --runs and --tag"),
        (("set", "db", "--runs", "5"), 2, "Name one of"),
        (("set", "--runs", "-2"), 1, "-1 for no limit"),
        (("set", "--tag", "team", "5"), 1, "No tag rule named 'team'"),
        (("get", "db", "--all"), 2, "POOL or --all"),
        (("unset",), 2, "Name one of"),
    ],
)
def test_limits_that_cannot_be_say_what_can(cli: Cli, args: tuple[str, ...], code: int, says: str) -> None:
    assert says in cli("instance", "concurrency", *args, code=code).stderr
    assert cli.json("queue", "history") == []
