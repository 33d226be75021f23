"""What ``schedule`` and ``sensor`` say of ticks, of what cannot run, and of the times to come."""

from __future__ import annotations

from datetime import datetime

import pytest

from daemons.fakes import definitions
from runyard.core.events import ErrorInfo
from runyard.core.ids import new_id
from runyard.core.lease import Fence
from runyard.core.location import LocationRecord, LocationState, SensorInfo
from runyard.core.run import NewRun
from runyard.core.tick import InstigatorKey, InstigatorState, InstigatorStatus, Tick, TickStatus
from runyard.storage.protocols import RunAddition
from runyard.wiring import Instance

from .conftest import Cli

KEY = InstigatorKey(kind="sensor", location_name="here", name="watch")
CODE = """
import runyard as dg

@dg.op
def work(): ...

@dg.job
def main():
    work()

good = dg.ScheduleDefinition("good", job=main, cron_schedule="0\\n9 * * *", execution_timezone="Asia/Tokyo")
bad = dg.ScheduleDefinition("bad", job=main, cron_schedule="0 99 * * *")

@dg.sensor(job=main)
async def waits(context): ...

@dg.sensor(job=main)
def watch(context): ...
"""
WARNED = """
import runyard as dg

@dg.op
def work(): ...

@dg.job
def main():
    work()

long = dg.ScheduleDefinition("long", job=main, cron_schedule="0," * 5000 + "0 9 * * *")

@dg.sensor(job=main)
def asks(context):
    return dg.RunRequest(tags={"dagster/priority": 2**32, "dagster/prioritty": "1"})
"""


class Ticks:
    """Ticks of one sensor, a minute apart, the first at the time of today that the test began."""

    def __init__(self, instance: Instance) -> None:
        self._stores, self._time = instance.stores, instance.clock.now()
        self.began = datetime.fromtimestamp(self._time).astimezone().strftime("%H:%M")

    def add(self, status: TickStatus, *keys: str, **more: object) -> Tick:
        lease = self._stores.leases.acquire("daemon:sensor", holder="test", seconds=60)
        assert lease is not None
        state = self._stores.ticks.state(KEY) or InstigatorState(key=KEY, status=InstigatorStatus.RUNNING)
        runs = [
            RunAddition(run=NewRun(run_id=new_id(), job_name="job", location_name="here"), run_key=key) for key in keys
        ]
        tick = Tick(tick_id=new_id(), key=KEY, time=self._time, status=status, **more)  # type: ignore[arg-type]  # fields
        fence = Fence(lease.name, lease.term)
        ended = self._stores.ticks.commit(tick, state, runs, enqueue=True, fence=fence, now=self._time).tick
        self._time += 60
        return ended

    def fail(self, in_a_row: int) -> None:
        error = ErrorInfo("ValueError", "no such\nfile")
        self.add(TickStatus.FAILURE, error=error, consecutive_failures=in_a_row, failure_count=1)


@pytest.fixture
def ticks(instance: Instance) -> Ticks:
    sensor = SensorInfo(name="watch", job_names=("job",), running_by_default=True)
    code = definitions("job", sensors=[sensor])
    instance.stores.locations.publish(LocationRecord(name="here", state=LocationState.LOADED, definitions=code))
    return Ticks(instance)


def last_line(cli: Cli) -> str:
    return cli("sensor", "list").stdout.splitlines()[-1]


def test_failures_in_a_row_are_said_with_their_number_and_their_begin(cli: Cli, ticks: Ticks) -> None:
    ticks.fail(1)
    assert last_line(cli).endswith("  failed: ValueError: no such")
    ticks.fail(2)
    ticks.fail(3)
    said = f"failed 3 times in a row since {ticks.began}: ValueError: no such"
    assert last_line(cli).endswith(f"  {said}")
    logs = cli("sensor", "logs", "watch").stdout
    assert f"    {said}\n    file\n" in logs
    assert "    failed: ValueError: no such\n    file\n" in logs
    newest = cli.json("sensor", "logs", "watch")[0]
    assert newest["failure_count"] == 3
    assert newest["failing_since"] == cli.json("sensor", "logs", "watch")[2]["time"]


