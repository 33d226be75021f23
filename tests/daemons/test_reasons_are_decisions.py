"""What is told about each queued run is what the daemon's next pass does, over both databases."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import pytest

from runyard.core.errors import OverlapRefused
from runyard.core.pools import PoolNeeds
from runyard.core.queue import QueueFilter, Steering
from runyard.core.run import NewRun
from runyard.core.tags import SLOTS
from runyard.operations.queue import ahead as queue_ahead
from runyard.operations.queue.view import entries, entry
from runyard.queue.explanation.entries import QueueEntry
from runyard.queue.rules import FairShare, OverlapRule, Pause, PoolRules, RateRule, Rules, TagRule

from .bench import Bench

#: With the kinds of reasons that are met at least, beside those of every queue; the number is the launcher's capacity.
RULES: dict[str, tuple[Rules, int, set[str]]] = {
    "slots and tags": (
        Rules(max_concurrent_runs=9, tag_rules=(TagRule("team", 2, per_unique_value=True),)),
        1000,
        {"tag_limit", "max_concurrent_runs", "weight"},
    ),
    "pools of runs": (
        Rules(max_concurrent_runs=-1, pools=PoolRules(granularity="run", limits={"db": 3, "api": 2})),
        1000,
        {"pool"},
    ),
    "pools of steps": (Rules(max_concurrent_runs=-1, pools=PoolRules(limits={"db": 1, "api": 1})), 1000, {"pool"}),
    "rates": (
        Rules(max_concurrent_runs=-1, rates=(RateRule(key="team", limit=2, seconds=60, per_unique_value=True),)),
        1000,
        {"rate_limit"},
    ),
    "fair share": (
        Rules(max_concurrent_runs=7, fair_share=FairShare(key="team", weights={"docs": 0.2})),
        1000,
        {"max_concurrent_runs", "fair_share"},
    ),
    "overlap": (
        Rules(max_concurrent_runs=-1, overlaps=(OverlapRule(job="two", policy="queue_one"),)),
        1000,
        {"overlap"},
    ),
    "launcher": (Rules(max_concurrent_runs=-1), 6, {"launcher_capacity"}),
}
#: Where others than the first do not meet all that is wanted.
SEEDS = {"slots and tags": 3}


class Queue:
    """Random runs on a bench: those that may are launched, then more come, and people interfere."""

    def __init__(self, yard: Bench, seed: int) -> None:
        self.yard = yard
        self.chance = random.Random(seed)  # noqa: S311  # no secret
        self.number = 0

    def fill(self) -> None:
        self.pause()
        self.submit(25)
        self.launch()
        self.yard.location.wait_launched(len(self.active()))
        for spec in list(self.yard.location.launched):
            if self.chance.random() < 0.7:
                self.yard.begin(spec)
                if self.chance.random() < 0.4:
                    self.yard.succeed(spec.run_id)
        # The leader hears of a start when it is made: from then on it counts the seconds of grace.
        self.launch()
        self.yard.clock.advance(self.chance.choice([0.5, 4.0, 7.0]))
        self.submit(25)
        self.hold_some()

    def submit(self, count: int) -> None:
        for _ in range(count):
            with suppress(OverlapRefused):
                self.yard.stores.runs.add([self._new()], enqueue=True)

    def _new(self) -> NewRun:
        chance = self.chance
        self.number += 1
        tags = {"team": chance.choice(["docs", "web", "ml", "art"])} if chance.random() < 0.9 else {}
        if chance.random() < 0.2:
            tags[SLOTS] = str(chance.choice([2, 3]))
        pools = {pool: chance.choice([1, 2]) for pool in ("db", "api") if chance.random() < 0.4}
        return NewRun(
            run_id=f"run-{self.number:03}",
            job_name=chance.choice(["job", "job", "two"]),
            location_name=chance.choice(["yard", "yard", "yard", "yard", "attic"]),
            priority=chance.choice([0, 0, 0, 1, 5]),
            tags=tags,
            pools=PoolNeeds(pools, pools),
        )

    def pause(self) -> None:
        """Before anything comes: runs that come before a rule on their tags wait a pass or more for their lane."""
        now = self.yard.clock.now()
        until = self.chance.choice([None, now + 60])
        pause = Pause(scope="tag", name="team", value="art", by="ops", since=now, until=until)
        self.yard.stores.limits.pause(pause)

    def hold_some(self) -> None:
        waiting = [run.run_id for run in self.yard.stores.queue.queued(limit=100)]
        where = QueueFilter(run_ids=tuple(self.chance.sample(waiting, 3)))
        self.yard.stores.queue.steer(where, Steering(action="hold", by="ops"), now=self.yard.clock.now())

    def active(self) -> set[str]:
        return {run.run_id for run in self.yard.stores.queue.active()}

    def launch(self) -> list[str]:
        """Pass until nothing more is launched; who was, in order."""
        before, known = self.active(), -1
        while known != len(self.active()):
            known = len(self.active())
            self.yard.look()
        return sorted(self.active() - before, key=self._launch_seq)

    def _launch_seq(self, run_id: str) -> int:
        run = self.yard.stores.runs.get(run_id)
        return run.launch_seq or 0 if run else 0


def told(yard: Bench) -> list[QueueEntry]:
    yard.beat()
    return list(entries(yard.stores, clock=yard.clock, limit=1000))


@pytest.mark.parametrize("name", RULES)
def test_what_is_told_is_what_the_next_pass_does(
    any_bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    rules, capacity, kinds = RULES[name]
    monkeypatch.setattr(queue_ahead, "local_capacity", lambda: capacity)
    yard = any_bench(rules, capacity=capacity)
    queue = Queue(yard, seed=SEEDS.get(name, 1))
    queue.fill()
    listed = told(yard)
    assert [entry(yard.stores, one.run_id, clock=yard.clock) for one in listed] == listed
    launched = queue.launch()
    assert launched == [one.run_id for one in listed if one.reason.kind == "next" and one.reason.rule is None]
    again = {one.run_id: one.reason for one in told(yard)}
    assert all(reason.kind != "next" or reason.rule for reason in again.values())
    seen = {one.reason.kind for one in listed} | {reason.kind for reason in again.values()}
    assert seen >= kinds | {"held", "paused", "location_unavailable"}
