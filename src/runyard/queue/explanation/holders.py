"""Who holds the slots of a limit, by name: job, step and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..lanes import parse_lane
from .reasons import DETAILS, Holder
from .state import QueueState


class Holders:
    """Active runs and steps of one moment."""

    def __init__(self, state: QueueState) -> None:
        self._runs = {run.run_id: run for run in state.active}
        self._durations = state.durations
        self._now = state.now
        self._steps: defaultdict[str, list[Holder]] = defaultdict(list)
        for step in state.holders:
            self._steps[f"pool {step.pool}"].append(
                Holder(
                    run_id=step.run_id,
                    job_name=self._job(step.run_id),
                    since=step.since,
                    slots=step.slots,
                    step_key=step.step_key,
                )
            )

    def of(self, rule: str, run_ids: Iterable[str]) -> tuple[Holder, ...]:
        """The first 20 of these holders of ``rule``, the one that holds longest first."""
        wanted = list(run_ids)
        steps = [step for step in self._steps.get(rule, ()) if step.run_id in set(wanted)]
        with_steps = {step.run_id for step in steps}
        runs = [self._holder(run_id) for run_id in wanted if run_id in self._runs and run_id not in with_steps]
        return tuple(sorted([*steps, *runs], key=lambda holder: holder.since)[:DETAILS])

    def ends_at(self, run_id: str) -> float | None:
        """When a run is expected to end, not before now; None when that is not known."""
        run = self._runs.get(run_id)
        seconds = None if run is None else self._durations.get(parse_lane(run.lane).job)
        return None if run is None or seconds is None else max(self._now, run.since + seconds)

    def first_to_end(self, run_ids: Iterable[str]) -> tuple[str, float] | None:
        """Which of these is expected to end first, and when; None unless it is known of each of them."""
        ends = [(self.ends_at(run_id), run_id) for run_id in run_ids]
        known = [(end, run_id) for end, run_id in ends if end is not None]
        if not known or len(known) < len(ends):
            return None
        end, run_id = min(known)
        return run_id, end

    def _holder(self, run_id: str) -> Holder:
        run = self._runs[run_id]
        lane = parse_lane(run.lane)
        return Holder(run_id=run_id, job_name=lane.job, since=run.since, slots=lane.weight)

    def _job(self, run_id: str) -> str:
        run = self._runs.get(run_id)
        return "" if run is None else parse_lane(run.lane).job
