"""What admission launches, and in which order: the field's tested behaviours, one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from queue_oracle import OracleRun

from runyard.core.queue import ActiveRun, QueueHead
from runyard.core.run import RunStatus
from runyard.queue.admission.admission import Admission
from runyard.queue.admission.plan import QUEUE
from runyard.queue.lanes import lane_key
from runyard.queue.rules import Rules, TagRule

Tags = Mapping[str, str]


class Queue:
    """Rows of runs and an admission that is kept informed of them."""

    def __init__(self, rules: Rules, *, keys: Sequence[str] = ("foo", "team")) -> None:
        self.admission = Admission(rules)
        self.rows: dict[str, OracleRun] = {}
        self._keys = keys

    def lane(self, run: OracleRun) -> str:
        return lane_key(self._keys, location_name=run.location, job_name=run.job, tags=run.tags)

    def add(self, run_id: str, tags: Tags | None = None, *, priority: int = 0, location: str = "here") -> None:
        run = OracleRun(run_id, location, priority, len(self.rows), dict(tags or {}))
        self.rows[run_id] = run
        self.read(run)

    def read(self, run: OracleRun) -> None:
        same = [row for row in self.rows.values() if row.status == "QUEUED" and self.lane(row) == self.lane(run)]
        same.sort(key=lambda row: (-row.priority, row.seq))
        heads = [QueueHead(row.run_id, self.lane(row), row.priority, row.seq) for row in same]
        self.admission.set_heads(self.lane(run), heads, more=False)

    def active(self, run_id: str, status: RunStatus, tags: Tags | None = None) -> None:
        run = OracleRun(run_id, "here", 0, -1, dict(tags or {}))
        self.admission.occupy(ActiveRun(run_id, self.lane(run), status, 0.0))

    def launch(self) -> list[str]:
        launched = []
        while (head := self.admission.next()) is not None:
            self.rows[head.run_id].status = "STARTING"
            launched.append(head.run_id)
        return launched

    def end(self, run_id: str) -> list[str]:
        """End a run; returns what launches then."""
        self.admission.release(run_id)
        return self.launch()


def rules(*tag_rules: TagRule, runs: int = 10) -> Rules:
    return Rules(max_concurrent_runs=runs, tag_rules=tag_rules)


def each(key: str, limit: int) -> TagRule:
    return TagRule(key, limit, per_unique_value=True)


# The three sentences of the issue


def test_a_blocked_run_never_blocks_a_later_one() -> None:
    queue = Queue(rules(TagRule("team", 1)))
    queue.add("a", {"team": "docs"})
    queue.add("b", {"team": "docs"})
    queue.add("c")
    assert queue.launch() == ["a", "c"]
    assert queue.end("a") == ["b"]


def test_without_the_limit_runs_launch_as_they_came() -> None:
    queue = Queue(rules())
    queue.add("a", {"team": "docs"})
    queue.add("b", {"team": "docs"})
    queue.add("c")
    assert queue.launch() == ["a", "b", "c"]


def test_priorities_one_at_a_time() -> None:
    queue = Queue(rules(runs=1))
    for priority in (-1, 0, 5):
        queue.add(str(priority), priority=priority)
    assert [queue.launch(), queue.end("5"), queue.end("0")] == [["5"], ["0"], ["-1"]]


# The field's own tests


def test_with_nothing_queued_nothing_launches() -> None:
    assert Queue(rules()).launch() == []


@pytest.mark.parametrize("limit", [0, 1, 4, 5, 6, 8])
def test_free_slots_are_the_limit_less_the_runs_in_progress(limit: int) -> None:
    queue = Queue(rules(runs=limit))
    for number, status in enumerate([RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING, RunStatus.STARTED]):
        queue.active(f"active-{number}", status)
    for number in range(10):
        queue.add(f"queued-{number}")
    assert len(queue.launch()) == max(0, limit - 4)


def test_minus_one_is_no_limit() -> None:
    queue = Queue(rules(runs=-1))
    for number in range(50):
        queue.active(f"active-{number}", RunStatus.STARTED)
        queue.add(f"queued-{number}")
    assert len(queue.launch()) == 50


def test_launch_order_is_by_priority_whatever_the_order_of_submission() -> None:
    queue = Queue(rules())
    queue.add("low", priority=-1)
    queue.add("none")
    queue.add("high", priority=3)
    assert queue.launch() == ["high", "none", "low"]


def test_key_and_value() -> None:
    queue = Queue(rules(TagRule("foo", 1, "bar")))
    queue.add("tiny", {"foo": "bar"})
    queue.add("tiny-2", {"foo": "bar"})
    queue.add("large", {"foo": "large"})
    assert queue.launch() == ["tiny", "large"]


@pytest.mark.parametrize("rule", [TagRule("foo", 2), TagRule("foo", 2, None, per_unique_value=False)])
def test_a_key_counts_all_values_together(rule: TagRule) -> None:
    queue = Queue(rules(rule))
    for run_id, value in (("one", "bar"), ("two", "other"), ("three", "third")):
        queue.add(run_id, {"foo": value})
    assert queue.launch() == ["one", "two"]


def test_a_run_must_satisfy_every_limit_and_counts_against_all() -> None:
    queue = Queue(rules(TagRule("foo", 1, "bar"), TagRule("team", 2, "docs")))
    queue.add("both", {"foo": "bar", "team": "docs"})
    queue.add("both-2", {"foo": "bar", "team": "docs"})
    queue.add("docs", {"team": "docs"})
    queue.add("docs-2", {"team": "docs"})
    assert queue.launch() == ["both", "docs"]
    assert queue.end("docs") == ["docs-2"]
    assert queue.end("both") == ["both-2"]


def test_a_key_and_one_of_its_values() -> None:
    queue = Queue(rules(TagRule("foo", 2), TagRule("foo", 1, "bar")))
    for run_id, value in (("bar", "bar"), ("bar-2", "bar"), ("other", "other"), ("other-2", "other")):
        queue.add(run_id, {"foo": value})
    assert queue.launch() == ["bar", "other"]


def test_each_value_on_its_own_over_several_passes() -> None:
    queue = Queue(rules(each("foo", 1)))
    for run_id, value in (("bar", "bar"), ("bar-2", "bar"), ("other", "other"), ("other-2", "other")):
        queue.add(run_id, {"foo": value})
    assert queue.launch() == ["bar", "other"]
    assert queue.launch() == []
    assert queue.end("other") == ["other-2"]
    assert queue.end("bar") == ["bar-2"]


def test_each_value_below_a_total() -> None:
    queue = Queue(rules(each("foo", 1), TagRule("foo", 2)))
    for value in ("one", "two", "three"):
        queue.add(value, {"foo": value})
    assert queue.launch() == ["one", "two"]


def test_each_value_above_the_limit_of_one_value() -> None:
    queue = Queue(rules(each("foo", 2), TagRule("foo", 1, "bar")))
    for run_id, value in (("bar", "bar"), ("bar-2", "bar"), ("baz", "baz"), ("baz-2", "baz"), ("baz-3", "baz")):
        queue.add(run_id, {"foo": value})
    assert queue.launch() == ["bar", "baz", "baz-2"]


def test_other_tags_do_not_disturb_the_count() -> None:
    queue = Queue(rules(TagRule("foo", 2)))
    for number in range(3):
        queue.add(f"run-{number}", {"foo": "bar", "more": str(number)})
    assert queue.launch() == ["run-0", "run-1"]


def test_under_a_limit_the_higher_priority_gets_the_slot() -> None:
    queue = Queue(rules(TagRule("foo", 1)))
    queue.add("low", {"foo": "x"}, priority=-1)
    queue.add("high", {"foo": "y"}, priority=1)
    assert queue.launch() == ["high"]


def test_a_limit_of_zero_blocks_what_it_counts_and_nothing_else() -> None:
    queue = Queue(rules(TagRule("foo", 0, "bar")))
    queue.add("bar", {"foo": "bar"})
    queue.add("other", {"foo": "other"})
    assert queue.launch() == ["other"]


def test_two_rules_that_count_the_same_runs_mean_the_lower_limit() -> None:
    queue = Queue(rules(TagRule("foo", 1), TagRule("foo", 3)))
    queue.add("one", {"foo": "x"})
    queue.add("two", {"foo": "x"})
    assert queue.launch() == ["one"]


def test_values_that_look_like_other_rules_are_only_values() -> None:
    queue = Queue(rules(each("foo", 1), TagRule("foo=a", 1)), keys=("foo", "foo=a"))
    queue.add("one", {"foo": "a=b"})
    queue.add("two", {"foo=a": "b"})
    assert queue.launch() == ["one", "two"]


# What happens while the queue is alive


def test_lowering_a_limit_evicts_nobody() -> None:
    queue = Queue(rules(runs=3))
    for number in range(5):
        queue.add(f"run-{number}")
    assert len(queue.launch()) == 3
    queue.admission.set_rules(rules(runs=2))
    assert queue.end("run-0") == []
    assert queue.end("run-1") == ["run-3"]


def test_raising_a_limit_releases_exactly_what_it_makes_room_for() -> None:
    queue = Queue(rules(TagRule("foo", 1)))
    for number in range(4):
        queue.add(f"run-{number}", {"foo": "x"})
    assert queue.launch() == ["run-0"]
    queue.admission.set_rules(rules(TagRule("foo", 2)))
    assert queue.launch() == ["run-1"]


def test_a_launcher_takes_so_many_at_a_time() -> None:
    queue = Queue(rules(runs=-1))
    queue.admission.set_capacity("here", 2)
    for number in range(4):
        queue.add(f"run-{number}")
    queue.add("elsewhere", location="there")
    assert queue.launch() == ["run-0", "run-1", "elsewhere"]
    queue.admission.started("run-1")
    assert queue.launch() == ["run-2"]
    queue.admission.started("run-1")
    assert queue.launch() == []
    queue.admission.set_capacity("here", None)
    assert queue.launch() == ["run-3"]


def test_a_run_told_again_holds_only_what_it_needs_now() -> None:
    """Its lane changes when rules come to look at another tag, its status when its worker begins or is resumed."""
    queue = Queue(rules(each("foo", 1)))
    queue.admission.set_capacity("here", 1)
    queue.active("x", RunStatus.STARTING, {"foo": "bar"})
    queue.add("bar", {"foo": "bar"})
    queue.add("other", {"foo": "other"})
    queue.active("x", RunStatus.STARTED, {"foo": "other"})
    assert queue.launch() == ["bar"]
    assert queue.admission.active() == ["x", "bar"]


def test_a_paused_location_is_passed_over_whatever_the_priority() -> None:
    queue = Queue(rules())
    queue.admission.close_location("here")
    queue.add("urgent", priority=9)
    queue.add("elsewhere", location="there")
    assert queue.launch() == ["elsewhere"]
    queue.admission.open_location("here")
    assert queue.launch() == ["urgent"]


def test_the_priority_of_the_last_can_be_raised() -> None:
    queue = Queue(rules(TagRule("team", 5)))
    for number in range(100):
        queue.add(f"run-{number}", {"team": str(number % 7)})
    last = queue.rows["run-99"]
    last.priority = 1
    queue.read(last)
    assert queue.launch()[0] == "run-99"


# Claims, and lanes of which only the first runs are known


def lane_of(job: str) -> str:
    return lane_key((), location_name="here", job_name=job, tags={})


def heads(lane: str, *seqs: int) -> list[QueueHead]:
    return [QueueHead(f"{seq}", lane, 0, seq) for seq in seqs]


def test_a_lane_that_may_hold_the_next_run_is_read_before_a_later_one_launches() -> None:
    admission, one, two = Admission(rules()), lane_of("one"), lane_of("two")
    admission.set_heads(one, heads(one, 1))
    admission.set_heads(two, heads(two, 3), more=False)
    assert admission.next() == heads(one, 1)[0]
    assert admission.next() is None
    assert admission.hungry() == [one]
    admission.set_heads(one, heads(one, 2), more=False)
    assert [head.run_id for head in iter(admission.next, None)] == ["2", "3"]
    assert admission.hungry() == []


def test_heads_that_are_taken_already_are_not_taken_again() -> None:
    """A lane may be read again between ``next`` and the commit of its claim."""
    admission, lane = Admission(rules()), lane_of("one")
    admission.set_heads(lane, heads(lane, 1, 2))
    assert [head.run_id for head in iter(admission.next, None)] == ["1", "2"]
    admission.set_heads(lane, heads(lane, 1, 2))
    assert admission.next() is None
    assert admission.hungry() == [lane]
    admission.set_heads(lane, heads(lane, 1, 2, 3))
    assert admission.next() == heads(lane, 3)[0]


def test_lanes_are_read_on_while_their_first_runs_are_being_claimed() -> None:
    admission, one, two, full = Admission(rules()), lane_of("one"), lane_of("two"), lane_of("three")
    admission.set_heads(one, heads(one, 1, 2))
    admission.set_heads(two, heads(two, 3, 4))
    admission.set_heads(full, heads(full, 5, 6), more=False)
    assert [admission.next() for _ in range(3)] == [*heads(one, 1, 2), None]
    assert admission.running_low(9) == {one: (0, 2)}
    # Storage has it as queued still.
    admission.add_heads(one, heads(one, 2, 7, 9))
    assert [admission.next() for _ in range(2)] == heads(two, 3, 4)
    assert (admission.next(), admission.running_low(9)) == (None, {two: (0, 4)})
    admission.add_heads(two, heads(two, 4), more=False)
    assert [admission.next() for _ in range(3)] == [*heads(full, 5, 6), *heads(one, 7)]
    # One head of it is left: it is read with the others.
    assert (admission.hungry(), admission.running_low(9)) == ([], {one: (0, 9)})
    admission.add_heads(one, heads(one, 9, 10), more=False)
    assert [admission.next() for _ in range(3)] == [*heads(one, 9, 10), None]
    assert (admission.hungry(), admission.running_low(9)) == ([], {})


def test_a_lost_claim_frees_its_slots_and_has_its_lane_read_again() -> None:
    admission, one, two = Admission(rules(runs=1)), lane_of("one"), lane_of("two")
    admission.set_heads(one, heads(one, 1, 2), more=False)
    admission.set_heads(two, heads(two, 3), more=False)
    lost = admission.next()
    assert lost is not None
    admission.give_back(lost)
    assert (admission.next(), admission.hungry(), admission.active()) == (None, [one], [])
    admission.set_heads(one, [], more=False)
    assert admission.next() == heads(two, 3)[0]


def test_an_empty_lane_leaves_nothing_behind() -> None:
    admission = Admission(rules(each("customer", 1)))
    for number in range(1000):
        lane = lane_key(["customer"], location_name="here", job_name="job", tags={"customer": str(number)})
        admission.set_heads(lane, heads(lane, number), more=False)
        assert admission.next() is not None
        admission.release(str(number))
        admission.set_heads(lane, heads(lane, number))
        admission.set_heads(lane, [])
    assert not any(family.slots for key, family in admission._ledger.plan.families.items() if key != QUEUE)
    assert not admission._leaves
