"""What an overlap policy refuses is told on the tick that asked for it."""

from __future__ import annotations

from daemons.fakes import definitions
from runyard.core.ids import new_id
from runyard.core.lease import Fence
from runyard.core.location import LocationRecord, LocationState, ScheduleInfo
from runyard.core.run import NewRun
from runyard.core.tick import InstigatorKey, InstigatorState, InstigatorStatus, Tick, TickStatus
from runyard.queue.rules import OverlapRule, Rules
from runyard.storage.protocols import RunAddition
from runyard.wiring import Instance

from .conftest import Cli

KEY = InstigatorKey(kind="schedule", location_name="here", name="hourly")


def tick_at(instance: Instance, time: float, *jobs: str) -> None:
    stores = instance.stores
    lease = stores.leases.acquire("daemon:scheduler", holder="test", seconds=60)
    assert lease is not None
    state = stores.ticks.state(KEY) or InstigatorState(key=KEY, status=InstigatorStatus.RUNNING)
    runs = [RunAddition(run=NewRun(run_id=new_id(), job_name=job, location_name="here")) for job in jobs]
    tick = Tick(tick_id=new_id(), key=KEY, time=time, status=TickStatus.SUCCESS)
    stores.ticks.commit(tick, state, runs, enqueue=True, fence=Fence(lease.name, lease.term), now=time)


def test_a_tick_says_what_was_refused(cli: Cli, instance: Instance) -> None:
    schedule = ScheduleInfo(name="hourly", cron_schedule=("0 * * * *",), job_names=("sync",))
    code = definitions("sync", "other", schedules=[schedule])
    instance.stores.locations.publish(LocationRecord(name="here", state=LocationState.LOADED, definitions=code))
    instance.stores.limits.configure(Rules(overlaps=(OverlapRule(job="sync", policy="skip"),)))
    tick_at(instance, 3600, "sync")
    tick_at(instance, 7200, "sync", "other")
    tick_at(instance, 10800, "sync")
    nothing_left, partly, whole = cli.json("schedule", "logs", "hourly")
    assert (whole["status"], whole["refused"]) == ("SUCCESS", [])
    assert (partly["status"], len(partly["run_ids"])) == ("SUCCESS", 1)
    assert "refused by its overlap policy 'skip'" in partly["refused"][0]
    assert nothing_left["status"] == "SKIPPED"
    text = cli("schedule", "logs", "hourly").stdout
    assert text.count("A run of 'sync' was refused by its overlap policy 'skip'") == 2
