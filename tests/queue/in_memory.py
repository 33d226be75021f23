"""A queue in memory, for what looks ahead: rows in, entries out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from runyard.core.queue import ActiveRun, QueueHead
from runyard.core.run import Run, RunStatus
from runyard.queue.admission.admission import Admission
from runyard.queue.explanation.entries import QueueEntry
from runyard.queue.explanation.explain import explain, head_of
from runyard.queue.explanation.forecast import Forecast
from runyard.queue.explanation.state import QueueState, admission_of
from runyard.queue.lanes import lane_key, parse_lane
from runyard.queue.rules import Rules

NOW = 10_000.0


class AllAtOnce:
    """``queue.forecast.Reader``: everything is read before the forecast begins."""

    complete = True

    def __init__(self, admission: Admission, runs: Sequence[Run]) -> None:
        heads: defaultdict[str, list[QueueHead]] = defaultdict(list)
        for run in in_order(runs):
            heads[run.lane or ""].append(head_of(run))
        for lane, members in heads.items():
            admission.set_heads(lane, members, more=False)
        self.locations = {parse_lane(lane).location for lane in heads}

    def refill(self) -> bool:
        return False

    def took(self, head: QueueHead) -> None:
        pass


def in_order(runs: Sequence[Run]) -> list[Run]:
    return sorted((run for run in runs if not run.held), key=lambda run: (-run.priority, run.queue_seq or 0))


def laned(run: Run, rules: Rules) -> Run:
    lane = lane_key(
        rules.tracked_keys,
        location_name=run.location_name,
        job_name=run.job_name,
        tags=run.tags,
        pools=run.pools,
    )
    return msgspec.structs.replace(run, lane=lane)


def forecast_of(runs: Sequence[Run], state: QueueState) -> Forecast:
    admission = admission_of(state)
    return Forecast(admission, state, AllAtOnce(admission, runs))


def explained(runs: Sequence[Run], state: QueueState, **asked: Any) -> list[QueueEntry]:
    """Every run's entry, in the order in which they are listed."""
    laned_runs = [laned(run, state.rules) for run in runs]
    positions = {run.run_id: rank for rank, run in enumerate(in_order(laned_runs), start=1)}
    found = explain(laned_runs, forecast_of(laned_runs, state), state, positions=positions, **asked)
    return sorted(found, key=lambda entry: (entry.forecast_position or 1e9, entry.position or 1e9))


def queued(seq: int, tags: dict[str, str] | None = None, **changes: Any) -> Run:
    fields: dict[str, Any] = {
        "run_id": f"queued-{seq}",
        "job_name": "job",
        "location_name": "here",
        "status": RunStatus.QUEUED,
        "tags": tags or {},
        "queue_seq": seq,
        "created_at": NOW - 100,
        "queued_at": NOW - 90,
    }
    return Run(**{**fields, **changes})


def active(
    run_id: str,
    rules: Rules,
    tags: dict[str, str] | None = None,
    *,
    since: float = NOW - 30,
    status: RunStatus = RunStatus.STARTED,
    **fields: Any,
) -> ActiveRun:
    run = laned(queued(0, tags, **({"job_name": "job"} | fields)), rules)
    return ActiveRun(run_id, run.lane or "", status, since, since)
