"""``runyard run logs``: events and printed lines, without any daemon or server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from runyard.cli.follow import entries
from runyard.core.clock import ManualClock
from runyard.core.events import StoredEvent
from runyard.core.location import JobInfo, LocationDefinitions, LocationRecord, LocationState, OpInfo
from runyard.core.run import Run
from runyard.operations.cancel import cancel
from runyard.storage.run_output.merged import RunOutput
from runyard.wiring import Instance
from storage.printed import Printer

from .conftest import Cli

Enqueue = Callable[..., Run]


@pytest.fixture
def run(enqueue: Enqueue) -> Run:
    return enqueue()


@pytest.fixture
def printer(instance: Instance, run: Run) -> Printer:
    return Printer(Path(instance.settings.compute_logs_dir), run.run_id)


def test_events_and_printed_lines_by_time(cli: Cli, run: Run, printer: Printer) -> None:
    printer.say("early\n", step="load", at=1)
    printer.say("late\n", stream="err", at=run.created_at + 1)
    shown = [line.split("  ", 1)[1] for line in cli("run", "logs", run.run_id[:8]).stdout.splitlines()]
    assert shown[0] == "out  load  early"
    assert shown[1].startswith("RUN_ENQUEUED")
    assert shown[2] == "err  late"
    assert len(cli("run", "logs", run.run_id, "--stream", "events").stdout.splitlines()) == 1
    assert len(cli("run", "logs", run.run_id, "--step", "load").stdout.splitlines()) == 1
    assert "invalid" in cli("run", "logs", run.run_id, "--stream", "in", code=2).stderr.lower()


def test_one_stream_is_printed_as_it_is(cli: Cli, run: Run, printer: Printer) -> None:
    printer.say("a,b\n1,2\n", at=1)
    printer.say("noise\n", stream="err", at=1)
    assert cli("run", "logs", run.run_id, "--stream", "out").stdout == "a,b\n1,2\n"
    assert cli("run", "logs", run.run_id, "--stream", "err").stdout == "noise\n"
    both = cli("run", "logs", run.run_id, "--stream", "both").stdout.splitlines()
    assert [line.split("  ")[1:] for line in both] == [["out", "a,b"], ["out", "1,2"], ["err", "noise"]]


def test_json_is_events_unless_lines_are_asked_for(cli: Cli, run: Run, printer: Printer) -> None:
    printer.say("said\n", step="load", at=1)
    assert [event["type"] for event in cli.json("run", "logs", run.run_id)] == ["RUN_ENQUEUED"]
    (line,) = cli.json("run", "logs", run.run_id, "--stream", "both")
    assert line == {
        "number": 1,
        "at": "1970-01-01T00:00:01.000000+00:00",
        "stream": "out",
        "step_key": "load",
        "text": "said",
    }
    assert json.loads(cli("run", "logs", run.run_id, "--stream", "err", "--json").stdout) == []


def test_old_output_without_times_comes_last(cli: Cli, run: Run, printer: Printer) -> None:
    printer.say("old\n", noted=False)
    assert cli("run", "logs", run.run_id).stdout.splitlines()[-1].split() == ["out", "old"]


def test_following_shows_what_comes_until_the_run_has_ended(instance: Instance, run: Run, printer: Printer) -> None:
    output = RunOutput(printer.logs, run.run_id)

    class Clock(ManualClock):
        """Each wait is a moment at which something happens."""

        def wait(self, event: object, seconds: float) -> bool:
            happens = next(happenings)
            happens()
            return False

    happenings = iter(
        [
            lambda: printer.say("first\nhalf", at=run.created_at + 1),
            lambda: printer.say(" a line\nunended", at=run.created_at + 2),
            lambda: cancel(instance.stores, run.run_id, by="ops", clock=instance.clock),
        ]
    )
    found = list(entries(instance.stores, run.run_id, output, events=True, go_on=True, clock=Clock()))
    shown = [entry.event.type.value if isinstance(entry, StoredEvent) else entry.text for entry in found]
    assert sorted(shown[-2:]) == ["RUN_CANCELED", "unended"]
    assert shown[:-2] == ["RUN_ENQUEUED", "first", "half a line"]


def test_a_step_that_is_none_of_the_job_is_told_with_the_nearest(cli: Cli, instance: Instance, run: Run) -> None:
    job = JobInfo(name=run.job_name, ops=(OpInfo(key="load", op_name="load"),))
    definitions = LocationDefinitions(jobs=(job,))
    record = LocationRecord(name=run.location_name, state=LocationState.LOADED, definitions=definitions)
    instance.stores.locations.publish(record)
    assert cli("run", "logs", run.run_id, "--step", "load").stdout == ""
    refused = cli("run", "logs", run.run_id, "--step", "laod", code=1)
    assert "No step named 'laod'. Did you mean 'load'?" in refused.stderr
