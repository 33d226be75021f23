"""Admission by brute force: every queued run is looked at every time. Shares no code with runyard.queue but records."""

from __future__ import annotations

from dataclasses import dataclass, field

from runyard.queue.rules import Rules


@dataclass
class OracleRun:
    run_id: str
    location: str
    priority: int
    seq: int
    tags: dict[str, str]
    job: str = "job"
    status: str = "QUEUED"


@dataclass
class Oracle:
    """Run ids are launched by ``launch`` as the rules allow."""

    rules: Rules
    capacity: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    runs: dict[str, OracleRun] = field(default_factory=dict)

    def queued(self) -> list[OracleRun]:
        waiting = [run for run in self.runs.values() if run.status == "QUEUED"]
        return sorted(waiting, key=lambda run: (-run.priority, run.seq))

    def active(self) -> list[OracleRun]:
        return [run for run in self.runs.values() if run.status != "QUEUED"]

    def obstacles(self, run: OracleRun) -> set[str]:
        """Rule texts of everything that holds ``run`` back now."""
        active = self.active()
        found = set()
        limit = self.rules.max_concurrent_runs
        if limit != -1 and len(active) >= limit:
            found.add("max_concurrent_runs")
        if run.location in self.paused:
            found.add(f"location {run.location}")
        starting = [other for other in active if other.status == "STARTING" and other.location == run.location]
        if run.location in self.capacity and len(starting) >= self.capacity[run.location]:
            found.add(f"launcher of {run.location}")
        for rule in self.rules.tag_rules:
            value = run.tags.get(rule.key)
            if value is None or rule.value not in (None, value):
                continue
            if rule.value is not None or rule.per_unique_value:
                same = [other for other in active if other.tags.get(rule.key) == value]
                text = f"{rule.key}={value}"
            else:
                same = [other for other in active if rule.key in other.tags]
                text = rule.key
            if len(same) >= rule.limit:
                found.add(text)
        return found

    def next(self) -> OracleRun | None:
        return next((run for run in self.queued() if not self.obstacles(run)), None)

    def launch(self) -> list[str]:
        launched = []
        while (run := self.next()) is not None:
            run.status = "STARTING"
            launched.append(run.run_id)
        return launched
