"""Admission by brute force: every queued run is looked at every time. Shares no code with runyard.queue but records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from runyard.queue.rules import Pause, RateRule, Rules, TagRule


@dataclass
class OracleRun:
    run_id: str
    location: str
    priority: int
    seq: int
    tags: dict[str, str]
    job: str = "job"
    status: str = "QUEUED"
    weight: int = 1
    pools: dict[str, int] = field(default_factory=dict)
    roots: dict[str, int] = field(default_factory=dict)
    started_at: float | None = None

    def value(self, key: str) -> str | None:
        return {"runyard/job": self.job, "runyard/location": self.location}.get(key, self.tags.get(key))


@dataclass
class Oracle:
    """Run ids are launched by ``launch`` as the rules allow. ``holders``: per pool, steps as (run_id, slots)."""

    rules: Rules
    capacity: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    runs: dict[str, OracleRun] = field(default_factory=dict)
    holders: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    launches: list[tuple[float, OracleRun]] = field(default_factory=list)
    now: float = 0.0

    def queued(self) -> list[OracleRun]:
        waiting = [run for run in self.runs.values() if run.status == "QUEUED"]
        return sorted(waiting, key=lambda run: (-run.priority, run.seq))

    def active(self) -> list[OracleRun]:
        return [run for run in self.runs.values() if run.status != "QUEUED"]

    def obstacles(self, run: OracleRun) -> set[str]:
        """Rule texts of everything that holds ``run`` back now."""
        found = self._by_slots(run) | self._by_tags(run) | self._by_rates(run) | self._by_pools(run)
        if self._overlaps(run):
            found.add(f"job {run.job}")
        return found | {f"pause {pause.subject}" for pause in self.rules.pauses if self._is_paused(run, pause)}

    def _by_slots(self, run: OracleRun) -> set[str]:
        found = set()
        limit = self.rules.max_concurrent_runs
        if limit != -1 and self._weight(lambda other: True) + run.weight > limit:
            found.add("max_concurrent_runs")
        if run.location in self.paused:
            found.add(f"location {run.location}")
        starting = [other for other in self.active() if other.status == "STARTING" and other.location == run.location]
        if run.location in self.capacity and len(starting) >= self.capacity[run.location]:
            found.add(f"launcher of {run.location}")
        return found

    def _weight(self, which: Callable[[OracleRun], bool]) -> int:
        return sum(other.weight for other in self.active() if which(other))

    def _by_tags(self, run: OracleRun) -> set[str]:
        return {
            _text(rule, run)
            for rule in self.rules.tag_rules
            if _hits(rule, run) and self._weight(lambda other: _together(rule, run, other)) + run.weight > rule.limit  # noqa: B023
        }

    def _by_rates(self, run: OracleRun) -> set[str]:
        found = set()
        for rate in self.rules.rates:
            recent = [other for at, other in self.launches if self.now < at + rate.seconds]
            if _hits(rate, run) and sum(_together(rate, run, other) for other in recent) + 1 > rate.limit:
                found.add(f"rate {_text(rate, run)}")
        return found

    def _by_pools(self, run: OracleRun) -> set[str]:
        rules = self.rules.pools
        if not rules.block_queue:
            return set()
        if rules.granularity == "op":
            return {f"pools {sorted(run.roots)}"} if run.roots and all(map(self._no_room, run.roots)) else set()
        found = set()
        for pool, slots in run.pools.items():
            limit = rules.limits.get(pool, rules.default_limit)
            if limit is not None and sum(other.pools.get(pool, 0) for other in self.active()) + slots > limit:
                found.add(f"pool {pool}")
        return found

    def _no_room(self, pool: str) -> bool:
        limit = self.rules.pools.limits.get(pool, self.rules.pools.default_limit)
        held = self.holders.get(pool, [])
        holding = {run_id for run_id, _ in held}
        used = sum(slots for _, slots in held)
        used += sum(run.roots.get(pool, 0) for run in self.active() if run.run_id not in holding and self._begins(run))
        return limit is not None and used - self.rules.pools.run_buffer >= limit

    def _begins(self, run: OracleRun) -> bool:
        young = run.started_at is not None and self.now < run.started_at + 5
        return run.status == "STARTING" or (run.status == "STARTED" and young)

    def _overlaps(self, run: OracleRun) -> bool:
        same = [rule for rule in self.rules.overlaps if rule.job == run.job and rule.location in (None, run.location)]
        if not same or same[0].policy == "allow":
            return False
        return any((other.job, other.location) == (run.job, run.location) for other in self.active())

    def _is_paused(self, run: OracleRun, pause: Pause) -> bool:
        if pause.until is not None and pause.until <= self.now:
            return False
        return {
            "queue": True,
            "tag": run.value(pause.name) == pause.value,
            "pool": pause.name in run.pools,
            "location": pause.name == run.location,
        }[pause.scope]

    def share(self, run: OracleRun) -> float:
        """What active runs of its value hold, for its weight; the same for all without a fair share."""
        share = self.rules.fair_share
        if share is None:
            return 0.0
        value = run.value(share.key)
        weight = share.default_weight if value is None else share.weights.get(value, share.default_weight)
        return self._weight(lambda other: other.value(share.key) == value) / weight

    def next(self) -> OracleRun | None:
        free = [run for run in self.queued() if not self.obstacles(run)]
        return min(free, key=lambda run: (-run.priority, self.share(run), run.seq), default=None)

    def start(self, run: OracleRun) -> None:
        run.status, run.started_at = "STARTING", None
        self.launches.append((self.now, run))

    def launch(self) -> list[str]:
        launched = []
        while (run := self.next()) is not None:
            self.start(run)
            launched.append(run.run_id)
        return launched


def _hits(rule: TagRule | RateRule, run: OracleRun) -> bool:
    value = run.value(rule.key)
    return value is not None and rule.value in (None, value)


def _together(rule: TagRule | RateRule, run: OracleRun, other: OracleRun) -> bool:
    """Whether the rule counts ``other`` where it counts ``run``."""
    if rule.value is not None or rule.per_unique_value:
        return other.value(rule.key) == run.value(rule.key)
    return other.value(rule.key) is not None


def _text(rule: TagRule | RateRule, run: OracleRun) -> str:
    key = {"runyard/job": "job", "runyard/location": "location"}.get(rule.key, rule.key)
    return f"{key}={run.value(rule.key)}" if rule.value is not None or rule.per_unique_value else key
