"""Admission against brute force: rules of every kind together, then a machine for each theme of its own."""

from __future__ import annotations

from admission_machine import AdmissionMachine
from hypothesis import settings
from hypothesis import strategies as st
from random_rules import JOBS, LOCATIONS, POOLS, op_pools, overlaps, runs_of, tag_rules

from runyard.queue.rules import FairShare, OverlapRule, Pause, PoolRules, RateRule, Rules, TagRule

TEAMS = st.sampled_from([{"team": "a"}, {"team": "a"}, {"team": "b"}, {}])
ROOTS = st.sampled_from([{"db": 1}, {"db": 1}, {"db": 2}, {"api": 1}, {"db": 1, "api": 1}])
IN_DB = st.sampled_from([{}, {}, {"db": 1}])
FEW_PRIORITIES = st.sampled_from([0, 0, 0, 1])
TEAM_FORMS = st.sampled_from([{}, {"value": "a"}, {"per_unique_value": True}])

team_limits = st.builds(lambda limit, form: TagRule("team", limit, **form), st.integers(0, 4), TEAM_FORMS)
no_limit = st.just(-1)


class WithoutChanges(AdmissionMachine):
    """Of what may happen the part that every theme needs: runs come, are launched, begin and end."""

    reprioritise = cancel = requeue = tell_again = None
    steps_take_slots = change_rules = change_numbers = change_capacity = close = settle = None
    lose_a_claim = None


class Weights(WithoutChanges):
    themes = st.just(
        st.builds(Rules, max_concurrent_runs=st.integers(2, 6), tag_rules=st.lists(team_limits, max_size=2).map(tuple))
    )
    new_runs = runs_of(tags=TEAMS, weight=st.sampled_from([1, 2, 3]))
    requeue = AdmissionMachine.requeue
    tell_again = AdmissionMachine.tell_again
    pass_time = wait_for_the_next_event = all_begin_and_time_passes = None


class RootPools(WithoutChanges):
    """Grace of runs that begin, steps that hold slots, the buffer, runs that begin in several pools."""

    themes = st.just(st.builds(Rules, max_concurrent_runs=no_limit, pools=op_pools))
    new_runs = runs_of(roots=ROOTS, priority=FEW_PRIORITIES)
    chunks = st.none()
    steps_take_slots = AdmissionMachine.steps_take_slots
    tell_again = AdmissionMachine.tell_again
    change_rules = AdmissionMachine.change_rules


class StepHolders(WithoutChanges):
    """A run whose step holds a slot counts with that and not with what it begins with, also when it is told again."""

    themes = st.just(st.builds(Rules, max_concurrent_runs=no_limit, pools=st.just(PoolRules(limits={"db": 3}))))
    new_runs = runs_of(roots=st.just({"db": 1}), priority=st.just(0))
    chunks = st.none()
    steps_take_slots = AdmissionMachine.steps_take_slots
    tell_again = AdmissionMachine.tell_again
    pass_time = launch_a_batch = end_and_launch = wait_for_the_next_event = all_begin_and_time_passes = None


class PoolsOfRuns(WithoutChanges):
    themes = st.just(
        st.builds(
            Rules,
            max_concurrent_runs=no_limit,
            pools=st.builds(
                PoolRules,
                granularity=st.just("run"),
                default_limit=st.none() | st.integers(1, 3),
                limits=st.dictionaries(st.sampled_from(POOLS), st.integers(0, 4)),
                block_queue=st.sampled_from([True, True, True, False]),
            ),
        )
    )
    new_runs = runs_of(pools=st.dictionaries(st.sampled_from(POOLS), st.integers(1, 2), min_size=1))
    change_rules = AdmissionMachine.change_rules
    pass_time = wait_for_the_next_event = all_begin_and_time_passes = None


class Rates(WithoutChanges):
    themes = st.just(
        st.builds(
            Rules,
            max_concurrent_runs=no_limit,
            rates=st.lists(
                st.builds(
                    lambda limit, seconds, form: RateRule(key="team", limit=limit, seconds=seconds, **form),
                    st.integers(1, 3),
                    st.sampled_from([2.0, 5.0]),
                    TEAM_FORMS,
                ),
                min_size=1,
                max_size=2,
            ).map(tuple),
        )
    )
    new_runs = runs_of(tags=TEAMS)
    lose_a_claim = AdmissionMachine.lose_a_claim
    change_rules = AdmissionMachine.change_rules


team_shares = st.builds(
    FairShare,
    key=st.just("team"),
    weights=st.just({}) | st.dictionaries(st.sampled_from("ab"), st.sampled_from([0.5, 2.0, 3.0])),
)


class Shares(WithoutChanges):
    """Who holds least goes first, and comes forward when what he holds falls."""

    themes = st.just(st.builds(Rules, max_concurrent_runs=st.integers(2, 5), fair_share=team_shares))
    new_runs = runs_of(tags=TEAMS, weight=st.sampled_from([1, 1, 1, 2]), priority=FEW_PRIORITIES)
    chunks = st.none()
    change_rules = AdmissionMachine.change_rules
    requeue = AdmissionMachine.requeue
    started = pass_time = wait_for_the_next_event = all_begin_and_time_passes = None


