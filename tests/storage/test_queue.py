"""The queue as its leader reads it, claims, and what people do to queued runs."""

from __future__ import annotations

import threading

import msgspec
import pytest

from runyard.core.errors import LeaseLost
from runyard.core.events import BEGINNING
from runyard.core.lease import Fence
from runyard.core.queue import Claim
from runyard.core.run import RunStatus
from runyard.core.tags import PRIORITY
from runyard.queue.admission.tree import BEFORE_ALL, place_of
from runyard.queue.rules import Rules, TagRule
from runyard.storage.open import SqlStores

from .make import (
    NOW,
    claim,
    claimed,
    enqueue,
    event_types,
    get,
    head,
    in_status,
    incompressible,
    lead,
    new_run,
    report,
    started,
    steer,
    until_someone_waits,
)

TEAM = Rules(tag_rules=(TagRule("team", 1),))


def test_heads_are_by_priority_then_sequence(stores: SqlStores) -> None:
    runs = [enqueue(stores, priority=priority) for priority in (0, -1, 5, 0, 5)]
    lanes = stores.queue.lanes()
    assert lanes == [runs[0].lane]
    order = [runs[2], runs[4], runs[0], runs[3], runs[1]]
    assert stores.queue.heads(lanes, per_lane=9) == [head(run) for run in order]
    assert stores.queue.heads(lanes) == [head(run) for run in order[:3]]
    assert [run.run_id for run in stores.queue.queued(limit=4)] == [run.run_id for run in order[:4]]
    assert stores.queue.depth() == 5


def test_heads_from_a_place_on(stores: SqlStores) -> None:
    runs = [enqueue(stores, priority=priority) for priority in (0, -1, 5, 0, 5)]
    other = enqueue(stores, job_name="other")
    order = [head(runs[number]) for number in (2, 4, 0, 3, 1)]
    lane = runs[0].lane or ""
    for number, one in enumerate(order):
        since = {lane: (-one.priority, one.seq)}
        assert stores.queue.heads([lane], per_lane=9, since=since) == order[number:]
        assert stores.queue.heads([lane], per_lane=1, since=since) == [one]
    # A lane that it does not name is read from its beginning.
    assert head(other) in stores.queue.heads([other.lane or "", lane], since={lane: (1, 0)})
    assert stores.queue.heads([lane], since={lane: (2, 0)}) == []
    assert stores.queue.heads([lane], per_lane=9, since={lane: place_of(BEFORE_ALL)}) == order


def test_heads_of_many_lanes(stores: SqlStores) -> None:
    runs = [enqueue(stores, job_name=f"job{number % 7}") for number in range(21)]
    lanes = stores.queue.lanes()
    assert lanes == sorted({run.lane for run in runs if run.lane})
    heads = stores.queue.heads([*lanes, "no such lane"], per_lane=2)
    assert [(lane, 2) for lane in lanes] == [(lane, sum(h.lane == lane for h in heads)) for lane in lanes]
    assert stores.queue.heads([]) == []


def test_held_runs_are_no_heads_but_are_listed(stores: SqlStores) -> None:
    run = enqueue(stores)
    held = steer(stores, run.run_id, "hold", by="ann", reason="wait for data")
    assert held is not None
    assert (held.held, held.held_by, held.held_reason) == (True, "ann", "wait for data")
    assert get(stores, run.run_id) == held
    assert (stores.queue.lanes(), stores.queue.heads([run.lane or ""])) == ([], [])
    assert [found.run_id for found in stores.queue.queued(limit=9)] == [run.run_id]
    assert claim(stores, run) == []
    released = steer(stores, run.run_id, "release", by="bob")
    assert released is not None
    assert (released.held, released.held_by) == (False, None)
    assert stores.queue.lanes() == [run.lane]
    messages = [stored.event.message for stored in stores.events.of_run(run.run_id)]
    assert messages[1:] == ["Held by ann: wait for data", "Released by bob."]


def test_a_new_priority_moves_the_run_and_its_tag(stores: SqlStores) -> None:
    first, second = enqueue(stores), enqueue(stores, tags={PRIORITY: "0", "k": "v"})
    changed = steer(stores, second.run_id, "priority", priority=7, by="ann")
    assert changed is not None
    assert (changed.priority, changed.tags) == (7, {PRIORITY: "7", "k": "v"})
    assert stores.queue.heads(stores.queue.lanes())[0] == head(changed)
    steer(stores, first.run_id, "priority", priority=-2, by="ann")
    assert get(stores, first.run_id).tags == {PRIORITY: "-2"}
    assert "from 0 to 7 by ann" in stores.events.of_run(second.run_id)[-1].event.message


