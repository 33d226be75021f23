"""Schedules and sensors in real tick workers; config checks; the instance."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from runyard.core.errors import LocationUnavailable
from runyard.core.ids import new_id
from runyard.core.run import RunStatus
from runyard.core.tick import Evaluation, EvaluationRequest, InstigatorKey, TickStatus
from runyard.locations.api import Location
from runyard.locations.host.config import HostConfig

from .code import one_op
from .yard import Yard

SENSORS = """
    @dg.sensor(job=job)
    def asks(context):
        return dg.RunRequest(run_key="a")

    @dg.sensor(job=job)
    def hangs(context):
        threading.Event().wait()

    @dg.sensor(job=job)
    def dies(context):
        os._exit(7)

    @dg.sensor(job=job)
    def raises(context):
        raise ValueError("not today")

    @dg.sensor(job=job)
    def counts(context):
        return dg.SkipReason(f"{context.instance.get_runs_count()} in {os.getpid()}")

    @dg.schedule(cron_schedule="0 0 * * *", job=job)
    def daily(context):
        return dg.RunRequest()
"""

CODE = one_op("pass", tail=SENSORS.strip() + "\n").replace(
    "defs = dg.Definitions(jobs=[job])",
    "defs = dg.Definitions(jobs=[job], sensors=[asks, hangs, dies, raises, counts], schedules=[daily])",
)


def request(name: str, kind: str = "sensor") -> EvaluationRequest:
    scheduled = 1_700_000_000.0 if kind == "schedule" else None
    return EvaluationRequest(
        key=InstigatorKey(kind, "jobs", name),
        tick_id=new_id(),
        scheduled_for=scheduled,  # type: ignore[arg-type]  # one of the two
    )


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Location]:
    """One location for the tests that leave it as it was."""
    with pytest.MonkeyPatch.context() as patch:
        yard = Yard(tmp_path_factory.mktemp("shared") / "home")
        patch.setenv("YARD", yard.runtime_dir)
        try:
            yield yard.location(CODE)
        finally:
            yard.close()


def reason(location: Location, name: str) -> str:
    [answer] = location.evaluate([request(name)], timeout=20)
    assert answer.skip_reason is not None, answer
    return answer.skip_reason


def test_batch_is_answered_in_order_whatever_single_ones_do(location: Location) -> None:
    asked = [request("asks"), request("raises"), request("dies"), request("daily", "schedule"), request("asks")]
    first, raised, died, daily, last = location.evaluate(asked, timeout=20)
    assert [run.run_key for run in first.runs] == ["a"]
    assert raised.status is TickStatus.FAILURE
    assert raised.error is not None
    assert raised.error.message == "not today"
    assert died.status is TickStatus.FAILURE
    assert died.error is not None
    assert died.error.class_name == "TickWorkerDied"
    assert daily.status is TickStatus.SUCCESS
    assert last.status is TickStatus.SUCCESS


def test_evaluation_that_outlives_its_time_is_killed_and_the_next_works(location: Location) -> None:
    hung, fine = location.evaluate([request("hangs"), request("asks")], timeout=0.5)
    assert hung.status is TickStatus.FAILURE
    assert hung.error is not None
    assert "exceeded its 0.5 s" in hung.error.message
    assert fine.status is TickStatus.SUCCESS
    [again] = location.evaluate([request("asks")], timeout=20)
    assert again.status is TickStatus.SUCCESS


def test_user_code_reads_the_instance_through_its_host(yard: Yard) -> None:
    location = yard.location(CODE)
    assert reason(location, "counts").startswith("0 in ")
    yard.finished(yard.launch(location))
    assert reason(location, "counts").startswith("1 in ")


def test_worker_is_kept_from_one_tick_to_the_next(location: Location) -> None:
    pids = {reason(location, "counts").rpartition(" ")[2] for _ in range(5)}
    assert len(pids) == 1


def test_unknown_sensor_is_a_failure(location: Location) -> None:
    [answer] = location.evaluate([request("nothing")], timeout=20)
    assert answer.status is TickStatus.FAILURE


def test_reload_gives_new_tick_workers(location: Location) -> None:
    before = reason(location, "counts").rpartition(" ")[2]
    location.reload(timeout=30)
    assert reason(location, "counts").rpartition(" ")[2] != before


def test_a_tick_that_goes_on_over_a_reload_may_print(yard: Yard) -> None:
    prints = """
    @dg.sensor(job=job)
    def prints(context):
        (HERE / "ticking").write_text("yes")
        while not (HERE / "go").exists():
            threading.Event().wait(0.01)
        print("still here")
        return dg.SkipReason("printed")
