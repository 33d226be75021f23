"""The simulation against brute force: random loads and rules give the oracle's launches at the oracle's times."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import event, given, settings
from hypothesis import strategies as st
from queue_oracle import Oracle, OracleRun
from random_rules import JOBS, KEYS, LOCATIONS, VALUES, needs, rule_sets

from runyard.core.pools import PoolNeeds
from runyard.core.tags import SLOTS
from runyard.queue.rules import Rules
from runyard.queue.simulation.arrivals import Arrival
from runyard.queue.simulation.simulate import simulate

#: Few different times, so that much happens at once.
times = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0])


@st.composite
def loads(draw: st.DrawFn) -> list[Arrival]:
    found = []
    for number in range(draw(st.integers(0, 14))):
        tags = draw(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES)))
        weight = draw(st.sampled_from([1, 1, 1, 2, 3]))
        pools = draw(st.just({}) | needs)
        roots = {pool: slots for pool, slots in pools.items() if draw(st.booleans())}
        found.append(
            Arrival(
                run_id=f"r{number}",
                job_name=draw(st.sampled_from(JOBS)),
                location_name=draw(st.sampled_from(LOCATIONS)),
                at=draw(times),
                seconds=draw(st.sampled_from([0.0, 1.0, 2.5, 6.0, 20.0])),
                priority=draw(st.integers(-1, 2)),
                tags={**tags, **({SLOTS: str(weight)} if weight > 1 else {})},
                pools=PoolNeeds(pools, roots),
            )
        )
    return sorted(found, key=lambda arrival: arrival.at)


class Brute:
    """Looks at every run at every moment at which anything may change."""

    def __init__(self, arrivals: Sequence[Arrival], rules: Rules) -> None:
        self.arrivals, self.rules = arrivals, rules
        self.oracle = Oracle(rules)
        self.ends: dict[str, float] = {}
        self.launched: list[tuple[str, float]] = []
        self.refused: list[str] = []
        self.canceled: list[str] = []

    def run(self) -> None:
        pending = list(enumerate(self.arrivals))
        now = -1.0
        while (moment := self.next_moment(now, pending)) is not None:
            now = self.oracle.now = moment
            for run_id in [run_id for run_id, end in self.ends.items() if end <= now]:
                self.drop(run_id)
            while pending and pending[0][1].at <= now:
                self.come(*pending.pop(0))
            self.launch(now)

    def launch(self, now: float) -> None:
        for run_id in self.oracle.launch():
            self.launched.append((run_id, now))
            self.ends[run_id] = now + next(a.seconds for a in self.arrivals if a.run_id == run_id)

    def next_moment(self, now: float, pending: list[tuple[int, Arrival]]) -> float | None:
        moments = [arrival.at for _, arrival in pending[:1]] + list(self.ends.values())
        if self.oracle.queued():
            moments += [at + rate.seconds for at, _ in self.oracle.launches for rate in self.rules.rates]
            moments += [pause.until for pause in self.rules.pauses if pause.until is not None]
        # A run of no duration ends at the moment of its launch.
        return min((at for at in moments if at > now or at in self.ends.values()), default=None)

    def come(self, seq: int, arrival: Arrival) -> None:
        same = [run for run in self.oracle.runs.values() if (run.job, run.location) == self.place(arrival)]
        queued = [run.run_id for run in same if run.status == "QUEUED"]
        places = {(r.job, r.location or arrival.location_name): r.policy for r in reversed(self.rules.overlaps)}
        policy = places.get(self.place(arrival), "allow")
        if (policy == "skip" and same) or (policy == "queue_one" and queued):
            self.refused.append(arrival.run_id)
            return
        if policy == "cancel_old":
            for run in same:
                self.canceled.append(run.run_id)
                self.drop(run.run_id)
        self.oracle.runs[arrival.run_id] = OracleRun(
            arrival.run_id,
            arrival.location_name,
            arrival.priority,
            seq,
            {key: value for key, value in arrival.tags.items() if key != SLOTS},
            job=arrival.job_name,
            weight=int(arrival.tags.get(SLOTS, "1")),
            pools=arrival.pools.all,
            roots=arrival.pools.roots,
        )

    def place(self, arrival: Arrival) -> tuple[str, str]:
        return (arrival.job_name, arrival.location_name)

    def drop(self, run_id: str) -> None:
        self.oracle.runs.pop(run_id)
        self.ends.pop(run_id, None)


@given(loads(), rule_sets)
@settings(max_examples=200, deadline=None)
def test_the_simulation_launches_what_brute_force_launches_when_it_does(load: list[Arrival], rules: Rules) -> None:
    brute = Brute(load, rules)
    brute.run()
    outcome = simulate(load, rules)
    event(f"waited: {any(at > arrival.at for arrival in load if (at := outcome.launched.get(arrival.run_id)))}")
    assert list(outcome.launched.items()) == brute.launched
    assert list(outcome.refused) == brute.refused
    assert sorted(outcome.canceled) == sorted(brute.canceled)
    for meter in outcome.limits:
        # At op granularity runs are let through whose steps wait for a pool.
        assert meter.used.peak <= meter.limit or (meter.kind == "pool" and rules.pools.granularity == "op")
        assert meter.used.last == 0
    assert outcome.active.last == 0
    assert outcome.queued.last == len(brute.oracle.runs)
