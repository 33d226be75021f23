"""Admission beside brute force: what a leader is told, at random, with what it decides compared at every step."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from queue_oracle import Oracle, OracleRun
from random_rules import KEYS, LOCATIONS, POOLS, NewRun, new_runs, pauses, themes

from runyard.core.pools import PoolHolder, PoolNeeds
from runyard.core.queue import ActiveRun, Launch, QueueHead
from runyard.core.run import RunStatus
from runyard.core.tags import SLOTS
from runyard.queue.admission.admission import Admission
from runyard.queue.lanes import lane_key
from runyard.queue.rules import Rules, TagRule


class AdmissionMachine(RuleBasedStateMachine):
    """The oracle's runs are the rows; ``admission`` is told what a leader would read from them.

    What comes and how is random within ``themes`` (rules), ``new_runs`` and ``chunks``. A subclass that is about one
    theme sets these, and rules of this class that would only be in the way to None.
    """

    themes: ClassVar[st.SearchStrategy[st.SearchStrategy[Rules]]] = themes
    new_runs: ClassVar[st.SearchStrategy[NewRun]] = new_runs
    chunks: ClassVar[st.SearchStrategy[int | None]] = st.none() | st.integers(1, 3)

    @initialize(data=st.data(), per_lane=st.integers(1, 3), at_once=st.booleans(), anew=st.booleans())
    def begin(self, data: st.DataObject, per_lane: int, at_once: bool, anew: bool) -> None:
        theme = data.draw(self.themes)
        #: Launch whatever may be launched after every step.
        self.at_once = at_once
        self.theme = theme
        rules = data.draw(theme)
        self.oracle = Oracle(rules)
        self.admission = Admission(rules)
        self.per_lane = per_lane
        #: Lanes whose known heads are used up are read anew, or from there on.
        self.anew = anew
        self.seq = 0
        #: Lanes that admission was told of: what comes to these is told, what comes to others is met in time.
        self.told: set[str] = set()
        #: Runs are made known in chunks of so many; None: each when it is there.
        self.chunk = data.draw(self.chunks)
        self.frontier = None if self.chunk is None else (-100, 0)
        self.admission.set_frontier(self.frontier)

    def lane_of(self, run: OracleRun) -> str:
        return lane_key(
            KEYS,
            location_name=run.location,
            job_name=run.job,
            tags={**run.tags, SLOTS: str(run.weight)},
            pools=PoolNeeds(all=run.pools, roots=run.roots),
        )

    def head(self, run: OracleRun) -> QueueHead:
        return QueueHead(run.run_id, self.lane_of(run), run.priority, run.seq)

    def read(self, lane: str) -> None:
        self.told.add(lane)
        heads = [self.head(run) for run in self.oracle.queued() if self.lane_of(run) == lane][: self.per_lane]
        self.admission.set_heads(lane, heads, more=len(heads) == self.per_lane)

    def read_behind(self) -> None:
        for lane, place in self.admission.running_low(2).items():
            queued = [run for run in self.oracle.queued() if self.lane_of(run) == lane]
            heads = [self.head(run) for run in queued if (-run.priority, run.seq) >= place][: self.per_lane + 1]
            self.admission.add_heads(lane, heads, more=len(heads) > self.per_lane)

    def read_on(self) -> None:
        assert self.frontier is not None
        assert self.chunk is not None
        heads = [self.head(run) for run in self.oracle.queued() if (-run.priority, run.seq) > self.frontier]
        heads = heads[: self.chunk]
        self.told.update(head.lane for head in heads)
        self.frontier = (-heads[-1].priority, heads[-1].seq) if len(heads) == self.chunk else None
        self.admission.extend(heads, self.frontier)

    @rule(data=st.data(), untold=st.booleans())
    def enqueue(self, data: st.DataObject, untold: bool) -> None:
        for new in data.draw(st.lists(self.new_runs, min_size=1, max_size=4)):
            self.seq += 1
            run = new(self.seq)
            self.oracle.runs[run.run_id] = run
            behind = self.frontier is not None and (-run.priority, run.seq) > self.frontier
            if not (untold and behind and self.lane_of(run) not in self.told):
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
    @rule(data=st.data(), ago=st.sampled_from([None, None, 1.0, 6.0]))
    def started(self, data: st.DataObject, ago: float | None) -> None:
        run = self.some(data, self.oracle.active())
        if run.status == "STARTING":
            run.status, run.started_at = "STARTED", self.oracle.now - (ago or 0.0)
        self.admission.started(run.run_id, None if ago is None else self.oracle.now - ago)

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
    @rule(data=st.data(), status=st.sampled_from(["STARTING", "STARTED", "CANCELING"]))
    def tell_again(self, data: st.DataObject, status: str) -> None:
        """A run is resumed, or canceled, or read again."""
        run = self.some(data, self.oracle.active())
        run.status = status
        self.admission.occupy(
            ActiveRun(run.run_id, self.lane_of(run), RunStatus[status], 0.0, started_at=run.started_at)
        )

    @rule(seconds=st.sampled_from([0.5, 1.0, 2.0, 5.0, 12.5]))
    def pass_time(self, seconds: float) -> None:
        self.oracle.now += seconds
        self.admission.pass_time(self.oracle.now)

    @rule(data=st.data(), pool=st.sampled_from(POOLS), foreign=st.integers(0, 1))
    def steps_take_slots(self, data: st.DataObject, pool: str, foreign: int) -> None:
        ids = sorted(run.run_id for run in self.oracle.active()) + ["another"] * foreign
        held = data.draw(st.lists(st.tuples(st.sampled_from(ids), st.integers(1, 2)), max_size=2)) if ids else []
        self.oracle.holders[pool] = held
        holders = [PoolHolder(pool, run_id, f"step-{n}", 1, slots, 0.0) for n, (run_id, slots) in enumerate(held)]
        self.admission.set_pool_holders(pool, holders)

    @rule(data=st.data())
    def change_rules(self, data: st.DataObject) -> None:
        rules = data.draw(self.theme)
        self.oracle.rules = rules
        self.admission.set_rules(rules)
        self.admission.forget_launches()
        for at, run in self.oracle.launches:
            self.admission.note_launch(Launch(run.run_id, self.lane_of(run), at))

    @rule(data=st.data())
    def change_numbers(self, data: st.DataObject) -> None:
        """Other limits and pauses for the same groups: what was launched before needs no telling again."""
        old = self.oracle.rules
        limits = st.integers(0, 5)
        fields = {
            "max_concurrent_runs": data.draw(st.sampled_from([-1, 0, 1, 3, 8])),
            "tag_rules": tuple(
                TagRule(one.key, data.draw(limits), one.value, one.per_unique_value) for one in old.tag_rules
            ),
            "pauses": (data.draw(pauses()),) if data.draw(st.booleans()) else (),
        }
        rules = Rules(
            **fields, pools=old.pools, rates=old.rates, fair_share=old.fair_share, overlaps=old.overlaps, version=1
        )
        self.oracle.rules = rules
        self.admission.set_rules(rules)

    @rule(location=st.sampled_from(LOCATIONS), runs=st.none() | st.integers(0, 2))
    def change_capacity(self, location: str, runs: int | None) -> None:
        self.admission.set_capacity(location, runs)
        if runs is None:
            self.oracle.capacity.pop(location, None)
        else:
            self.oracle.capacity[location] = runs

    @rule(location=st.sampled_from(LOCATIONS), close=st.booleans())
    def close(self, location: str, close: bool) -> None:
        if close:
            self.oracle.paused.add(location)
            self.admission.close_location(location)
        else:
            self.oracle.paused.discard(location)
            self.admission.open_location(location)

    @rule(budget=st.integers(0, 3))
    def settle(self, budget: int) -> None:
        self.admission.settle(budget)

    def take(self) -> QueueHead | None:
        """What the leader's loop does: read what ran out before it concludes that nothing may start."""
        while (head := self.admission.next()) is None:
            if hungry := self.admission.hungry():
                if not self.anew:
                    self.read_behind()
                    continue
                for lane in hungry:
                    self.read(lane)
            elif self.admission.wants_more:
                self.read_on()
            else:
                return None
        return head

    def launched(self, head: QueueHead) -> None:
        expected = self.oracle.next()
        assert expected is not None
        assert head.run_id == expected.run_id
        self.oracle.start(expected)

    @rule()
    def launch_all(self) -> None:
        while (head := self.take()) is not None:
            self.launched(head)
        assert self.oracle.next() is None
        self.nothing_changes_before_the_next_event()

    @rule()
    def wait_for_the_next_event(self) -> None:
        event = self.admission.next_event()
        if event is not None:
            self.oracle.now = event
            self.admission.pass_time(event)
            self.launch_all()

    @rule()
    def all_begin_and_time_passes(self) -> None:
        self.launch_all()
        for run in self.oracle.active():
            if run.status == "STARTING":
                run.status, run.started_at = "STARTED", self.oracle.now
                self.admission.started(run.run_id)
        self.launch_all()
        self.wait_for_the_next_event()

    @precondition(lambda self: self.oracle.active())
    @rule(data=st.data())
    def end_and_launch(self, data: st.DataObject) -> None:
        self.launch_all()
        run = self.some(data, self.oracle.active())
        del self.oracle.runs[run.run_id]
        self.admission.release(run.run_id)
        self.launch_all()

    def nothing_changes_before_the_next_event(self) -> None:
        now, event = self.oracle.now, self.admission.next_event()
        assert event is None or event > now
        self.oracle.now = now + 1e6 if event is None else event - 1e-3
        assert self.oracle.next() is None
        self.oracle.now = now

    @rule(batch=st.integers(1, 4))
    def launch_a_batch(self, batch: int) -> None:
        """Take several before the claim is committed, as a leader does."""
        taken: list[QueueHead] = []
        while len(taken) < batch and (head := self.admission.next()) is not None:
            self.launched(head)
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
    def all_that_may_start_does(self) -> None:
        if hasattr(self, "oracle") and self.at_once:
            self.launch_all()

    @invariant()
    def holders_are_the_active_runs(self) -> None:
        if hasattr(self, "oracle"):
            assert sorted(self.admission.active()) == sorted(run.run_id for run in self.oracle.active())

    @precondition(lambda self: self.oracle.queued())
    @rule(data=st.data())
    def what_is_full_is_what_holds_back(self, data: st.DataObject) -> None:
        run = self.some(data, self.oracle.queued())
        full = [slots.group for slots, amount in self.admission.needs_of(self.lane_of(run)) if slots.full_for(amount)]
        assert bool(full) == bool(self.oracle.obstacles(run))
