"""Scheduler and sensor daemons against real SQLite storage and scripted evaluations."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from runyard.core.clock import ManualClock
from runyard.core.errors import WrongState
from runyard.core.events import ErrorInfo
from runyard.core.lease import Fence
from runyard.core.location import LocationRecord, LocationState, ScheduleInfo, SensorInfo
from runyard.core.run import RunStatus
from runyard.core.tick import Evaluation, InstigatorKey, InstigatorStatus, RunAsked, TickStatus
from runyard.daemons.scheduler import SchedulerDaemon
from runyard.daemons.sensor import SensorDaemon
from runyard.operations import instigators
from runyard.operations.instigators import Upcoming, listing, next_ticks, start
from runyard.operations.shapes import instigator_shape, iso, location_shape, tick_shape
from runyard.queue.lanes import parse_lane
from runyard.settings.instance import InstanceSettings, QueueSettings, SchedulerSettings, SqliteSettings
from runyard.storage.protocols import RunsFilter, Stores

from .fakes import FakeLocation, FakeWorkspace, Woken, definitions

HOURLY = ScheduleInfo(name="hourly", cron_schedule=("0 * * * *",), job_names=("job",), running_by_default=True)
DROP = SensorInfo(name="drop", job_names=("job",), minimum_interval_seconds=30.0, running_by_default=True)
#: 2023-11-14 22:00 UTC, a full hour.
HOUR = 1_699_999_200.0


class Bench:
    def __init__(self, stores: Stores, *, queued: bool = True, **scheduler: int) -> None:
        self.stores = stores
        self.clock = ManualClock(HOUR + 60)
        self.location = FakeLocation("yard", definitions("job", schedules=[HOURLY], sensors=[DROP]))
        self.workspace = FakeWorkspace(self.location)
        self.settings = InstanceSettings(
            home="/home",
            storage=SqliteSettings("/home/runyard.db"),
            compute_logs_dir="/home/storage",
            outputs_dir="/home/outputs",
            scheduler=SchedulerSettings(**scheduler),
            queue=QueueSettings(queued=queued),
        )
        self.woken = Woken()
        self.schedules = SchedulerDaemon(stores, self.workspace, self.settings, clock=self.clock)
        self.sensors = SensorDaemon(stores, self.workspace, self.settings, clock=self.clock)
        for daemon in (self.schedules, self.sensors):
            daemon.attach(self.woken.wake, self.woken.report)
        self.fence = self.lead("a")

    def lead(self, holder: str) -> Fence:
        lease = self.stores.leases.acquire("daemon:test", holder=holder, seconds=1e9)
        assert lease is not None
        return Fence(lease.name, lease.term)

    def schedule_pass(self) -> float:
        return self.schedules.run_once(self.clock.now(), self.fence).wake_at

    def sensor_pass(self) -> float:
        return self.sensors.run_once(self.clock.now(), self.fence).wake_at

    def sensor_tick(self) -> Any:
        """Let the interval pass, evaluate, and return the newest tick."""
        self.clock.advance(DROP.minimum_interval_seconds)
        self.sensor_pass()
        self.woken.wait()
        return self.ticks("sensor", "drop")[0]

    def ticks(self, kind: str, name: str) -> list[Any]:
        return list(self.stores.ticks.list(InstigatorKey(kind, "yard", name), limit=50))  # type: ignore[arg-type]  # two kinds

    def runs(self) -> list[Any]:
        return list(self.stores.runs.list(RunsFilter(), limit=100))


@pytest.fixture
def bench(sqlite_stores: Stores) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(**scheduler: int) -> Bench:
        made.append(Bench(sqlite_stores, **scheduler))
        return made[-1]

    yield make
    for one in made:
        one.schedules.close()
        one.sensors.close()


def asks(*keys: str | None, cursor: str | None = None, **fields: Any) -> Callable[[Any], Evaluation]:
    runs = tuple(RunAsked(job_name="job", run_key=key, **fields) for key in keys)
    return lambda _: Evaluation(status=TickStatus.SUCCESS, runs=runs, cursor=cursor)


def failing(_: Any) -> Evaluation:
    return Evaluation(status=TickStatus.FAILURE, error=ErrorInfo("ValueError", "no"), cursor="moved")


def test_a_schedule_that_the_code_runs_fires_nothing_from_before_it_was_seen(bench) -> None:
    yard = bench()
    assert yard.schedule_pass() <= yard.clock.now() + 60
    assert yard.runs() == []
    assert yard.stores.ticks.states()[0].status is InstigatorStatus.DECLARED_IN_CODE


def test_a_schedule_fires_once_at_its_time(bench) -> None:
    yard = bench()
    yard.location.answer = asks(None)
    yard.schedule_pass()
    yard.clock.advance(3600)
    yard.schedule_pass()
    yard.woken.wait()
    assert yard.location.evaluated[0].scheduled_for == HOUR + 3600
    yard.schedule_pass()
    assert [run.status for run in yard.runs()] == [RunStatus.QUEUED]
    assert [tick.time for tick in yard.ticks("schedule", "hourly")] == [HOUR + 3600]


def test_a_schedule_that_cannot_be_read_keeps_no_other_from_its_times(bench) -> None:
    yard = bench()
    elsewhere = msgspec.structs.replace(HOURLY, name="elsewhere", execution_timezone="Mars/Olympus")
    yard.location.definitions = definitions("job", schedules=[elsewhere, HOURLY])
    yard.schedule_pass()
    yard.clock.advance(3600)
    yard.schedule_pass()
    yard.woken.wait()
    assert [tick.time for tick in yard.ticks("schedule", "hourly")] == [HOUR + 3600]
    assert "Mars/Olympus" in str(yard.woken.errors[0])


def test_of_missed_times_only_the_latest_runs(bench) -> None:
    yard = bench()
    yard.location.answer = asks(None)
    yard.schedule_pass()
    yard.clock.advance(5 * 3600)
    yard.schedule_pass()
    yard.woken.wait()
    yard.schedule_pass()
    assert [tick.time for tick in yard.ticks("schedule", "hourly")] == [HOUR + 5 * 3600]


def test_a_failed_tick_is_retried_as_often_as_configured_and_stays_one_row(bench) -> None:
    yard = bench(max_tick_retries=1)
    yard.location.answer = failing
    yard.schedule_pass()
    yard.clock.advance(3600)
    for _ in range(2):
        yard.schedule_pass()
        yard.woken.wait()
        yard.clock.advance(10)
    yard.schedule_pass()
    assert len(yard.location.evaluated) == 2
    (tick,) = yard.ticks("schedule", "hourly")
    assert (tick.status, tick.failure_count) == (TickStatus.FAILURE, 2)


def test_a_location_that_is_away_delays_the_tick_and_loses_nothing(bench) -> None:
    yard = bench()
    yard.location.answer = asks(None)
    yard.schedule_pass()
    yard.clock.advance(3600)
    yard.location.reachable = False
    yard.schedule_pass()
    yard.woken.wait()
    assert yard.ticks("schedule", "hourly") == []
    yard.schedule_pass()
    assert len(yard.woken.errors) == 1, "not asked again at once"
    yard.location.reachable = True
    yard.clock.advance(10)
    yard.schedule_pass()
    yard.woken.wait()
    assert [tick.time for tick in yard.ticks("schedule", "hourly")] == [HOUR + 3600]
    assert len(yard.runs()) == 1


def test_stopping_by_hand_overrules_the_code(bench) -> None:
    yard = bench()
    key = InstigatorKey("schedule", "yard", "hourly")
    yard.schedule_pass()
    instigators.stop(yard.stores, key)
    yard.clock.advance(3600)
    yard.schedule_pass()
    assert yard.location.evaluated == []
    instigators.start(yard.stores, key, clock=yard.clock)
    yard.schedule_pass()
    assert yard.location.evaluated == [], "what lay before the start does not fire"


def test_code_that_no_longer_runs_a_schedule_ends_it(bench) -> None:
    yard = bench()
    yard.schedule_pass()
    stopped = msgspec.structs.replace(HOURLY, running_by_default=False)
    yard.location.definitions = definitions("job", schedules=[stopped])
    yard.schedule_pass()
    assert yard.stores.ticks.states() == []


def test_a_sensor_is_evaluated_at_its_interval(bench) -> None:
    yard = bench()
    yard.sensor_pass()
    yard.woken.wait()
    yard.clock.advance(29)
    assert yard.sensor_pass() == pytest.approx(yard.clock.now() + 1)
    assert len(yard.location.evaluated) == 1
    yard.clock.advance(1)
    yard.sensor_pass()
    yard.woken.wait()
    assert len(yard.location.evaluated) == 2


def test_a_run_key_makes_one_run_for_ever_and_the_cursor_moves(bench) -> None:
    yard = bench()
    yard.location.answer = asks("file-1", cursor="1")
    assert yard.sensor_tick().status is TickStatus.SUCCESS
    tick = yard.sensor_tick()
    assert (tick.status, tick.duplicate_run_keys) == (TickStatus.SKIPPED, ("file-1",))
    assert yard.location.evaluated[1].cursor == "1"
    assert len(yard.runs()) == 1


def test_a_failed_evaluation_keeps_the_cursor(bench) -> None:
    yard = bench()
    yard.location.answer = asks("a", cursor="1")
    yard.sensor_tick()
    yard.location.answer = failing
    assert yard.sensor_tick().status is TickStatus.FAILURE
    assert yard.stores.ticks.states()[0].cursor == "1"
    assert yard.sensor_tick().consecutive_failures == 2


@pytest.mark.parametrize("good", [asks("a"), lambda _: Evaluation(status=TickStatus.SKIPPED)])
def test_failures_in_a_row_are_counted_until_a_tick_succeeds_or_skips(bench, good) -> None:
    yard = bench()
    yard.location.answer = failing
    first, *others = [yard.sensor_tick() for _ in range(3)]
    assert [tick.consecutive_failures for tick in (first, *others)] == [1, 2, 3]
    assert {tick.failing_since for tick in (first, *others)} == {first.time}
    shape = tick_shape(others[-1])
    assert (shape["failure_count"], shape["failing_since"]) == (3, iso(first.time))
    yard.location.answer = good
    ended = yard.sensor_tick()
    assert (ended.consecutive_failures, ended.failing_since, tick_shape(ended)["failure_count"]) == (0, None, 0)
    yard.location.answer = failing
    again = yard.sensor_tick()
    assert (again.consecutive_failures, again.failing_since) == (1, again.time)


def test_what_has_a_problem_is_not_evaluated_and_keeps_its_state(bench) -> None:
    yard = bench()
    yard.schedule_pass()
    yard.sensor_tick()
    broken = [msgspec.structs.replace(HOURLY, cron_schedule=("nonsense",), execution_timezone="Mars/X", problem="no.")]
    yard.location.definitions = definitions(
        "job", schedules=broken, sensors=[msgspec.structs.replace(DROP, problem="no.")]
    )
    yard.clock.advance(7200)
    yard.location.evaluated.clear()
    yard.schedule_pass()
    yard.sensor_pass()
    assert yard.location.evaluated == []
    assert yard.woken.errors == []
    assert len(yard.stores.ticks.states()) == 2
    yard.location.definitions = definitions("job", schedules=[HOURLY], sensors=[DROP])
    yard.schedule_pass()
    yard.woken.wait()
    assert [request.scheduled_for for request in yard.location.evaluated] == [HOUR + 7200]


def test_what_has_a_problem_cannot_be_started_and_its_listing_says_why(bench) -> None:
    yard = bench()
    code = definitions("job", schedules=[msgspec.structs.replace(HOURLY, problem="Schedule 'hourly': bad.")])
    yard.stores.locations.publish(LocationRecord(name="yard", state=LocationState.LOADED, definitions=code))
    key = InstigatorKey("schedule", "yard", "hourly")
    with pytest.raises(WrongState, match=r"Schedule 'hourly': bad\. It can be started when that is mended\."):
        start(yard.stores, key, clock=yard.clock)
    (view,) = listing(yard.stores, "schedule", clock=yard.clock)
    shape = instigator_shape(view)
    assert (shape["status"], shape["problem"], shape["next_tick_at"]) == ("STOPPED", "Schedule 'hourly': bad.", None)
    assert next_ticks(yard.stores, key, clock=yard.clock) == Upcoming("UTC")
    assert location_shape(yard.stores.locations.all()[0])["problems"] == ["Schedule 'hourly': bad."]


def test_a_priority_from_code_that_is_no_integer_warns_and_counts_as_zero(bench) -> None:
    yard = bench()
    yard.location.answer = asks("a", tags={"dagster/priority": "high"})
    yard.sensor_tick()
    (run,) = yard.runs()
    assert run.priority == 0
    assert any(e.event.level == "WARNING" for e in yard.stores.events.of_run(run.run_id))


@pytest.mark.parametrize(("tag", "priority"), [(2**40, 2**31 - 1), (-(2**31) - 1, -(2**31)), ("9" * 5000, 2**31 - 1)])
def test_a_priority_from_code_beyond_the_range_is_the_nearest_in_it_with_a_warning(bench, tag, priority) -> None:
    """What was meant to go first must not go last."""
    yard = bench()
    yard.location.answer = asks("a", tags={"dagster/priority": str(tag)})
    yard.sensor_tick()
    (run,) = yard.runs()
    assert run.priority == priority
    (told,) = [e.event.message for e in yard.stores.events.of_run(run.run_id) if e.event.level == "WARNING"]
    assert f"is outside -2147483648 to 2147483647. The run counts as priority {priority}." in told


def test_warnings_that_a_request_comes_with_are_in_its_runs_log(bench) -> None:
    yard = bench()
    yard.location.answer = asks("a", warnings=("Tag 'dagster/tick' of the run request is left out.",))
    yard.sensor_tick()
    (run,) = yard.runs()
    told = [e.event.message for e in yard.stores.events.of_run(run.run_id) if e.event.level == "WARNING"]
    assert told == ["Tag 'dagster/tick' of the run request is left out."]


def test_tags_from_code_that_mean_nothing_or_count_for_nothing_warn(bench) -> None:
    yard = bench()
    yard.location.answer = asks("a", tags={"dagster/max_runtime": "soon", "dagster/max_retries": "2"})
    yard.sensor_tick()
    (run,) = yard.runs()
    told = [e.event.message for e in yard.stores.events.of_run(run.run_id) if e.event.level == "WARNING"]
    assert "'soon' is no number of seconds" in told[0]
    assert "Tag 'dagster/max_retries' has no effect: run retries are off" in told[1]


def test_slots_from_code_that_are_no_number_warn_and_count_as_one(bench) -> None:
    yard = bench()
    yard.location.answer = asks("a", tags={"runyard/slots": "many"})
    yard.sensor_tick()
    (run,) = yard.runs()
    assert parse_lane(run.lane).weight == 1
    told = [e.event.message for e in yard.stores.events.of_run(run.run_id) if e.event.level == "WARNING"]
    assert told == [
        "Tag 'runyard/slots': 'many' is not a whole number; write for example '2'. The run counts as one slot."
    ]


def test_a_sensor_stopped_while_it_is_evaluated_makes_no_run(bench) -> None:
    yard = bench()
    began, go_on = threading.Event(), threading.Event()

    def slow(_: Any) -> Evaluation:
        began.set()
        assert go_on.wait(10)
        return asks("a", cursor="9")(None)

    yard.location.answer = slow
    yard.sensor_pass()
    assert began.wait(10)
    instigators.stop(yard.stores, InstigatorKey("sensor", "yard", "drop"))
    go_on.set()
    yard.woken.wait()
    assert yard.runs() == []
    state = yard.stores.ticks.states()[0]
    assert (state.status, state.cursor) == (InstigatorStatus.STOPPED, None)
    assert yard.ticks("sensor", "drop")[0].status is TickStatus.SKIPPED


def test_a_stale_leader_commits_no_tick(bench) -> None:
    yard = bench()
    yard.location.answer = asks("a")
    yard.stores.leases.release("daemon:test", holder="a", term=yard.fence.term)
    yard.stores.ticks.put_state(
        instigators.start(yard.stores, InstigatorKey("sensor", "yard", "drop"), clock=yard.clock)
    )
    yard.lead("b")
    yard.sensor_pass()
    yard.woken.wait()
    assert [type(error).__name__ for error in yard.woken.errors] == ["LeaseLost"]
    assert yard.runs() == []


def test_a_hung_evaluation_delays_no_other_sensor(bench) -> None:
    yard = bench()
    other = msgspec.structs.replace(DROP, name="other")
    yard.location.definitions = definitions("job", sensors=[DROP, other])
    go_on = threading.Event()

    def answer(request: Any) -> Evaluation:
        if request.key.name == "drop":
            assert go_on.wait(10)
        return Evaluation(status=TickStatus.SKIPPED)

    yard.location.answer = answer
    yard.sensor_pass()
    yard.woken.wait()
    assert [len(yard.ticks("sensor", name)) for name in ("drop", "other")] == [0, 1]
    go_on.set()
    yard.woken.wait()


def test_view_tells_next_tick_and_last_tick(bench) -> None:
    yard = bench()
    yard.stores.locations.publish(yard.location.record())
    yard.schedule_pass()
    (view,) = instigators.listing(yard.stores, "schedule", clock=yard.clock)
    assert SimpleNamespace(running=view.running, next_tick=view.next_tick, last=view.last_tick) == SimpleNamespace(
        running=True, next_tick=HOUR + 3600, last=None
    )


@pytest.mark.parametrize("kind", ["schedule", "sensor"])
def test_a_stop_while_a_first_pass_begins_stands(bench, monkeypatch, kind: str) -> None:
    yard = bench()
    key = InstigatorKey(kind, "yard", "hourly" if kind == "schedule" else "drop")  # type: ignore[arg-type]  # two kinds
    states = yard.stores.ticks.states

    def read_then_stopped() -> Any:
        found = states()
        instigators.stop(yard.stores, key)
        return found

    monkeypatch.setattr(yard.stores.ticks, "states", read_then_stopped)
    yard.schedule_pass() if kind == "schedule" else yard.sensor_pass()
    assert yard.stores.ticks.state(key).status is InstigatorStatus.STOPPED
    assert yard.ticks(kind, key.name) == []


def test_a_stop_between_two_ticks_keeps_the_cursor(bench, monkeypatch) -> None:
    yard = bench()
    yard.location.answer = lambda _: Evaluation(status=TickStatus.SKIPPED, cursor="seen")
    key = InstigatorKey("sensor", "yard", "drop")
    stale = yard.stores.ticks.state(key)
    yard.sensor_tick()
    monkeypatch.setattr(yard.stores.ticks, "state", lambda _: stale)
    assert instigators.stop(yard.stores, key).cursor == "seen"


def test_a_cursor_set_before_the_first_evaluation_stops_nothing(bench) -> None:
    yard = bench()
    key = InstigatorKey("sensor", "yard", "drop")
    instigators.set_cursor(yard.stores, key, "here")
    yard.sensor_tick()
    assert [request.cursor for request in yard.location.evaluated] == ["here"]


def test_without_the_queue_one_run_that_cannot_start_keeps_no_other_back(bench, monkeypatch) -> None:
    yard = bench(queued=False)
    asked = tuple(RunAsked(job_name="job", run_key=key) for key in "abc")
    yard.location.answer = lambda _: Evaluation(status=TickStatus.SUCCESS, runs=asked)
    start, refused = yard.stores.queue.start_directly, list[str]()

    def canceled_first(run_id: str, *, now: float) -> Any:
        if not refused:
            refused.append(run_id)
            yard.stores.runs.cancel_waiting(run_id, message="", now=now)
        return start(run_id, now=now)

    monkeypatch.setattr(yard.stores.queue, "start_directly", canceled_first)
    tick = yard.sensor_tick()
    assert [spec.run_id for spec in yard.location.launched] == [run for run in tick.run_ids if run not in refused]
    assert [type(error).__name__ for error in yard.woken.errors] == ["WrongState"]


def test_without_the_queue_a_run_whose_location_left_is_failed(bench) -> None:
    yard = bench(queued=False)

    def leave(_: Any) -> Evaluation:
        yard.workspace.locations.clear()
        return Evaluation(status=TickStatus.SUCCESS, runs=(RunAsked(job_name="job"),))

    yard.location.answer = leave
    yard.sensor_tick()
    assert [run.status for run in yard.runs()] == [RunStatus.FAILURE]


def test_a_run_that_cannot_be_stored_fails_its_tick(bench) -> None:
    yard = bench()
    asked = RunAsked(job_name="job", tags={"team": "a\0b"})
    yard.location.answer = lambda _: Evaluation(status=TickStatus.SUCCESS, runs=(asked,), cursor="past it")
    tick = yard.sensor_tick()
    assert (tick.status, tick.error.class_name) == (TickStatus.FAILURE, "InvalidTag")
    assert yard.stores.ticks.state(tick.key).cursor is None
    assert yard.runs() == []
