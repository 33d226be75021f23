"""The queue's view on both databases: pages, single runs and summaries tell the same, at any depth."""

from __future__ import annotations

from typing import Any

import pytest

from deep_queue import deepen
from runyard.core.clock import ManualClock
from runyard.core.daemon import DaemonType, Heartbeat
from runyard.core.lease import Fence, daemon_lease
from runyard.core.location import LeftAlone
from runyard.core.queue import Estimate, QueueFilter, Steering
from runyard.core.run import NewRun, RunStatus
from runyard.operations.queue.ahead import FEW_LANES
from runyard.operations.queue.limits_view import limits
from runyard.operations.queue.view import entries, entry, note_estimates, sooner, summary
from runyard.queue.rules import Pause, RateRule, Rules, TagRule
from runyard.storage.open import SqlStores

from .yard import Yard

KIND = DaemonType.QUEUED_RUN_COORDINATOR


@pytest.fixture
def yard(stores: SqlStores, clock: ManualClock) -> Yard:
    made = Yard(stores, clock)
    lead(made)
    return made


def lead(yard: Yard) -> Fence:
    """A run queue daemon is alive."""
    lease = yard.stores.leases.acquire(daemon_lease(KIND), holder="p", seconds=300)
    assert lease is not None
    beat = Heartbeat(
        daemon_type=KIND, process_id="p", machine="m", pid=1, at=yard.clock.now(), started_at=0.0, leader=True
    )
    yard.stores.heartbeats.beat(beat)
    return Fence(lease.name, lease.term)


def a_mixed_queue(yard: Yard) -> list[str]:
    """Runs of every sort; their ids as one page lists them."""
    pause = Pause(scope="tag", name="team", value="art", by="ops", since=yard.clock.now())
    yard.stores.limits.configure(Rules(max_concurrent_runs=3, tag_rules=(TagRule("team", 1, "docs"),)))
    yard.stores.limits.pause(pause)
    yard.submit(tags={"team": "docs"}, queued=False)
    teams = ["docs", "art", "x", "docs", "art", "y", "docs", "z"]
    for number, team in enumerate(teams):
        yard.submit(tags={"team": team, "dagster/priority": number % 3})
    held = Steering(action="hold", by="ops")
    yard.stores.queue.steer(QueueFilter(tags={"team": "y"}), held, now=yard.clock.now())
    return [found.run_id for found in entries(yard.stores, clock=yard.clock, limit=100)]


def test_pages_put_together_are_the_list(yard: Yard) -> None:
    whole = a_mixed_queue(yard)
    assert len(whole) == 8
    for size in (1, 3):
        paged: list[str] = []
        while found := entries(yard.stores, clock=yard.clock, limit=size, after=paged[-1] if paged else None):
            paged += [one.run_id for one in found]
        assert paged == whole


def test_one_run_is_told_what_the_list_says(yard: Yard) -> None:
    whole = a_mixed_queue(yard)
    listed = {one.run_id: one for one in entries(yard.stores, clock=yard.clock, limit=100)}
    assert {run_id: entry(yard.stores, run_id, clock=yard.clock) for run_id in whole} == listed
    kinds = sorted(one.reason.kind for one in listed.values())
    assert kinds == ["held", "next", "next", "paused", "paused", "tag_limit", "tag_limit", "tag_limit"]


def test_a_run_that_left_the_queue_gives_the_first_page(yard: Yard) -> None:
    whole = a_mixed_queue(yard)
    yard.stores.runs.cancel_waiting(whole[0], message="", now=yard.clock.now())
    assert [one.run_id for one in entries(yard.stores, clock=yard.clock, limit=2, after=whole[0])] == whole[1:3]
    assert entry(yard.stores, whole[0], clock=yard.clock) is None


def new(run_id: str, **fields: Any) -> NewRun:
    return NewRun(run_id=run_id, job_name="job", location_name="yard", **fields)


def test_the_free_run_behind_all_blocked_ones_is_listed_first(yard: Yard) -> None:
    yard.stores.limits.configure(Rules(tag_rules=(TagRule("team", 1),)))
    yard.submit(tags={"team": "docs"}, queued=False)
    blocked = deepen(yard.stores, new("b", tags={"team": "docs"}), 3000)
    yard.stores.runs.add([new("free")], enqueue=True)
    first, second = entries(yard.stores, clock=yard.clock, limit=2)
    assert (first.run_id, first.position, first.reason.message) == ("free", 3001, "Next. Starts at once")
    assert (second.run_id, second.position, second.forecast_position) == (blocked[0], 1, 2)
    last = entry(yard.stores, blocked[-1], clock=yard.clock)
    assert last is not None
    assert (last.position, last.forecast_position, last.reason.kind) == (3000, None, "tag_limit")
    assert (last.reason.ahead, last.reason.ahead_is_most) == (2999, True)
    assert last.reason.message.endswith(", then up to 2999 runs ahead")
    page = entries(yard.stores, clock=yard.clock, limit=3, after=blocked[1500])
    assert [one.run_id for one in page] == blocked[1501:1504]


