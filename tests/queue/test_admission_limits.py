"""Limits beyond run slots and tags, one by one, fair share, and a queue of which only the beginning is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from runyard.core.pools import PoolHolder, PoolNeeds
from runyard.core.queue import ActiveRun, Launch, QueueHead
from runyard.core.run import RunStatus
from runyard.core.tags import SLOTS
from runyard.queue.admission.admission import Admission
from runyard.queue.lanes import lane_key
from runyard.queue.rules import JOB, LOCATION, FairShare, OverlapRule, Pause, PoolRules, RateRule, Rules, TagRule


def lane(
    job: str = "job",
    *,
    tags: Mapping[str, str] | None = None,
    weight: int = 1,
    roots: Mapping[str, int] | None = None,
    later: Iterable[str] = (),
    location: str = "here",
) -> str:
    needs = PoolNeeds(all={**(roots or {}), **dict.fromkeys(later, 1)}, roots=dict(roots or {}))
    all_tags = {**(tags or {}), SLOTS: str(weight)}
    return lane_key(sorted(tags or ()), location_name=location, job_name=job, tags=all_tags, pools=needs)


def queue(rules: Rules, *lanes: str) -> Admission:
    """Runs ``0``, ``1``, … of these lanes wait."""
    admission = Admission(rules)
    for text in dict.fromkeys(lanes):
        heads = [QueueHead(str(seq), text, 0, seq) for seq, one in enumerate(lanes) if one == text]
        admission.set_heads(text, heads, more=False)
    return admission


def launch(admission: Admission) -> list[str]:
    return [head.run_id for head in iter(admission.next, None)]


def paused(scope: str, name: str = "", value: str = "", until: float | None = None) -> Pause:
    return Pause(scope=scope, name=name, value=value, by="ops", since=0.0, until=until)


def pools(**limits: int) -> Rules:
    return Rules(pools=PoolRules(limits=limits))


# Weights


def test_a_heavy_run_that_does_not_fit_holds_back_no_light_one() -> None:
    admission = queue(Rules(max_concurrent_runs=3), lane(weight=2), lane(weight=2), lane())
    assert launch(admission) == ["0", "2"]
    admission.release("0")
    assert launch(admission) == ["1"]


def test_a_run_takes_its_weight_of_run_slots_and_tags_and_one_of_the_launcher() -> None:
    heavy = lane(tags={"team": "docs"}, weight=3)
    admission = queue(Rules(max_concurrent_runs=6, tag_rules=(TagRule("team", 6),)), heavy, heavy, heavy)
    admission.set_capacity("here", 2)
    assert launch(admission) == ["0", "1"]
    used = {slots.group.kind: slots.used for slots in admission.slots_of(heavy)}
    assert (used["runs"], used["tag"], used["launcher"]) == (6, 6, 2)


def test_limits_by_job_and_by_location_need_no_tag() -> None:
    rules = Rules(tag_rules=(TagRule(JOB, 1, "etl"), TagRule(LOCATION, 1, per_unique_value=True)))
    lanes = [lane("etl"), lane("etl", location="there"), lane(location="there"), lane()]
    assert launch(queue(rules, *lanes)) == ["0", "2"]


# Pools, as the field's own tests have them


def test_the_second_run_of_a_pool_waits_until_the_limit_is_raised() -> None:
    admission = queue(pools(db=1), *[lane(roots={"db": 1})] * 3)
    assert launch(admission) == ["0"]
    admission.set_rules(pools(db=2))
    assert launch(admission) == ["1"]


def test_a_pool_of_limit_zero_holds_back_its_runs_and_no_others() -> None:
    assert launch(queue(pools(db=0, api=1), lane(roots={"db": 1}), lane(roots={"api": 1}))) == ["1"]


def test_a_run_that_can_begin_outside_of_full_pools_is_launched() -> None:
    """Its roots are empty: one of the steps that it begins with is in no pool."""
    assert launch(queue(pools(db=0), lane(later=["db"]))) == ["0"]


def test_a_run_waits_only_while_all_its_root_pools_are_full() -> None:
    both = lane(roots={"db": 1, "api": 1})
    admission = queue(pools(db=0, api=1), both, both)
    assert launch(admission) == ["0"]
    admission.release("0")
    assert launch(admission) == ["1"]


def test_a_started_run_counts_in_its_root_pools_for_five_seconds() -> None:
    admission = queue(pools(db=1), *[lane(roots={"db": 1})] * 2)
    assert launch(admission) == ["0"]
    admission.pass_time(100.0)
    admission.started("0", 98.0)
    assert (launch(admission), admission.next_event()) == ([], 103.0)
    admission.pass_time(102.9)
    assert launch(admission) == []
    admission.pass_time(103.0)
    assert launch(admission) == ["1"]


def test_a_run_that_was_started_long_ago_counts_by_its_steps_alone() -> None:
    needs = lane(roots={"db": 1})
    admission = queue(pools(db=1), needs, needs)
    admission.pass_time(100.0)
    admission.occupy(ActiveRun("old", needs, RunStatus.STARTED, 90.0, started_at=94.0))
    admission.set_pool_holders("db", [PoolHolder("db", "old", "step", 1, 1, 95.0)])
    assert launch(admission) == []
    admission.set_pool_holders("db", [])
    assert launch(admission) == ["0"]


def test_a_run_that_holds_a_step_slot_does_not_count_for_its_beginning_too() -> None:
    admission = queue(pools(db=3), *[lane(roots={"db": 2})] * 3)
    admission.set_pool_holders("db", [PoolHolder("db", "0", "step", 1, 1, 0.0)])
    head = admission.next()
    assert head is not None
    # One slot by its step, not two more by what it begins with; the next one makes it three.
    assert launch(admission) == ["1"]


def test_the_run_buffer_lets_so_many_more_through() -> None:
    rules = Rules(pools=PoolRules(limits={"db": 1}, run_buffer=1))
    assert launch(queue(rules, *[lane(roots={"db": 1})] * 3)) == ["0", "1"]


def test_the_default_limit_is_for_pools_that_have_none() -> None:
    rules = Rules(pools=PoolRules(default_limit=1, limits={"api": 2}))
    assert launch(queue(rules, *[lane(roots={"db": 1})] * 2, *[lane(roots={"api": 1})] * 3)) == ["0", "2", "3"]


def test_at_run_granularity_a_full_pool_anywhere_in_the_run_holds_it_back() -> None:
    rules = Rules(pools=PoolRules(limits={"db": 1}, granularity="run"))
    admission = queue(rules, lane(roots={"db": 1}), lane(later=["db"]), lane())
    assert launch(admission) == ["0", "2"]
    admission.started("0", 0.0)
    admission.pass_time(60.0)
    assert launch(admission) == []
    admission.release("0")
    assert launch(admission) == ["1"]


@pytest.mark.parametrize("granularity", ["op", "run"])
def test_pools_that_do_not_block_the_queue_and_pools_without_limit_hold_nothing_back(granularity: str) -> None:
    waiting = [lane(roots={"db": 1})] * 2
    unblocked = PoolRules(limits={"db": 0}, granularity=granularity, block_queue=False)
    for rules in (unblocked, PoolRules(granularity=granularity)):
        assert launch(queue(Rules(pools=rules), *waiting)) == ["0", "1"]


# Rates


def test_so_many_launches_in_any_period() -> None:
    rules = Rules(rates=(RateRule(key="api", limit=2, seconds=60.0),))
    admission = queue(rules, *[lane(tags={"api": "x"}, weight=2)] * 4)
    admission.note_launch(Launch("before", lane(tags={"api": "y"}), -10.0))
    assert launch(admission) == ["0"]
    assert admission.next_event() == 50.0
    admission.release("0")
    assert launch(admission) == []
    admission.pass_time(50.0)
    assert launch(admission) == ["1"]
    admission.pass_time(60.0)
    assert launch(admission) == ["2"]


def test_a_lost_claim_counts_in_no_rate() -> None:
    waiting = lane(tags={"api": "x"})
    admission = queue(Rules(rates=(RateRule(key="api", limit=1, seconds=60.0),)), waiting)
    head = admission.next()
    assert head is not None
    admission.give_back(head)
    admission.set_heads(waiting, [head], more=False)
    assert launch(admission) == ["0"]


def test_launches_told_anew_are_counted_once() -> None:
    rules = Rules(rates=(RateRule(key=JOB, limit=2, seconds=60.0),))
    admission = queue(rules, *[lane()] * 3)
    for _ in range(2):
        admission.forget_launches()
        admission.note_launch(Launch("before", lane(), 0.0))
    assert launch(admission) == ["0"]


# Pauses


@pytest.mark.parametrize(
    ("pause", "launched"),
    [
        (paused("queue"), []),
        (paused("tag", "team", "docs"), ["1", "2", "3"]),
        (paused("tag", JOB, "etl"), ["0", "2", "3"]),
        (paused("pool", "db"), ["0", "1", "3"]),
        (paused("location", "there"), ["0", "1", "2"]),
    ],
)
def test_nothing_of_what_is_paused_is_launched_until_it_is_resumed(pause: Pause, launched: list[str]) -> None:
    lanes = [lane(tags={"team": "docs"}), lane("etl"), lane(later=["db"]), lane(location="there")]
    admission = queue(Rules(), *lanes)
    admission.set_rules(Rules(pauses=(pause,)))
    assert launch(admission) == launched
    waiting = [text for seq, text in enumerate(lanes) if str(seq) not in launched]
    assert all(any(slots.group.pause == pause for slots in admission.slots_of(text)) for text in waiting)
    admission.set_rules(Rules())
    assert sorted(launched + launch(admission)) == ["0", "1", "2", "3"]


def test_a_pause_lapses() -> None:
    admission = queue(Rules(pauses=(paused("queue", until=30.0), paused("location", "here", until=40.0))), lane())
    assert (launch(admission), admission.next_event()) == ([], 30.0)
    admission.pass_time(30.0)
    assert (launch(admission), admission.next_event()) == ([], 40.0)
    admission.pass_time(40.0)
    assert (launch(admission), admission.next_event()) == (["0"], None)


def test_a_location_that_is_open_again_stays_paused_by_whoever_paused_it() -> None:
    admission = queue(Rules(pauses=(paused("location", "here"),)), lane())
    admission.close_location("here")
    admission.open_location("here")
    assert launch(admission) == []


# Overlap


@pytest.mark.parametrize("policy", ["skip", "queue_one", "cancel_old"])
def test_one_run_of_a_job_at_a_time_in_each_location(policy: str) -> None:
    rules = Rules(overlaps=(OverlapRule(job="etl", policy=policy),))
    admission = queue(rules, lane("etl", weight=2), lane("etl"), lane("etl", location="there"), lane())
    assert launch(admission) == ["0", "2", "3"]
    admission.release("0")
    assert launch(admission) == ["1"]


def test_runs_of_a_job_that_may_overlap_do() -> None:
    allow = OverlapRule(job="etl", location="here", policy="allow")
    rules = Rules(overlaps=(allow, OverlapRule(job="etl", policy="skip")))
    assert launch(queue(rules, *[lane("etl")] * 2, *[lane("etl", location="there")] * 2)) == ["0", "1", "2"]


# Fair share


def shares(*teams: str | None) -> list[str]:
    return [lane(tags={} if team is None else {"team": team}) for team in teams]


def test_the_value_that_holds_least_for_its_weight_goes_first() -> None:
    rules = Rules(max_concurrent_runs=6, fair_share=FairShare(key="team", weights={"b": 2.0}))
    admission = queue(rules, *shares(*"aaaaa", *"bbbbb", None))
    # By turns; b twice as often, runs without a team as one more.
    assert launch(admission) == ["0", "5", "10", "6", "1", "7"]
    admission.release("10")
    admission.release("6")
    # a holds 2 for 1, b holds 2 for 2.
    assert launch(admission) == ["8", "9"]


def test_a_value_whose_runs_end_comes_forward() -> None:
    a, b = shares("a", "b")
    admission = queue(Rules(fair_share=FairShare(key="team")), a, b, b)
    for run_id in ("x", "y"):
        admission.occupy(ActiveRun(run_id, a, RunStatus.STARTED, 0.0, started_at=0.0))
    first = admission.next()
    assert first is not None
    assert first.run_id == "1"
    admission.release("x")
    admission.release("y")
    assert launch(admission) == ["0", "2"]


def test_priority_goes_before_shares() -> None:
    rules = Rules(max_concurrent_runs=2, fair_share=FairShare(key="team"))
    admission = queue(rules, *shares("a", "b"))
    first = shares("a")[0]
    admission.occupy(ActiveRun("x", first, RunStatus.STARTED, 0.0, started_at=0.0))
    admission.set_heads(first, [QueueHead("0", first, 1, 0)], more=False)
    assert launch(admission) == ["0"]
    admission.release("x")
    assert launch(admission) == ["1"]


def test_a_fair_share_that_comes_while_runs_wait() -> None:
    admission = queue(Rules(max_concurrent_runs=2), *shares("a", "a", "b"))
    admission.set_rules(Rules(max_concurrent_runs=2, fair_share=FairShare(key="team")))
    assert not admission.settle(1)
    assert admission.settle(10)
    assert launch(admission) == ["0", "2"]
    admission.set_rules(Rules(max_concurrent_runs=3))
    assert launch(admission) == ["1"]


# The frontier


def test_nothing_behind_the_frontier_is_taken_before_it_is_read() -> None:
    one, two = lane("one"), lane("two")
    admission = Admission(Rules(max_concurrent_runs=3))
    admission.set_frontier((0, 0))
    admission.set_heads(two, [QueueHead("urgent", two, 5, 9), QueueHead("late", two, 0, 10)], more=False)
    assert (launch(admission), admission.wants_more) == (["urgent"], True)
    admission.extend([QueueHead("first", one, 0, 1)], (0, 1))
    assert (launch(admission), admission.wants_more) == (["first"], True)
    admission.extend([QueueHead("late", two, 0, 10)], None)
    assert (launch(admission), admission.wants_more) == (["late"], False)


def test_no_more_is_wanted_while_run_slots_are_full_or_the_queue_is_paused() -> None:
    admission = Admission(Rules(max_concurrent_runs=0))
    admission.set_frontier((0, 0))
    assert (admission.next(), admission.wants_more) == (None, False)
    admission.set_rules(Rules(pauses=(paused("queue"),)))
    assert (admission.next(), admission.wants_more) == (None, False)
    admission.set_rules(Rules())
    assert (admission.next(), admission.wants_more) == (None, True)


def test_of_a_long_lane_only_a_few_heads_are_kept_and_the_others_are_read_when_it_is_their_turn() -> None:
    text = lane()
    admission = Admission(Rules(max_concurrent_runs=-1))
    admission.extend([QueueHead(str(seq), text, 0, seq) for seq in range(10)], None)
    taken = launch(admission)
    assert taken == [str(seq) for seq in range(len(taken))]
    assert (len(taken) < 10, admission.hungry()) == (True, [text])


def test_under_a_fair_share_a_priority_is_known_as_a_whole_before_its_first_run_is_taken() -> None:
    (a, b) = shares("a", "b")
    admission = Admission(Rules(max_concurrent_runs=4, fair_share=FairShare(key="team")))
    admission.occupy(ActiveRun("x", a, RunStatus.STARTED, 0.0, started_at=0.0))
    admission.extend([QueueHead("0", a, 0, 0)], (0, 0))
    assert (admission.next(), admission.wants_more) == (None, True)
    admission.extend([QueueHead("1", b, 0, 1), QueueHead("2", a, -1, 2)], (1, 2))
    assert (launch(admission), admission.wants_more) == (["1", "0"], True)


def test_a_stale_head_is_handed_out_and_can_be_given_back_to_another_lane() -> None:
    old, new = lane(), lane(tags={"team": "docs"})
    admission = Admission(Rules(tag_rules=(TagRule("team", 0, "docs"),)))
    admission.set_heads(old, [QueueHead("0", old, 0, 0, stale=True)], more=False)
    head = admission.next()
    assert head is not None
    assert head.stale
    admission.give_back(head)
    admission.set_heads(new, [QueueHead("0", new, 0, 0)], more=False)
    admission.set_heads(old, [], more=False)
    assert (admission.next(), admission.hungry(), admission.active()) == (None, [], [])


@pytest.mark.parametrize(
    "rules",
    [
        Rules(max_concurrent_runs=9, tag_rules=(TagRule("team", 1, "x" * 3000),)),
        Rules(max_concurrent_runs=9, tag_rules=(TagRule("team", 1, per_unique_value=True),)),
        Rules(max_concurrent_runs=9, rates=(RateRule(key="team", limit=1, seconds=60, value="x" * 3000),)),
    ],
)
def test_a_limit_for_a_very_long_value_holds(rules: Rules) -> None:
    long, longer = (lane(tags={"team": "x" * number}) for number in (3000, 3001))
    admission = queue(rules, long, long, longer)
    assert [admission.next(), admission.next()] == [QueueHead("0", long, 0, 0), QueueHead("2", longer, 0, 2)]
    assert admission.next() is None