@pytest.mark.parametrize("status", [status for status in RunStatus if status is not RunStatus.QUEUED])
def test_only_queued_runs_are_steered(stores: SqlStores, status: RunStatus) -> None:
    run_id = in_status(stores, status)
    before = get(stores, run_id)
    assert steer(stores, run_id, "priority", priority=1) is None
    assert steer(stores, run_id, "hold") is None
    assert steer(stores, run_id, "release") is None
    assert get(stores, run_id) == before


def test_a_claim_wins_what_is_still_there_in_order(stores: SqlStores) -> None:
    runs = [enqueue(stores) for _ in range(6)]
    stores.runs.cancel_waiting(runs[0].run_id, message="m", now=NOW)
    steer(stores, runs[2].run_id, "hold")
    moved = msgspec.structs.replace(runs[3], lane="another lane")
    claims = claim(stores, runs[5], runs[0], runs[1], runs[2], moved, runs[4])
    assert [won.run_id for won in claims] == [runs[5].run_id, runs[1].run_id, runs[4].run_id]
    assert [won.launch_seq for won in claims] == sorted({won.launch_seq for won in claims})
    assert len({won.token for won in claims}) == 3
    for won in claims:
        run = get(stores, won.run_id)
        assert (run.status, run.attempt, run.launch_token) == (RunStatus.STARTING, 1, won.token)
        assert (run.launch_seq, run.launched_at) == (won.launch_seq, NOW)
        assert event_types(stores, won.run_id)[-2:] == ["RUN_DEQUEUED", "RUN_STARTING"]
        assert (won.job_name, won.location_name) == (run.job_name, run.location_name)
    assert claim(stores, *(run for run in runs if run is not runs[3])) == claim(stores) == []


def test_a_claim_obeys_the_rules_it_was_made_for(stores: SqlStores) -> None:
    run = enqueue(stores)
    fence = lead(stores)
    stores.limits.configure(Rules(max_concurrent_runs=3))
    assert stores.queue.claim([head(run)], fence=fence, rules_version=0, now=NOW) == []
    assert get(stores, run.run_id).status is RunStatus.QUEUED
    assert len(stores.queue.claim([head(run)], fence=fence, rules_version=1, now=NOW)) == 1


def test_a_claim_refuses_lanes_that_hide_what_is_tracked_now(stores: SqlStores) -> None:
    old = enqueue(stores, tags={"other": "docs"})
    rules = stores.limits.configure(TEAM)
    new = enqueue(stores)
    fence = lead(stores)
    assert old.lane == new.lane
    assert [(one.run_id, one.stale) for one in stores.queue.in_order(None, limit=9)] == [
        (old.run_id, True),
        (new.run_id, False),
    ]
    assert [one.stale for one in stores.queue.heads(stores.queue.lanes())] == [True, False]
    assert [won.run_id for won in claim(stores, old, new, fence=fence)] == [new.run_id]
    # Its lane stays the same, yet the leader has to read it again.
    assert stores.queue.relane_runs([old.run_id, new.run_id], fence=fence, rules=rules) == [old.lane]
    assert stores.queue.heads(stores.queue.lanes()) == [head(old)]
    assert len(claim(stores, old, fence=fence)) == 1


def test_runs_chosen_are_relaned(stores: SqlStores) -> None:
    runs = [enqueue(stores, tags={"team": team}) for team in ("docs", "web", "web")]
    running = started(stores, tags={"team": "docs"})
    rules = stores.limits.configure(TEAM)
    fence = lead(stores)
    place = stores.queue.change_head()
    chosen = [runs[0].run_id, runs[1].run_id, running.run_id, "nobody"]
    lanes = stores.queue.relane_runs(chosen, fence=fence, rules=rules)
    docs, web = (get(stores, run.run_id).lane for run in runs[:2])
    assert sorted(lanes) == sorted([runs[0].lane, docs, web])
    assert [get(stores, run.run_id).lane == run.lane for run in runs] == [False, False, True]
    assert stores.queue.changes(place) == []
    assert set(stores.queue.relane_runs(chosen, fence=fence, rules=rules)) == {docs, web}
    assert stores.queue.relane_runs(chosen, fence=fence, rules=Rules()) == []
    with pytest.raises(LeaseLost):
        stores.queue.relane_runs(chosen, fence=Fence("queue", fence.term - 1), rules=rules)


