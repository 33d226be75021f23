"""People and limits hold runs back: real daemons, real workers, both databases."""

from __future__ import annotations

from deep_queue import deepen
from runyard.core.ids import new_id
from runyard.core.queue import QueueFilter, Steering
from runyard.core.run import ACTIVE, NewRun, RunStatus
from runyard.launchers.local import local_capacity
from runyard.operations.queue.view import entry
from runyard.queue.rules import Pause, Rules, TagRule
from runyard.storage.protocols import RunsFilter

from .yard import JOBS, Yard

POOLED = JOBS.replace("@dg.op\ndef gated", '@dg.op(pool="db")\ndef gated')


def _poke(yard: Yard) -> None:
    yard.stores.wakeups.poke("queue")


def _launched_behind(yard: Yard, run_id: str) -> None:
    """Once a run that nothing holds back has ended, whatever may launch before it has launched."""
    probe = yard.submit("tiny", probe=run_id)
    assert yard.wait_end(probe).status is RunStatus.SUCCESS


def _steer(yard: Yard, run_id: str, action: str, priority: int = 0) -> None:
    only, steering = QueueFilter(run_ids=(run_id,)), Steering(action=action, by="ops", priority=priority)
    assert yard.stores.queue.steer(only, steering, now=yard.instance.clock.now()).changed == (run_id,)
    _poke(yard)


def test_a_pool_at_run_granularity_holds_the_second_run(any_instance: str, make_yard) -> None:
    yard = make_yard(
        instance=any_instance + "concurrency: {pools: {default_limit: 1, granularity: run}}\n", jobs=POOLED
    )
    yard.start()
    first, second = yard.submit(), yard.submit()
    yard.wait_mark(f"begin {first}")
    _launched_behind(yard, second)
    assert yard.run(second).status is RunStatus.QUEUED
    yard.go(first)
    yard.wait_mark(f"begin {second}")
    assert yard.run(second).launched_at >= yard.run(first).ended_at
    yard.go(second)
    assert yard.wait_end(second).status is RunStatus.SUCCESS


def test_what_people_pause_and_hold_waits_for_them(any_instance: str, make_yard) -> None:
    yard = make_yard(instance=any_instance)
    yard.start()
    clock, limits = yard.instance.clock, yard.stores.limits
    limits.pause(Pause(scope="tag", name="team", value="docs", by="ops", since=clock.now()))
    docs = yard.submit("tiny", team="docs")
    _launched_behind(yard, docs)
    assert yard.run(docs).status is RunStatus.QUEUED
    limits.resume("tag", "team", "docs", by="ops", now=clock.now())
    _poke(yard)
    assert yard.wait_end(docs).status is RunStatus.SUCCESS

    limits.pause(Pause(scope="location", name="jobs.py", by="ops", since=clock.now()))
    first, second = yard.submit("tiny"), yard.submit("tiny")
    _steer(yard, first, "hold")
    limits.resume("location", "jobs.py", by="ops", now=clock.now())
    _poke(yard)
    assert yard.wait_end(second).status is RunStatus.SUCCESS
    assert yard.run(first).status is RunStatus.QUEUED
    _steer(yard, first, "release")
    assert yard.wait_end(first).status is RunStatus.SUCCESS


def test_the_last_of_ten_thousand_runs_is_next_once_its_priority_is_raised(any_instance: str, make_yard) -> None:
    yard = make_yard(instance=any_instance + "concurrency: {runs: {max_concurrent_runs: 1}}\n")
    yard.start()
    running = yard.submit()
    yard.wait_mark(f"begin {running}")
    like = NewRun(run_id=new_id(), job_name="gate", location_name="jobs.py")
    waiting = deepen(yard.stores, like, 10_000)
    _steer(yard, waiting[-1], "priority", 1)
    yard.go(running)
    yard.wait_mark(f"begin {waiting[-1]}")
    assert yard.launch_order([running, waiting[0], waiting[-1]]) == [running, waiting[-1]]


def test_a_limit_on_a_tag_that_no_rule_looked_at_is_kept_from_the_moment_it_is_set(
    any_instance: str, make_yard
) -> None:
    yard = make_yard(instance=any_instance + "concurrency: {runs: {max_concurrent_runs: 3}}\n")
    like = NewRun(run_id=new_id(), job_name="gate", location_name="jobs.py", tags={"team": "docs"})
    docs = deepen(yard.stores, like, 5_000)
    yard.start()
    for run in docs[:3]:
        yard.wait_mark(f"begin {run}")
    limited = Rules(max_concurrent_runs=3, tag_rules=(TagRule("team", 2, "docs"),))
    yard.stores.limits.configure(limited)
    _poke(yard)
    data = yard.submit("tiny", team="data")
    yard.go(docs[0])
    assert yard.wait_end(data).status is RunStatus.SUCCESS, "it passes those that the new limit holds"
    assert [run.run_id for run in yard.runs(*ACTIVE)] == [docs[2], docs[1]]
    yard.go(docs[1])
    yard.wait_mark(f"begin {docs[3]}")
    assert {run.run_id for run in yard.runs(*ACTIVE)} == {docs[2], docs[3]}


def test_an_urgent_run_passes_thousands_that_no_limit_holds(make_yard) -> None:
    yard = make_yard(instance="concurrency: {runs: {max_concurrent_runs: -1}}")
    deepen(yard.stores, NewRun(run_id=new_id(), job_name="tiny", location_name="jobs.py"), 3_000)
    yard.start()
    yard.wait(lambda: len(yard.marks()) >= 10)
    urgent = yard.submit("tiny", **{"dagster/priority": "5"})
    assert yard.wait_end(urgent).status is RunStatus.SUCCESS
    yard.stores.limits.pause(Pause(scope="queue", by="ops", since=yard.instance.clock.now()))
    _poke(yard)
    yard.wait(lambda: not yard.runs(*ACTIVE))
    run = yard.run(urgent)
    passed = [each for each in yard.stores.queue.launches(run.queued_at) if each.at < run.launched_at]
    assert len(passed) <= 2 * local_capacity(), "only what was on its way"
    assert yard.stores.queue.depth() > 0
    assert yard.stores.runs.count(RunsFilter(statuses=(RunStatus.FAILURE,))) == 0


def test_a_daemon_that_has_ended_is_the_reason_at_once(make_yard) -> None:
    yard = make_yard()
    daemon = yard.start()
    yard.wait_end(yard.submit("tiny"))
    daemon.terminate()
    assert daemon.wait(20) == 0
    waiting = yard.submit("tiny")
    found = entry(yard.stores, waiting, clock=yard.instance.clock)
    assert found is not None
    assert found.reason.kind == "no_queue_daemon"
