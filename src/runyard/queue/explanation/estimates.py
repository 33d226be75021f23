"""How far off estimated starts are, measured: what was expected against what came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from ...core.queue import Estimate
from ...core.run import Run
from ...core.text import counted, duration

#: Of each job, at most so many of the newest successes say how long it lasts.
_NEWEST = 20


class EstimateError(msgspec.Struct, frozen=True, kw_only=True):
    """``seconds``: the median of how far starts were from their estimates, early or late alike. ``share``: the median
    of the same as a part of the wait that was left when the estimate was made. ``samples``: over so many estimates.
    """

    seconds: float
    share: float
    samples: int

    @property
    def message(self) -> str:
        """``usually off by 40 s (last 120 estimates)``."""
        return f"usually off by {duration(self.seconds)} (last {counted(self.samples, 'estimate')})"


def estimate_error(estimates: Iterable[Estimate]) -> EstimateError | None:
    """The error over estimates whose runs have started; None when there is none of them."""
    errors = [
        (abs(found.started_at - found.estimated_start), found.started_at - found.made_at)
        for found in estimates
        if found.started_at is not None
    ]
    if not errors:
        return None
    shares = [error / wait for error, wait in errors if wait > 0]
    return EstimateError(
        seconds=median(error for error, _ in errors), share=median(shares) if shares else 0.0, samples=len(errors)
    )


def usual_durations(successes: Iterable[Run]) -> dict[str, float]:
    """Median seconds from launch to end per job, over the newest 20 of each; ``successes`` come newest first."""
    seconds: dict[str, list[float]] = {}
    for run in successes:
        lasted = seconds.setdefault(run.job_name, [])
        if len(lasted) < _NEWEST and run.launched_at is not None and run.ended_at is not None:
            lasted.append(run.ended_at - run.launched_at)
    return {job: median(lasted) for job, lasted in seconds.items() if lasted}


def worth_noting(starts: Sequence[tuple[str, float]], *, now: float, at_least: float = 1.0) -> list[Estimate]:
    """Estimates to keep, of runs (id, start) that do not start within ``at_least`` seconds: others were no guess."""
    return [Estimate(run_id, now, start) for run_id, start in starts if start - now >= at_least]