def test_the_reason_of_a_skip_and_the_keys_that_were_dropped_are_said(cli: Cli, ticks: Ticks) -> None:
    ticks.add(TickStatus.SKIPPED, skip_reason="nothing new")
    assert last_line(cli).endswith("  nothing new")
    ticks.add(TickStatus.SUCCESS, "a", "b")
    assert last_line(cli).endswith("  2 runs")
    ticks.add(TickStatus.SUCCESS, "b", "c")
    dropped = "dropped 1 run key that had a run already: 'b'"
    assert last_line(cli).endswith(f"  1 run; {dropped}")
    assert f"    {dropped}\n" in cli("sensor", "logs", "watch").stdout
    ticks.add(TickStatus.SUCCESS, "c", "a")
    assert last_line(cli).endswith("  Run keys 'a', 'c' had a run already.")
    assert "    Run keys 'a', 'c' had a run already.\n" in cli("sensor", "logs", "watch").stdout


@pytest.fixture
def code(cli: Cli) -> tuple[str, str]:
    (cli.directory / "code.py").write_text(CODE)
    return ("-f", "code.py")


def test_what_cannot_run_is_named_and_what_is_beside_it_loads(cli: Cli, code: tuple[str, str]) -> None:
    listed = cli("schedule", "list", *code)
    _, bad, good = listed.stdout.splitlines()
    assert bad.split()[:3] == ["bad", "code.py", "STOPPED"]
    told = "Schedule 'bad': Cron schedule '0 99 * * *': hour '99' is not valid; it takes 0 to 23."
    assert bad.endswith(f"  cannot run: {told}")
    assert "0 9 * * * (Asia/Tokyo)" in good
    assert f"Location 'code.py': {told}\n" in listed.stderr
    shapes = {one["name"]: one for one in cli.json("schedule", "list", *code)}
    assert (shapes["bad"]["problem"], shapes["good"]["problem"]) == (told, None)
    assert shapes["good"]["cron_schedule"] == ["0 9 * * *"]

    refused = cli("schedule", "start", "bad", *code, code=1)
    assert refused.stderr.endswith(f"Error: {told} It can be started when that is mended.\n")
    assert cli.json("schedule", "start", "good", *code)["status"] == "RUNNING"
    assert "async function" in cli("sensor", "start", "waits", *code, code=1).stderr
    assert cli.json("sensor", "start", "watch", *code)["status"] == "RUNNING"


def test_validate_fails_for_a_problem_and_says_what_loads(cli: Cli, code: tuple[str, str]) -> None:
    checked = cli("definitions", "validate", *code, code=1)
    assert checked.stdout == "loads code.py: 1 job, 2 schedules, 2 sensors\n"
    assert "fails code.py: Schedule 'bad': Cron schedule '0 99 * * *'" in checked.stderr
    assert "fails code.py: Sensor 'waits' (code.py:14) is an async function" in checked.stderr
    (shape,) = cli.json("definitions", "validate", *code, code=1)
    assert (shape["state"], len(shape["problems"])) == ("LOADED", 2)


def test_preview_shows_the_next_ticks_in_the_zone_of_the_schedule(cli: Cli, code: tuple[str, str]) -> None:
    lines = cli("schedule", "preview", "good", *code).stdout.splitlines()
    begin = lines.index("  next ticks in Asia/Tokyo:")
    assert len(lines) == begin + 6
    assert all(line.endswith(" 09:00:00 +0900") for line in lines[begin + 1 :])
    shape = cli.json("schedule", "preview", "good", *code)
    assert [time[10:] for time in shape["next_ticks"]] == ["T00:00:00.000000+00:00"] * 5
    assert "next_ticks" not in cli.json("sensor", "preview", "watch", *code)
    failed = cli.json("schedule", "preview", "bad", *code, code=1)
    assert failed["next_ticks"] == []
    assert "hour '99' is not valid" in failed["error"]["message"]


def test_preview_shows_the_warnings_that_the_log_of_a_run_would_have(cli: Cli) -> None:
    (cli.directory / "warned.py").write_text(WARNED)
    shown = cli("sensor", "preview", "asks", "-f", "warned.py").stdout
    assert "\n    Tag 'dagster/prioritty' has no meaning. Did you mean 'dagster/priority'?\n" in shown
    assert "\n    Tag 'dagster/priority': 4294967296 is outside " in shown
    (run,) = cli.json("sensor", "preview", "asks", "-f", "warned.py")["runs"]
    assert len(run["warnings"]) == 2


def test_a_long_cron_is_cut_in_the_table(cli: Cli) -> None:
    (cli.directory / "warned.py").write_text(WARNED)
    listed = cli("schedule", "list", "-f", "warned.py").stdout
    assert "0,0,0" in listed
    assert max(map(len, listed.splitlines())) < 300