class SharesThatChange(WithoutChanges):
    """Whose share grows comes forward."""

    themes = st.just(
        st.builds(
            Rules,
            max_concurrent_runs=st.sampled_from([2, 3, 4, 6]),
            fair_share=st.builds(
                FairShare,
                key=st.just("team"),
                weights=st.fixed_dictionaries({team: st.sampled_from([0.25, 1.0, 4.0]) for team in "ab"}),
            ),
        )
    )
    new_runs = runs_of(tags=st.sampled_from([{"team": "a"}, {"team": "b"}]), priority=st.just(0))
    chunks = st.none()
    change_rules = AdmissionMachine.change_rules
    started = pass_time = launch_a_batch = wait_for_the_next_event = all_begin_and_time_passes = None


class SharesInChunks(Shares):
    """A run behind the frontier may be the one whose turn it is."""

    chunks = st.integers(1, 3)
    new_runs = runs_of(tags=TEAMS, priority=FEW_PRIORITIES)
    change_rules = requeue = None


class Chunks(WithoutChanges):
    """Runs that are known are met again behind the frontier, and lanes run out."""

    themes = st.just(
        st.builds(Rules, max_concurrent_runs=st.integers(1, 4), tag_rules=st.lists(team_limits, max_size=1).map(tuple))
    )
    new_runs = runs_of(tags=st.sampled_from([{"team": "a"}, {}]), priority=FEW_PRIORITIES)
    chunks = st.integers(1, 4)
    reprioritise = AdmissionMachine.reprioritise
    cancel = AdmissionMachine.cancel
    lose_a_claim = AdmissionMachine.lose_a_claim
    started = pass_time = wait_for_the_next_event = all_begin_and_time_passes = None


class Overlaps(WithoutChanges):
    themes = st.just(
        st.builds(Rules, max_concurrent_runs=no_limit, overlaps=st.lists(overlaps, min_size=1, max_size=3).map(tuple))
    )
    new_runs = runs_of(job=st.sampled_from(JOBS), location=st.sampled_from(LOCATIONS), weight=st.sampled_from([1, 2]))
    change_rules = AdmissionMachine.change_rules
    pass_time = wait_for_the_next_event = all_begin_and_time_passes = None


SUBJECTS = st.sampled_from(
    [("queue", "", ""), ("location", "north", ""), ("pool", "db", ""), ("tag", "team", "a"), ("tag", "team", "b")]
)
short_pauses = st.builds(
    lambda subject, until: Pause(scope=subject[0], name=subject[1], value=subject[2], by="ops", since=0.0, until=until),
    SUBJECTS,
    st.sampled_from([1.0, 2.0, 3.0, 7.5, 20.0]),
)
several_pauses = st.lists(short_pauses, max_size=3, unique_by=lambda pause: pause.subject).map(tuple)


class Pauses(WithoutChanges):
    themes = st.just(st.builds(Rules, max_concurrent_runs=no_limit, pauses=several_pauses))
    new_runs = runs_of(tags=TEAMS, location=st.sampled_from(LOCATIONS), pools=IN_DB, priority=FEW_PRIORITIES)
    change_rules = AdmissionMachine.change_rules
    change_numbers = AdmissionMachine.change_numbers
    started = all_begin_and_time_passes = None


one_at_a_time = OverlapRule(job="one", policy="skip")
two_runs_in_a_pool = PoolRules(granularity="run", default_limit=2)


class RulesThatComeAndGo(WithoutChanges):
    """Those that are active when a rule comes count under it; lanes move in slices between launches."""

    themes = st.just(
        st.builds(
            Rules,
            max_concurrent_runs=st.sampled_from([-1, 3, 6]),
            tag_rules=st.just(()) | st.lists(team_limits | tag_rules, max_size=3).map(tuple),
            fair_share=st.none() | team_shares,
            overlaps=st.sampled_from([(), (), (one_at_a_time,)]),
            pools=st.just(PoolRules()) | op_pools | st.just(two_runs_in_a_pool),
        )
    )
    new_runs = runs_of(tags=TEAMS, job=st.sampled_from(JOBS), pools=IN_DB, roots=IN_DB)
    change_rules = AdmissionMachine.change_rules
    change_numbers = AdmissionMachine.change_numbers
    settle = AdmissionMachine.settle
    pass_time = wait_for_the_next_event = all_begin_and_time_passes = None


def _cases(machine: type[AdmissionMachine], examples: int, steps: int = 20) -> type:
    machine.TestCase.settings = settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    return machine.TestCase


test_all_rules_together = _cases(AdmissionMachine, 200, 30)
test_weights = _cases(Weights, 100)
test_root_pools = _cases(RootPools, 150)
test_step_holders = _cases(StepHolders, 100)
test_pools_of_runs = _cases(PoolsOfRuns, 80)
test_rates = _cases(Rates, 80)
test_shares = _cases(Shares, 150)
test_shares_that_change = _cases(SharesThatChange, 100)
test_shares_in_chunks = _cases(SharesInChunks, 120)
test_chunks = _cases(Chunks, 200)
test_overlaps = _cases(Overlaps, 80)
test_pauses = _cases(Pauses, 100)
test_rules_that_come_and_go = _cases(RulesThatComeAndGo, 150)
