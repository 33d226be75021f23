"""Rules that change under a leader with a deep queue: nothing stops, and no limit is ever exceeded."""

from __future__ import annotations

from collections import Counter

from deep_queue import deepen
from runyard.core.ids import new_id
from runyard.core.pools import PoolNeeds
from runyard.core.run import ACTIVE, NewRun, RunStatus
from runyard.daemons.run_queue import mirror
from runyard.queue.admission.root_pools import ROOT_GRACE
from runyard.queue.rules import Pause, PoolRules, RateRule, Rules, TagRule
from runyard.storage.protocols import RunsFilter

from .bench import Bench

QUEUED = 5_000


def _active(yard: Bench) -> list[str]:
    return [run.run_id for run in yard.stores.runs.list(RunsFilter(statuses=tuple(ACTIVE)), limit=1000)]


def _teams(yard: Bench, *, slots: int) -> tuple[list[str], list[str]]:
    """A deep queue of one team with a few runs of another behind it, some of it launched."""
    yard.stores.limits.configure(Rules(max_concurrent_runs=slots))
    docs = deepen(
        yard.stores, NewRun(run_id=new_id(), job_name="job", location_name="yard", tags={"t": "docs"}), QUEUED
    )
    data = [yard.submit(t="data") for _ in range(3)]
    assert yard.launched(slots) == docs[:slots]
    return docs, data


def test_a_newly_tracked_key_holds_runs_back_at_once_and_stops_nothing(any_bench) -> None:
    yard = any_bench(capacity=8)
    docs, data = _teams(yard, slots=2)
    yard.stores.limits.configure(Rules(max_concurrent_runs=6, tag_rules=(TagRule("t", 2, per_unique_value=True),)))
    passes = 0
    while yard.location.wait_launched(2) and len(yard.location.launched) < 4:
        yard.look()
        passes += 1
        assert Counter(_team(yard, run) for run in _active(yard))["docs"] <= 2
        assert passes < 30
    assert yard.location.wait_launched(4)[2:] == data[:2], "the limit of their own team lets two through"
    yard.end(docs[0])
    assert yard.launched(5)[-1] == docs[2]


def _team(yard: Bench, run_id: str) -> str:
    run = yard.stores.runs.get(run_id)
    assert run is not None
    return run.tags["t"]


def test_a_run_whose_lane_is_of_another_time_is_looked_at_again_before_it_is_launched(any_bench, monkeypatch) -> None:
    yard = any_bench(capacity=8)
    yard.stores.limits.configure(Rules(max_concurrent_runs=2))
    docs, data = [yard.submit(t="docs") for _ in range(40)], [yard.submit(t="data") for _ in range(2)]
    assert yard.launched(2) == docs[:2]
    # In the background hardly anything happens.
    relane = yard.stores.queue.relane
    monkeypatch.setattr(yard.stores.queue, "relane", lambda **options: relane(**{**options, "limit": 2}))
    yard.stores.limits.configure(Rules(max_concurrent_runs=6, tag_rules=(TagRule("t", 2, per_unique_value=True),)))
    passes = 1
    while yard.look().wake_at <= yard.clock.now() or yard.woken.was_woken():
        assert len(_active(yard)) <= 4
        passes += len(yard.location.launched) < 4
    assert passes < 14, "not only two in each pass"
    assert yard.location.wait_launched(4) == [*docs[:2], *data]


def test_lanes_are_computed_again_a_bounded_number_in_each_pass(bench, monkeypatch) -> None:
    yard = bench(capacity=8)
    _teams(yard, slots=2)
    done = []
    relane = yard.stores.queue.relane

    def counting(**options: object) -> int:
        done.append(relane(**options))
        return done[-1]

    monkeypatch.setattr(yard.stores.queue, "relane", counting)
    yard.stores.limits.configure(Rules(max_concurrent_runs=2, tag_rules=(TagRule("t", 1),)))
    per_pass = []
    while yard.look().wake_at <= yard.clock.now():
        per_pass.append(sum(done))
        done.clear()
    assert sum(per_pass) == QUEUED + 3
    assert max(per_pass) <= mirror.RELANED_AT_ONCE


