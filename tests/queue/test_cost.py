"""What admission costs, in operations on its heaps: independent of depth, and of how many wait behind a full group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from runyard.core.queue import QueueHead
from runyard.queue.admission import tree
from runyard.queue.admission.admission import Admission
from runyard.queue.lanes import lane_key
from runyard.queue.rules import FairShare, Pause, Rules, TagRule


class Counted:
    """Counts the looks at offers and the changes of heaps."""

    def __init__(self) -> None:
        self.operations = 0

    def counting(self, function: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object) -> object:
            self.operations += 1
            return function(*args)

        return counted

    @contextmanager
    def during(self, patch: pytest.MonkeyPatch) -> Iterator[Counted]:
        self.operations = 0
        with patch.context() as changed:
            changed.setattr(tree, "heappush", self.counting(tree.heappush))
            changed.setattr(tree, "heappop", self.counting(tree.heappop))
            changed.setattr(tree.Node, "first", self.counting(tree.Node.first))
            changed.setattr(tree.Leaf, "first", self.counting(tree.Leaf.first))
            yield self


def lane_of(**tags: str) -> str:
    return lane_key(sorted(tags), location_name="here", job_name="job", tags=tags)


def add(admission: Admission, seq: int, **tags: str) -> None:
    lane = lane_of(**tags)
    admission.set_heads(lane, [QueueHead(str(seq), lane, 0, seq)], more=False)


def each(key: str, limit: int) -> TagRule:
    return TagRule(key, limit, per_unique_value=True)


def churn(admission: Admission, patch: pytest.MonkeyPatch, rounds: int = 20) -> int:
    """The most operations that ending a run and launching the next one took."""
    worst, counted = 0, Counted()
    for _ in range(rounds):
        with counted.during(patch):
            admission.release(admission.active()[0])
            assert admission.next() is not None
            assert admission.next() is None
        worst = max(worst, counted.operations)
    return worst


@pytest.mark.parametrize("depth", [100, 10_000])
def test_every_run_a_lane_of_its_own(depth: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit per customer, run slots full: an ending costs the same whatever waits."""
    admission = Admission(Rules(max_concurrent_runs=3, tag_rules=(TagRule("customer", 1, per_unique_value=True),)))
    for seq in range(depth):
        add(admission, seq, customer=str(seq))
    assert len(list(iter(admission.next, None))) == 3
    assert churn(admission, monkeypatch) < 100


@pytest.mark.parametrize("lanes", [100, 10_000])
def test_lanes_that_share_two_groups_that_fill_by_turns(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Rules(
        max_concurrent_runs=2,
        tag_rules=(TagRule("team", 1), TagRule("customer", 1, per_unique_value=True)),
    )
    admission = Admission(rules)
    for seq in range(lanes):
        add(admission, 2 * seq, team="docs", customer=str(seq))
        add(admission, 2 * seq + 1, customer=f"other-{seq}")
    assert len(list(iter(admission.next, None))) == 2
    assert churn(admission, monkeypatch) < 100


@pytest.mark.parametrize("blocked", [100, 10_000])
def test_the_one_free_run_behind_all_blocked_ones(blocked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(Rules(max_concurrent_runs=-1, tag_rules=(TagRule("team", 1),)))
    for seq in range(blocked):
        add(admission, seq, team=str(seq))
    assert admission.next() is not None
    assert admission.next() is None
    counted = Counted()
    with counted.during(monkeypatch):
        add(admission, blocked + 1)
        head = admission.next()
    assert head is not None
    assert head.run_id == str(blocked + 1)
    assert counted.operations < 40


@pytest.mark.parametrize("rounds", [100, 10_000])
def test_lanes_that_come_and_go_under_a_full_group_leave_nothing_behind(rounds: int) -> None:
    admission = Admission(Rules(max_concurrent_runs=1, tag_rules=(TagRule("customer", 1, per_unique_value=True),)))
    add(admission, -2)
    assert admission.next() is not None
    add(admission, -1, customer="who stays")
    for seq in range(rounds):
        add(admission, seq, customer=str(seq))
        admission.set_heads(lane_of(customer=str(seq)), [])
    assert admission.next() is None
    assert _offers(admission._tree._root) < 100


def _offers(node: tree.Node) -> int:
    below = {child for _, child in node.offers if isinstance(child, tree.Node)}
    return len(node.offers) + sum(map(_offers, below))


@pytest.mark.parametrize("lanes", [100, 10_000])
def test_a_limit_for_each_customer_and_one_for_each_region(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regions fill and empty by turns while every customer of theirs waits."""
    rules = Rules(max_concurrent_runs=-1, tag_rules=(each("customer", 1), each("region", 1)))
    admission = Admission(rules)
    for seq in range(lanes):
        add(admission, seq, customer=str(seq), region=f"region-{seq % 5}")
    assert len(list(iter(admission.next, None))) == 5
    assert churn(admission, monkeypatch) < 150


@pytest.mark.parametrize("lanes", [100, 10_000])
def test_a_limit_that_changes_costs_what_its_groups_cost(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    each_customer = each("customer", 1)
    admission = Admission(Rules(max_concurrent_runs=0, tag_rules=(TagRule("team", 0), each_customer)))
    for seq in range(lanes):
        add(admission, seq, customer=str(seq), team="docs")
    assert admission.next() is None
    counted = Counted()
    with counted.during(monkeypatch):
        admission.set_rules(Rules(max_concurrent_runs=5, tag_rules=(TagRule("team", 1), each_customer)))
        assert len(list(iter(admission.next, None))) == 1
    assert counted.operations < 60


@pytest.mark.parametrize("lanes", [100, 10_000])
def test_a_pause_of_the_queue_or_a_location_costs_the_same_whatever_waits(
    lanes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission = Admission(Rules(max_concurrent_runs=1, tag_rules=(each("customer", 1),)))
    for seq in range(lanes):
        add(admission, seq, customer=str(seq))
    counted = Counted()
    with counted.during(monkeypatch):
        for scope, name in (("queue", ""), ("location", "here")):
            pause = Pause(scope=scope, name=name, by="ops", since=0.0)
            admission.set_rules(Rules(max_concurrent_runs=1, tag_rules=(each("customer", 1),), pauses=(pause,)))
            assert admission.next() is None
        admission.set_rules(Rules(max_concurrent_runs=1, tag_rules=(each("customer", 1),)))
        assert admission.next() is not None
    assert counted.operations < 80


def test_a_rule_that_comes_moves_lanes_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(Rules(max_concurrent_runs=-1))
    for seq in range(1000):
        add(admission, seq, team="docs", customer=str(seq))
    add(admission, 1000, customer="another")
    counted = Counted()
    with counted.during(monkeypatch):
        admission.set_rules(Rules(max_concurrent_runs=-1, tag_rules=(TagRule("team", 0),)))
        assert not admission.settle(10)
    assert counted.operations < 300
    assert sum(admission.settle(100) for _ in range(10)) == 1
    head = admission.next()
    assert head is not None
    assert head.run_id == "1000"


@pytest.mark.parametrize("values", [100, 3_000])
def test_a_fair_share_over_many_values(values: int, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(Rules(max_concurrent_runs=3, fair_share=FairShare(key="customer")))
    for seq in range(values):
        add(admission, seq, customer=str(seq))
    assert len(list(iter(admission.next, None))) == 3
    assert churn(admission, monkeypatch) < 150