def test_a_stale_leader_claims_nothing(stores: SqlStores) -> None:
    run = enqueue(stores)
    fence = lead(stores)
    with pytest.raises(LeaseLost):
        stores.queue.claim([head(run)], fence=Fence("queue", fence.term - 1), rules_version=0, now=NOW)
    stores.leases.release("queue", holder="me", term=fence.term)
    with pytest.raises(LeaseLost):
        stores.queue.claim([head(run)], fence=fence, rules_version=0, now=NOW)
    assert get(stores, run.run_id).status is RunStatus.QUEUED


def test_eight_claimers_launch_nothing_twice(stores: SqlStores) -> None:
    runs = stores.runs.add([new_run() for _ in range(120)], enqueue=True)
    fence = lead(stores)
    won: list[Claim] = []
    barrier = threading.Barrier(8)

    def work() -> None:
        barrier.wait(10)
        for start in range(0, 120, 20):
            won.extend(claim(stores, *runs[start : start + 30], fence=fence))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(claim.run_id for claim in won) == sorted(run.run_id for run in runs)
    assert {claim.attempt for claim in won} == {1}
    assert len({claim.launch_seq for claim in won}) == 120
    assert all(event_types(stores, run.run_id).count("RUN_STARTING") == 1 for run in runs)


def test_a_claim_locks_runs_in_the_order_of_reports(postgres_stores: SqlStores) -> None:
    """Otherwise a late report of attempts that were given up on and a claim of the same runs wait for each other."""
    stores = postgres_stores
    second, first = enqueue(stores, run_id="b"), enqueue(stores, run_id="a")
    won: list[Claim] = []
    thread = threading.Thread(target=lambda: won.extend(claim(stores, second, first)))
    lock = "SELECT 1 FROM runs WHERE run_id = %s FOR UPDATE"
    with stores.database.write() as connection:
        connection.exec_driver_sql(lock, ("a",))
        thread.start()
        until_someone_waits(stores)
        connection.exec_driver_sql(f"{lock} NOWAIT", ("b",))
    thread.join(20)
    assert [one.run_id for one in won] == ["b", "a"]


def test_requeueing_keeps_the_place(stores: SqlStores) -> None:
    first, second = enqueue(stores), enqueue(stores)
    claim(stores, first)
    back = stores.runs.requeue(first.run_id, attempt=1, reason="location unreachable", now=NOW)
    assert back is not None
    assert (back.queue_seq, back.launch_seq, back.launch_token) == (first.queue_seq, None, None)
    assert [h.run_id for h in stores.queue.heads(stores.queue.lanes())] == [first.run_id, second.run_id]
    assert stores.events.of_run(first.run_id)[-1].event.message == "location unreachable"


def test_active_runs(stores: SqlStores) -> None:
    starting, running, canceling = claimed(stores), started(stores, job_name="b"), started(stores)
    stores.runs.cancel_active(canceling.run_id, message="m", now=NOW + 9)
    enqueue(stores)
    in_status(stores, RunStatus.SUCCESS)
    found = {run.run_id: (run.status, run.since) for run in stores.queue.active()}
    assert found == {
        starting.run_id: (RunStatus.STARTING, NOW),
        running.run_id: (RunStatus.STARTED, NOW),
        canceling.run_id: (RunStatus.CANCELING, NOW + 9),
    }
    assert all(run.lane == get(stores, run.run_id).lane for run in stores.queue.active())


def test_starting_directly(stores: SqlStores) -> None:
    (run,) = stores.runs.add([new_run(tags={"team": "docs"})], enqueue=False)
    place = stores.queue.change_head()
    won = stores.queue.start_directly(run.run_id, now=NOW)
    assert won is not None
    assert stores.queue.start_directly(run.run_id, now=NOW) is None
    stored = get(stores, run.run_id)
    assert (stored.status, stored.attempt, stored.launch_seq) == (RunStatus.STARTING, 1, won.launch_seq)
    assert [change.kind for change in stores.queue.changes(place)] == ["started"]
    assert stores.runs.requeue(run.run_id, attempt=1, reason="r", now=NOW) is None
    assert stores.runs.report([report(won, begin=True)]) == [True]
    assert [active.lane for active in stores.queue.active()] == [stored.lane]