def test_more_lanes_than_are_read_at_once(yard: Yard) -> None:
    rules = Rules(max_concurrent_runs=2, tag_rules=(TagRule("customer", 1, per_unique_value=True),))
    yard.stores.limits.configure(rules)
    queued = deepen(yard.stores, new("c", tags={"customer": "0"}), FEW_LANES + 200, own_lane=True)
    found = entries(yard.stores, clock=yard.clock, limit=4)
    assert [one.run_id for one in found] == queued[:4]
    assert [one.reason.message for one in found] == [
        "Next. Starts at once",
        "Starts at once, after 1 run",
        "Behind 2 runs in order; 0 of 2 run slots in use",
        "Behind 3 runs in order; 0 of 2 run slots in use",
    ]
    last = entry(yard.stores, queued[-1], clock=yard.clock)
    assert last is not None
    assert (last.position, last.forecast_position, last.reason.kind) == (500, 500, "max_concurrent_runs")


def test_locations_that_launch_nothing(yard: Yard) -> None:
    run = yard.submit()
    elsewhere = NewRun(run_id="e", job_name="job", location_name="gone")
    yard.stores.runs.add([elsewhere], enqueue=True)
    resting = LeftAlone(until=yard.clock.now() + 41.5, reason="it does not answer")
    yard.stores.locations.leave_alone("yard", resting, fence=lead(yard))
    told = {one.run_id: one.reason for one in entries(yard.stores, clock=yard.clock)}
    assert told[run.run_id].message == ("Location yard could not be reached; tried again in 42 s: it does not answer")
    assert told["e"].message == "Location gone is not in the workspace"
    yard.clock.advance(42)
    lead(yard)
    found = entry(yard.stores, run.run_id, clock=yard.clock)
    assert found is not None
    assert found.reason.message == "Next. Starts at once"


def test_a_daemon_whose_lease_is_free_is_not_waited_for(yard: Yard) -> None:
    """Also while the heartbeat of one that was killed is still young."""
    run = yard.submit()
    fence = lead(yard)
    yard.stores.leases.release(fence.name, holder="p", term=fence.term)
    found = entry(yard.stores, run.run_id, clock=yard.clock)
    assert found is not None
    assert (found.reason.kind, found.estimated_start) == ("no_queue_daemon", None)


def test_what_would_start_it_sooner(yard: Yard) -> None:
    yard.stores.limits.configure(Rules(max_concurrent_runs=5, tag_rules=(TagRule("team", 1),)))
    holder = yard.submit(tags={"team": "a"}, queued=False)
    first = yard.submit(tags={"team": "a"})
    run = yard.submit(tags={"team": "a"})
    found = sooner(yard.stores, run.run_id, clock=yard.clock)
    assert [(one.kind, one.title, one.position) for one in found] == [
        ("now", "Now", 2),
        ("priority", "Priority 1", 1),
        ("limit", "team limit 2", 2),
        ("cancel", f"Cancel {holder.run_id[:8]}", 2),
    ]
    assert [(one.kind, one.title) for one in sooner(yard.stores, first.run_id, clock=yard.clock)] == [
        ("now", "Now"),
        ("limit", "team limit 2"),
        ("cancel", f"Cancel {holder.run_id[:8]}"),
    ]


def test_estimates_are_noted_and_their_error_told(yard: Yard) -> None:
    rate = RateRule(key="team", limit=1, seconds=60.0)
    yard.stores.limits.configure(Rules(rates=(rate,)))
    yard.submit(tags={"team": "a"}, queued=False)
    waiting = yard.submit(tags={"team": "a"})
    assert note_estimates(yard.stores, clock=yard.clock) == 1
    assert summary(yard.stores, clock=yard.clock).estimate_error is None
    made_at = yard.clock.now()
    yard.clock.advance(80)
    fence = lead(yard)
    heads = yard.stores.queue.in_order(None, limit=1)
    version = yard.stores.queue.rules().version
    assert yard.stores.queue.claim(heads, fence=fence, rules_version=version, now=yard.clock.now())
    assert list(yard.stores.queue.estimates()) == [Estimate(waiting.run_id, made_at, made_at + 60, yard.clock.now())]
    found = summary(yard.stores, clock=yard.clock)
    assert found.estimate_error is not None
    assert found.estimate_error.message == "usually off by 20 s (last 1 estimate)"
    assert (found.depth, found.started_last_hour, found.daemon_alive) == (0, 2, True)


