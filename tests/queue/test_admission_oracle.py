"""Admission against brute force, over random rules, runs, endings, pauses, lost claims and partly known lanes."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from queue_oracle import Oracle, OracleRun

from runyard.core.queue import ActiveRun, QueueHead
from runyard.core.run import RunStatus
from runyard.queue.admission import Admission
from runyard.queue.lanes import lane_key
from runyard.queue.rules import Rules, TagRule

KEYS = ("team", "customer", "region")
VALUES = ("a", "b", "c")
LOCATIONS = ("north", "south")

tag_rules = st.builds(
    TagRule,
    key=st.sampled_from(KEYS),
    limit=st.integers(0, 3),
    value=st.none() | st.sampled_from(VALUES),
).flatmap(
    lambda plain: st.booleans().map(
        lambda each: TagRule(plain.key, plain.limit, None, per_unique_value=True) if each else plain
    )
)
rule_sets = st.builds(
    Rules,
    max_concurrent_runs=st.sampled_from([-1, 0, 1, 2, 3, 5]),
    tag_rules=st.lists(tag_rules, max_size=4).map(tuple),
)
all_tags = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))


class AdmissionMachine(RuleBasedStateMachine):
    """The oracle's runs are the rows; ``admission`` is told what a leader would read from them."""

    @initialize(rules=rule_sets, per_lane=st.integers(1, 3))
    def begin(self, rules: Rules, per_lane: int) -> None:
        self.oracle = Oracle(rules)
        self.admission = Admission(rules)
        self.per_lane = per_lane
        self.seq = 0

    def lane_of(self, run: OracleRun) -> str:
        return lane_key(KEYS, location_name=run.location, job_name=run.job, tags=run.tags)

    def read(self, lane: str) -> None:
        heads = [
            QueueHead(run.run_id, lane, run.priority, run.seq)
            for run in self.oracle.queued()
            if self.lane_of(run) == lane
        ][: self.per_lane]
        self.admission.set_heads(lane, heads, more=len(heads) == self.per_lane)

    @rule(
        tags=all_tags,
        priority=st.integers(-1, 2),
        location=st.sampled_from(LOCATIONS),
        job=st.sampled_from(["one", "two"]),
    )
    def enqueue(self, tags: dict[str, str], priority: int, location: str, job: str) -> None:
        self.seq += 1
        run = OracleRun(f"run-{self.seq}", location, priority, self.seq, tags, job)
        self.oracle.runs[run.run_id] = run
        self.read(self.lane_of(run))

    def some(self, data: st.DataObject, runs: list[OracleRun]) -> OracleRun:
        return data.draw(st.sampled_from(sorted(runs, key=lambda run: run.seq)))

    @precondition(lambda self: self.oracle.queued())
    @rule(data=st.data(), priority=st.integers(-2, 3))
    def reprioritise(self, data: st.DataObject, priority: int) -> None:
        run = self.some(data, self.oracle.queued())
        run.priority = priority
        self.read(self.lane_of(run))

    @precondition(lambda self: self.oracle.queued())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        run = self.some(data, self.oracle.queued())
        del self.oracle.runs[run.run_id]
        self.read(self.lane_of(run))

    @precondition(lambda self: self.oracle.active())
    @rule(data=st.data())
    def started(self, data: st.DataObject) -> None:
        run = self.some(data, self.oracle.active())
        run.status = "STARTED"
        self.admission.started(run.run_id)

    @precondition(lambda self: self.oracle.active())
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        run = self.some(data, self.oracle.active())
        del self.oracle.runs[run.run_id]
        self.admission.release(run.run_id)

    @precondition(lambda self: self.oracle.active())
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        run = self.some(data, self.oracle.active())
        run.status = "QUEUED"
        self.admission.release(run.run_id)
        self.read(self.lane_of(run))

    @precondition(lambda self: self.oracle.active())
    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        run = self.some(data, self.oracle.active())
        run.status = "STARTING"
        self.admission.occupy(ActiveRun(run.run_id, self.lane_of(run), RunStatus.STARTING, 0.0))

    @rule(rules=rule_sets)
    def change_rules(self, rules: Rules) -> None:
        self.oracle.rules = rules
        self.admission.set_rules(rules)

    @rule(location=st.sampled_from(LOCATIONS), runs=st.none() | st.integers(0, 2))
    def change_capacity(self, location: str, runs: int | None) -> None:
        self.admission.set_capacity(location, runs)
        if runs is None:
            self.oracle.capacity.pop(location, None)
        else:
            self.oracle.capacity[location] = runs

    @rule(location=st.sampled_from(LOCATIONS), pause=st.booleans())
    def pause(self, location: str, pause: bool) -> None:
        if pause:
            self.oracle.paused.add(location)
            self.admission.close_location(location)
        else:
            self.oracle.paused.discard(location)
            self.admission.open_location(location)

    def take(self) -> QueueHead | None:
        """What the leader's loop does: read what ran out before it concludes that nothing may start."""
        while (head := self.admission.next()) is None and (hungry := self.admission.hungry()):
            for lane in hungry:
                self.read(lane)
        return head

    @rule()
    def launch_all(self) -> None:
        launched = []
        while (head := self.take()) is not None:
            expected = self.oracle.next()
            assert expected is not None
            assert head.run_id == expected.run_id
            expected.status = "STARTING"
            launched.append(head.run_id)
        assert self.oracle.next() is None

    @rule(batch=st.integers(1, 4))
    def launch_a_batch(self, batch: int) -> None:
        """Take several before the claim is committed, as a leader does."""
        taken = []
        while len(taken) < batch and (head := self.admission.next()) is not None:
            expected = self.oracle.next()
            assert expected is not None
            assert head.run_id == expected.run_id
            expected.status = "STARTING"
            taken.append(head)

    @rule(data=st.data())
    def lose_a_claim(self, data: st.DataObject) -> None:
        """Somebody canceled, or changed, a run between ``next`` and the claim."""
        head = self.take()
        if head is None:
            return
        run = self.oracle.runs[head.run_id]
        if data.draw(st.booleans()):
            del self.oracle.runs[run.run_id]
        else:
            run.priority = data.draw(st.integers(-2, 3))
        self.admission.give_back(head)

    @invariant()
    def holders_are_the_active_runs(self) -> None:
        if hasattr(self, "oracle"):
            assert sorted(self.admission.active()) == sorted(run.run_id for run in self.oracle.active())


AdmissionMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
test_admission_equals_brute_force = AdmissionMachine.TestCase