def test_launching_goes_on_while_lanes_are_computed_again(bench) -> None:
    yard = bench(capacity=8)
    docs, _ = _teams(yard, slots=2)
    yard.stores.limits.configure(Rules(max_concurrent_runs=2, tag_rules=(TagRule("t", 10),)))
    yard.look()
    for ended in range(5):
        yard.end(docs[ended])
        assert yard.launched(ended + 3)[-1] == docs[ended + 2], "in their order, from the next pass on"


def test_a_limit_that_changes_reads_nothing_again(bench, monkeypatch) -> None:
    yard = bench(Rules(max_concurrent_runs=1))
    first, second = yard.submit(), yard.submit()
    assert yard.launched(1) == [first]
    monkeypatch.setattr(yard.stores.queue, "lanes", None)
    yard.stores.limits.configure(Rules(max_concurrent_runs=2))
    assert yard.launched(2) == [first, second]


def test_a_pause_holds_a_value_until_it_is_over_and_is_lifted_then(bench) -> None:
    yard = bench()
    now = yard.clock.now()
    yard.stores.limits.pause(Pause(scope="tag", name="t", value="docs", by="ops", since=now, until=now + 60))
    held, free = yard.submit(t="docs"), yard.submit(t="data")
    assert yard.launched(1) == [free]
    yard.clock.advance(30)
    due = yard.look().wake_at
    assert due == min(now + 60, now + 30 + yard.settings.dequeue_interval_seconds)
    yard.clock.advance(30)
    assert yard.launched(2) == [free, held]
    assert yard.stores.queue.rules().pauses == ()
    assert next(entry.action for entry in yard.stores.limits.audit(limit=10)) == "resume"


def test_a_drained_queue_launches_nothing_until_it_is_resumed(bench) -> None:
    yard = bench()
    yard.stores.limits.pause(Pause(scope="queue", by="ops", since=yard.clock.now(), drain=True))
    run = yard.submit()
    yard.look()
    assert yard.status(run) is RunStatus.QUEUED
    yard.stores.limits.resume("queue", by="ops", now=yard.clock.now())
    assert yard.launched(1) == [run]


def test_a_rate_frees_by_itself_and_counts_what_was_launched_before_it_was_set(bench) -> None:
    yard = bench()
    first, second = yard.submit(t="docs"), yard.submit(t="data")
    assert yard.launched(2) == [first, second]
    yard.clock.advance(10)
    yard.stores.limits.configure(
        Rules(max_concurrent_runs=-1, rates=(RateRule(key="t", limit=1, seconds=60, value="docs"),))
    )
    third = yard.submit(t="docs")
    due = yard.look().wake_at
    assert yard.status(third) is RunStatus.QUEUED
    assert due <= yard.clock.now() + 5
    yard.clock.advance(48)
    assert yard.look().wake_at == yard.clock.now() + 2, "not at the next interval"
    yard.clock.advance(2)
    assert yard.launched(3)[-1] == third


def test_a_rate_outlives_its_leader(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=-1, rates=(RateRule(key="t", limit=1, seconds=60),)))
    first, second = yard.submit(t="docs"), yard.submit(t="docs")
    assert yard.launched(1) == [first]
    yard.daemon.stand_by()
    yard.look()
    assert yard.status(second) is RunStatus.QUEUED


def test_steps_that_hold_a_pool_keep_runs_back_that_begin_with_it(bench) -> None:
    yard = bench(Rules(max_concurrent_runs=-1, pools=PoolRules(limits={"db": 1})), capacity=8)
    needs = PoolNeeds(all={"db": 1}, roots={"db": 1})
    first, second = (NewRun(run_id=new_id(), job_name="job", location_name="yard", pools=needs) for _ in range(2))
    yard.stores.runs.add([first], enqueue=True)
    assert yard.launched(1) == [first.run_id]
    yard.begin(yard.location.launched[0])
    taken = {"attempt": 1, "pool": "db", "slots": 1, "priority": 0, "now": yard.clock.now()}
    assert yard.stores.pool_slots.claim(first.run_id, "step", **taken)
    yard.stores.runs.add([second], enqueue=True)
    yard.look()
    yard.clock.advance(ROOT_GRACE)
    yard.look()
    assert yard.status(second.run_id) is RunStatus.QUEUED
    yard.stores.pool_slots.free(first.run_id, "step", attempt=1)
    assert yard.launched(2)[-1] == second.run_id