def test_a_run_that_others_overtake_starves(yard: Yard) -> None:
    yard.stores.limits.configure(Rules(max_concurrent_runs=100))
    low = yard.submit(tags={"dagster/priority": "-1"})
    for _ in range(6):
        yard.clock.advance(60)
        yard.submit()
        fence = lead(yard)
        version = yard.stores.queue.rules().version
        heads = yard.stores.queue.in_order(None, limit=1)
        assert yard.stores.queue.claim(heads, fence=fence, rules_version=version, now=yard.clock.now())
    found = entry(yard.stores, low.run_id, clock=yard.clock)
    assert found is not None
    assert (found.overtaken.total, found.overtaken.by_priority, found.overtaken.starving) == (6, 6, True)
    told = summary(yard.stores, clock=yard.clock)
    assert [line.message for line in told.starvation] == ["job was overtaken by 6 runs, for its priority -1"]
    assert (told.depth, told.oldest_wait) == (1, 360.0)


def test_limits_count_who_waits_and_since_when(yard: Yard) -> None:
    yard.stores.limits.configure(Rules(max_concurrent_runs=1, tag_rules=(TagRule("team", 1),)))
    holder = yard.submit(tags={"team": "a"}, queued=False)
    yard.submit(tags={"team": "a"})
    yard.clock.advance(30)
    lead(yard)
    yard.submit()
    slots, team = limits(yard.stores, clock=yard.clock)
    assert (slots.rule, slots.used, slots.waiting, slots.longest_wait) == ("max_concurrent_runs", 1, 1, 0.0)
    assert (team.rule, team.used, team.waiting, team.longest_wait) == ("team", 1, 1, 30.0)
    assert (team.holders, team.waiting_is_all) == ((holder.run_id,), True)


def test_nothing_queued(yard: Yard) -> None:
    assert entries(yard.stores, clock=yard.clock) == []
    told = summary(yard.stores, clock=yard.clock)
    assert (told.depth, told.oldest_wait, told.starvation, told.daemon_alive) == (0, None, (), True)
    run = yard.started()
    assert run.status is RunStatus.STARTED
    assert sooner(yard.stores, run.run_id, clock=yard.clock) == []


def test_a_key_that_was_never_tracked_is_obeyed_before_any_leader_has_moved_a_lane(
    stores: SqlStores, clock: ManualClock
) -> None:
    """Nobody leads: lanes stay as they were, and the answer is that of the rules."""
    yard = Yard(stores, clock)
    stores.limits.configure(Rules(max_concurrent_runs=10))
    (active, paused, limited, free) = (
        yard.submit(tags=tags, queued=queued).run_id
        for tags, queued in [({"db": "x"}, False), ({"team": "art"}, True), ({"db": "x"}, True), ({}, True)]
    )
    stores.limits.pause(Pause(scope="tag", name="team", value="art", by="ops", since=clock.now()))
    stores.limits.configure(Rules(max_concurrent_runs=10, tag_rules=(TagRule("db", 1, "x"),)))
    reasons = {one.run_id: one.reason for one in entries(stores, clock=clock)}
    assert {run_id: reason.kind for run_id, reason in reasons.items()} == {
        paused: "paused",
        limited: "tag_limit",
        free: "no_queue_daemon",
    }
    assert reasons[limited].holders == (active,)
    for run_id, reason in reasons.items():
        alone = entry(stores, run_id, clock=clock)
        assert alone is not None
        assert alone.reason == reason


def test_limits_count_who_waits_before_any_leader_has_moved_a_lane(stores: SqlStores, clock: ManualClock) -> None:
    yard = Yard(stores, clock)
    stores.limits.configure(Rules(max_concurrent_runs=10))
    yard.submit(tags={"db": "x"}, queued=False)
    yard.submit(tags={"db": "x"})
    stores.limits.configure(Rules(max_concurrent_runs=10, tag_rules=(TagRule("db", 1, "x"),)))
    [used] = [use for use in limits(stores, clock=clock) if use.rule == "db=x"]
    assert (used.used, used.waiting) == (1, 1)