"""
    location = yard.location(CODE.replace("    defs =", prints + "\n    defs =").replace("[asks,", "[prints, asks,"))
    answers: list[Evaluation] = []
    asking = threading.Thread(target=lambda: answers.extend(location.evaluate([request("prints")], timeout=20)))
    asking.start()
    yard.file("ticking")
    old = yard.zygote()
    location.reload(timeout=30)
    yard.until(lambda: not old.is_running())
    (yard.code / "go").write_text("now")
    asking.join(20)
    assert [answer.skip_reason for answer in answers] == ["printed"], answers


def test_ticks_in_spawned_workers(yard: Yard) -> None:
    location = yard.location(CODE, start_method="spawn")
    [answer] = location.evaluate([request("asks")], timeout=20)
    assert answer.status is TickStatus.SUCCESS


CONFIGURED = """
    import runyard as dg

    class Wanted(dg.Config):
        count: int

    @dg.op
    def act(context, config: Wanted):
        runs = context.instance.get_runs()
        context.log.info(f"{config.count} {runs[0].run_id} {runs[0].status.value}")
        found = context.instance.get_run_by_id(context.run_id)
        context.log.info(found.job_name)
        started = dg.RunsFilter(job_name="job", statuses=[dg.DagsterRunStatus.STARTED])
        records = context.instance.get_run_records(started)
        context.log.info(str(len(records)))
        context.log.info(str(context.instance.get_run_by_id("nothing")))

    @dg.job
    def job():
        act()

    defs = dg.Definitions(jobs=[job])
"""


def test_run_config_is_checked_by_the_code_that_takes_it(yard: Yard) -> None:
    location = yard.location(CONFIGURED)
    assert list(location.validate("job", {"ops": {"act": {"config": {"count": 1}}}}, timeout=20)) == []
    [(path, _)] = location.validate("job", {"ops": {"act": {"config": {"count": "many"}}}}, timeout=20)
    assert path == "ops.act.config.count"
    [(path, message)] = location.validate("jbo", {}, timeout=20)
    assert "Did you mean 'job'" in message


def test_run_reads_its_own_writes(yard: Yard) -> None:
    location = yard.location(CONFIGURED)
    run_id = yard.launch(location, config={"ops": {"act": {"config": {"count": 3}}}})
    run = yard.finished(run_id)
    assert run.status is RunStatus.SUCCESS, run.failure
    assert yard.lines(run_id) == [f"3 {run_id} STARTED", "job", "1", "None"]


def test_job_that_is_gone_fails_its_run(yard: Yard) -> None:
    location = yard.location(CONFIGURED)
    run = yard.finished(yard.launch(location, "gone"))
    assert run.failure is not None
    assert run.failure.error_class == "JobNotFound"


def test_workers_are_replaced_after_so_many_ticks(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runyard.locations.workspace.HostConfig", partial(HostConfig, ticks_per_worker=2))
    location = yard.location(CODE)
    pids = [reason(location, "counts").rpartition(" ")[2] for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_stopping_does_not_wait_for_an_evaluation_that_hangs(yard: Yard) -> None:
    location = yard.location(CODE)
    answers: list[object] = []
    asking = threading.Thread(target=lambda: answers.append(ask(location)))
    asking.start()
    yard.until(lambda: len(yard.zygote().children()) > 0)
    yard.workspaces[0].stop(terminate_hosts=True)
    asking.join(10)
    assert len(answers) == 1
    assert not yard.alive()


def ask(location: Location) -> object:
    try:
        return location.evaluate([request("hangs")], timeout=60)
    except LocationUnavailable as error:
        return error


@pytest.mark.parametrize("last", [256, 5000])
def test_a_tick_that_closes_every_descriptor_is_answered_at_once(last: int, yard: Yard) -> None:
    closes = f"""
    @dg.sensor(job=job)
    def closes(context):
        os.closerange(3, {last})
        return dg.SkipReason("closed")
    """
    code = one_op("pass", tail=closes.strip() + "\n").replace("jobs=[job]", "jobs=[job], sensors=[closes]")
    [answer] = yard.location(code).evaluate([request("closes")], timeout=60)
    assert answer.skip_reason == "closed" or (answer.error and answer.error.class_name == "TickWorkerDied"), answer
