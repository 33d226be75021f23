"""What is simulated is what happens: the same load through the run queue daemon, over both databases."""

from __future__ import annotations

import random

import pytest

from runyard.core.pools import PoolNeeds
from runyard.core.run import NewRun
from runyard.core.tags import SLOTS
from runyard.queue.rules import FairShare, PoolRules, RateRule, Rules, TagRule
from runyard.queue.simulation.arrivals import Arrival
from runyard.queue.simulation.simulate import simulate

from .bench import Bench

RULES = {
    "slots and tags": Rules(
        max_concurrent_runs=4,
        tag_rules=(TagRule("team", 2, per_unique_value=True), TagRule("team", 1, value="docs")),
    ),
    "pools and weights": Rules(max_concurrent_runs=6, pools=PoolRules(granularity="run", limits={"db": 3, "api": 2})),
    "rates": Rules(max_concurrent_runs=5, rates=(RateRule(key="team", limit=2, seconds=7, per_unique_value=True),)),
    "fair share": Rules(max_concurrent_runs=3, fair_share=FairShare(key="team", weights={"docs": 2})),
}


def _load(seed: int) -> list[Arrival]:
    chance = random.Random(seed)  # noqa: S311  # no secret
    found = []
    for number in range(40):
        tags = {"team": chance.choice(["docs", "web", "ml"])} if chance.random() < 0.8 else {}
        if chance.random() < 0.2:
            tags[SLOTS] = str(chance.choice([2, 3]))
        pools = {pool: chance.choice([1, 2]) for pool in ("db", "api") if chance.random() < 0.3}
        found.append(
            Arrival(
                run_id=f"r{number:02}",
                job_name="job",
                location_name="yard",
                # Eighths of a second, so that adding durations to times is exact.
                at=chance.randrange(100) / 8,
                seconds=chance.randrange(1, 120) / 8,
                priority=chance.choice([0, 0, 0, 1, 5]),
                tags=tags,
                pools=PoolNeeds(pools, pools),
            )
        )
    return sorted(found, key=lambda arrival: arrival.at)


class Reality:
    """Submits the load when it is time, lets workers run as long as it says, and has the daemon look in between."""

    def __init__(self, yard: Bench, load: list[Arrival], rules: Rules) -> None:
        self.yard, self.rules, self.start = yard, rules, yard.clock.now()
        self.pending = list(load)
        self.seconds = {arrival.run_id: arrival.seconds for arrival in load}
        self.ends: dict[str, float] = {}
        self.launched: dict[str, float] = {}

    def run(self) -> None:
        while (next_time := self._next_time()) is not None:
            self.yard.clock.advance(next_time - self.now)
            for run_id in [run_id for run_id, at in self.ends.items() if at <= self.now]:
                self.yard.succeed(run_id)
                del self.ends[run_id]
            while self.pending and self.pending[0].at <= self.now:
                self._submit(self.pending.pop(0))
            while self._look():
                pass

    @property
    def now(self) -> float:
        return self.yard.clock.now() - self.start

    def _next_time(self) -> float | None:
        times = [arrival.at for arrival in self.pending[:1]] + list(self.ends.values())
        lapses = [at + rate.seconds for at in self.launched.values() for rate in self.rules.rates]
        return min(times + [at for at in lapses if at > self.now], default=None)

    def _submit(self, arrival: Arrival) -> None:
        new = NewRun(
            run_id=arrival.run_id,
            job_name=arrival.job_name,
            location_name=arrival.location_name,
            priority=arrival.priority,
            tags=dict(arrival.tags),
            pools=arrival.pools,
        )
        self.yard.stores.runs.add([new], enqueue=True)

    def _look(self) -> bool:
        """One pass, and the workers that it started begin; False when it started none."""
        self.yard.look()
        active = [run.run_id for run in self.yard.stores.queue.active()]
        new = [run_id for run_id in active if run_id not in self.ends]
        self.yard.location.wait_launched(len(self.launched) + len(new))
        specs = {spec.run_id: spec for spec in self.yard.location.launched}
        for run_id in sorted(new, key=self._launch_seq):
            self.yard.begin(specs[run_id])
            self.launched[run_id] = self.now
            self.ends[run_id] = self.now + self.seconds[run_id]
        return bool(new)

    def _launch_seq(self, run_id: str) -> int:
        run = self.yard.stores.runs.get(run_id)
        assert run is not None
        assert run.launch_seq is not None
        return run.launch_seq


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_the_daemon_launches_what_was_simulated_when_it_was(any_bench, rules: Rules) -> None:
    load = _load(seed=len(rules.tag_rules) + len(rules.rates))
    reality = Reality(any_bench(rules), load, rules)
    reality.run()
    simulated = simulate(load, rules)
    assert list(reality.launched.items()) == list(simulated.launched.items())
    assert any(simulated.launched.get(arrival.run_id, 0) > arrival.at for arrival in load)