def test_rules_are_kept_when_they_differ(stores: SqlStores) -> None:
    assert stores.queue.rules() == Rules()
    assert stores.limits.configure(Rules()) == Rules()
    place = stores.queue.change_head()
    kept = stores.limits.configure(TEAM)
    assert kept == msgspec.structs.replace(TEAM, version=1) == stores.queue.rules()
    assert stores.limits.configure(kept) == stores.limits.configure(TEAM) == kept
    assert [change.kind for change in stores.queue.changes(place)] == ["rules"]
    assert stores.limits.configure(Rules(max_concurrent_runs=3)).version == 2


def test_a_new_tracked_key_relanes_in_batches(stores: SqlStores) -> None:
    queued = [enqueue(stores, tags={"team": team}) for team in ("docs", "web", "docs")]
    held = enqueue(stores, tags={"team": "docs"})
    steer(stores, held.run_id, "hold")
    active = started(stores, tags={"team": "web"})
    in_status(stores, RunStatus.SUCCESS)
    fence = lead(stores)
    rules = stores.limits.configure(TEAM)
    late = enqueue(stores, tags={"team": "late"})
    batches = []
    while count := stores.queue.relane(fence=fence, rules=rules, limit=2):
        batches.append(count)
    assert batches == [1, 2, 2]
    docs = get(stores, queued[0].run_id).lane
    assert docs is not None
    assert '"team":"docs"' in docs
    assert get(stores, queued[2].run_id).lane == get(stores, held.run_id).lane == docs
    assert get(stores, active.run_id).lane == get(stores, queued[1].run_id).lane != docs
    assert get(stores, late.run_id).lane == late.lane
    assert len(stores.queue.lanes()) == 3
    assert claim(stores, queued[0], fence=fence) == []
    assert len(claim(stores, get(stores, queued[0].run_id), fence=fence)) == 1


def test_very_long_values_of_newly_tracked_keys_have_their_lane(stores: SqlStores) -> None:
    keys = ("team", "user", "region")
    run = enqueue(stores, tags={key: incompressible(1500 + len(key)) for key in keys})
    rules = stores.limits.configure(Rules(tag_rules=tuple(TagRule(key, 1, per_unique_value=True) for key in keys)))
    fence = lead(stores)
    assert stores.queue.relane(fence=fence, rules=rules) == 1
    assert [won.run_id for won in claim(stores, get(stores, run.run_id), fence=fence)] == [run.run_id]


def test_a_changed_limit_relanes_nothing(stores: SqlStores) -> None:
    stores.limits.configure(TEAM)
    run = enqueue(stores, tags={"team": "docs"})
    rules = stores.limits.configure(Rules(max_concurrent_runs=1, tag_rules=(TagRule("team", 9),)))
    assert stores.queue.relane(fence=lead(stores), rules=rules) == 0
    assert get(stores, run.run_id).lane == run.lane
    assert stores.queue.relane(fence=lead(stores), rules=Rules(version=1)) == 0


def test_priority_may_be_part_of_the_lane(stores: SqlStores) -> None:
    stores.limits.configure(Rules(tag_rules=(TagRule(PRIORITY, 1, "5"),)))
    run = enqueue(stores)
    place = stores.queue.change_head()
    changed = steer(stores, run.run_id, "priority", priority=5)
    assert changed is not None
    assert changed.lane != run.lane
    assert [change.lane for change in stores.queue.changes(place)] == [run.lane, changed.lane]


def test_changes_name_the_lanes_and_are_forgotten(stores: SqlStores) -> None:
    place = stores.queue.change_head()
    runs = stores.runs.add([new_run(job_name=name) for name in "aab"], enqueue=True)
    changes = stores.queue.changes(place)
    assert [(change.kind, change.lane) for change in changes] == [("lane", runs[0].lane), ("lane", runs[2].lane)]
    stores.queue.forget_changes(changes[0].cursor)
    assert stores.queue.changes(BEGINNING)[0] == changes[1]
    stores.queue.forget_changes(changes[1].cursor)
    assert stores.queue.changes(BEGINNING) == []
    for act in (
        lambda: steer(stores, runs[0].run_id, "hold"),
        lambda: steer(stores, runs[0].run_id, "release"),
        lambda: steer(stores, runs[0].run_id, "priority", priority=1),
        lambda: stores.runs.cancel_waiting(runs[0].run_id, message="m", now=NOW),
    ):
        act()
        (change,) = stores.queue.changes(changes[1].cursor)
        assert (change.kind, change.lane, change.run_id) == ("lane", runs[0].lane, runs[0].run_id)
        stores.queue.forget_changes(change.cursor)
    # Places stay in order although the table has been emptied in between.
    assert change.cursor > changes[1].cursor
