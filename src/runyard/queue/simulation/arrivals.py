"""Runs that come to the queue in a simulation: from a description of a load, or as they were recorded."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

import msgspec

from ...core.pools import PoolNeeds
from ...core.queue import PastRun
from ...core.tags import SLOTS

#: How long a run lasts when nothing at all is known about runs, in seconds.
UNKNOWN = 60.0


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A run that is enqueued ``at`` and then lasts ``seconds`` from its launch. Times are seconds on any one clock.

    ``launched_at``: it was active already when the simulation began.
    """

    run_id: str
    job_name: str
    location_name: str
    at: float
    seconds: float
    priority: int = 0
    tags: Mapping[str, str] = {}
    pools: PoolNeeds = PoolNeeds()
    launched_at: float | None = None


class LoadEntry(msgspec.Struct, frozen=True, kw_only=True):
    """``count`` runs of a job, the first ``at`` seconds from the beginning, the others each ``every`` seconds later.

    They last ``median`` seconds; with a ``spread`` above 1 two thirds of them between ``median / spread`` and
    ``median * spread`` (a log-normal distribution). ``pools``: what the first step of each takes.
    """

    job: str
    location: str = "load"
    at: float = 0.0
    every: float = 0.0
    count: int = 1
    median: float
    spread: float = 1.0
    priority: int = 0
    tags: Mapping[str, str] = {}
    pools: Mapping[str, int] = {}
    slots: int = 1


def size_of(entries: Iterable[LoadEntry]) -> int:
    """How many runs a load has."""
    return sum(entry.count for entry in entries)


def of_load(entries: Sequence[LoadEntry], *, seed: int) -> list[Arrival]:
    """The runs of a load by time of arrival; the same ``seed`` gives the same durations."""
    chance = random.Random(seed)  # noqa: S311  # no secret
    numbers: Counter[str] = Counter()
    found = []
    for entry in entries:
        tags = {**entry.tags, **({SLOTS: str(entry.slots)} if entry.slots != 1 else {})}
        pools = PoolNeeds(dict(entry.pools), dict(entry.pools))
        for number in range(entry.count):
            numbers[entry.job] += 1
            found.append(
                Arrival(
                    run_id=f"{entry.job}-{numbers[entry.job]}",
                    job_name=entry.job,
                    location_name=entry.location,
                    at=entry.at + number * entry.every,
                    seconds=_duration(entry, chance),
                    priority=entry.priority,
                    tags=tags,
                    pools=pools,
                )
            )
    return sorted(found, key=lambda arrival: arrival.at)


def _duration(entry: LoadEntry, chance: random.Random) -> float:
    if entry.spread == 1.0 or entry.median == 0.0:
        return entry.median
    return chance.lognormvariate(math.log(entry.median), math.log(entry.spread))


class Recorded(NamedTuple):
    """Recorded runs as arrivals, in the order in which they were enqueued."""

    arrivals: list[Arrival]
    #: Runs that ended without having been launched: nobody knows how long they would have lasted.
    left_out: int
    #: Runs whose duration is the median of their job.
    assumed: int


def of_history(past: Iterable[PastRun], *, since: float, now: float) -> Recorded:
    """What came to the queue, from runs that were queued or active at some time after ``since``.

    A run that is not over yet lasts as long as runs of its job do, and at least as long as it has already; those that
    were active at ``since`` are so from the beginning.
    """
    runs = sorted(past, key=lambda run: (run.queued_at, run.seq))
    usable = [run for run in runs if run.launched_at is not None or run.ended_at is None]
    known = _medians(usable)
    arrivals = [
        Arrival(
            run_id=run.run_id,
            job_name=run.job_name,
            location_name=run.location_name,
            at=run.queued_at,
            seconds=_seconds(run, known, now),
            priority=run.priority,
            tags=run.tags,
            pools=run.pools,
            launched_at=run.launched_at if run.launched_at is not None and run.launched_at < since else None,
        )
        for run in usable
    ]
    return Recorded(arrivals, len(runs) - len(usable), sum(run.ended_at is None for run in usable))


def _seconds(run: PastRun, known: Mapping[str | None, float], now: float) -> float:
    if run.launched_at is not None and run.ended_at is not None:
        return max(0.0, run.ended_at - run.launched_at)
    usual = known.get(run.job_name, known.get(None, UNKNOWN))
    return usual if run.launched_at is None else max(usual, now - run.launched_at)


def _medians(runs: Iterable[PastRun]) -> dict[str | None, float]:
    """Median seconds from launch to end by job, under None of all together."""
    seconds: defaultdict[str | None, list[float]] = defaultdict(list)
    for run in runs:
        if run.launched_at is not None and run.ended_at is not None:
            for key in (run.job_name, None):
                seconds[key].append(run.ended_at - run.launched_at)
    return {key: median(values) for key, values in seconds.items()}
