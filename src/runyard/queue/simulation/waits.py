"""How long runs of a simulation waited, by priority, job and tag, and which of them starve."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest

import msgspec

from ..rules import JOB, LOCATION
from .arrivals import Arrival

#: So many values of a key are told apart, those with the most runs.
MOST_VALUES = 20
#: So many runs are named as starving.
MOST_STARVING = 10

#: ``priority``, ``job``, ``location`` or a tag's key, and the value.
_Name = tuple[str, str | None]


class Waits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from enqueue to launch of the runs that ``by`` and ``value`` name; None when none was launched."""

    by: str
    value: str | None
    #: Launched ones.
    runs: int
    never_started: int
    median: float | None
    p95: float | None
    max: float | None


class Starving(msgspec.Struct, frozen=True, kw_only=True):
    """A run that waited longest. ``waited`` of one that never started is up to the end of the simulation."""

    arrival: Arrival
    waited: float
    times_median: float | None
    started: bool


def waits(
    arrivals: Iterable[Arrival], launched: Mapping[str, float], gone: Iterable[str], *, keys: Sequence[str]
) -> list[Waits]:
    """Waits of all, by priority, by job and by each of ``keys``; runs that were active from the start do not count.

    Args:
        arrivals: all runs.
        launched: when each was launched; the others never were.
        gone: runs that were refused or canceled while queued, which do not count unless they were launched.
        keys: tag keys, and the names of what runs have without a tag.
    """
    skipped = set(gone) - launched.keys()
    seconds: defaultdict[_Name, list[float]] = defaultdict(list)
    never: Counter[_Name] = Counter()
    for arrival in arrivals:
        if arrival.launched_at is not None or arrival.run_id in skipped:
            continue
        at = launched.get(arrival.run_id)
        for name in _names(arrival, keys):
            if at is None:
                never[name] += 1
            else:
                seconds[name].append(at - arrival.at)
    return [_waits(name, sorted(seconds[name]), never[name]) for name in _shown({*seconds, *never}, seconds, never)]


def starving(
    arrivals: Iterable[Arrival], launched: Mapping[str, float], gone: Iterable[str], *, end: float
) -> list[Starving]:
    """Those that waited longest, before them those that never started."""
    skipped = set(gone) - launched.keys()
    found = [
        (run.run_id not in launched, launched.get(run.run_id, end) - run.at, run)
        for run in arrivals
        if run.launched_at is None and run.run_id not in skipped
    ]
    middle = quantile(sorted(waited for never, waited, _ in found if not never), 0.5)
    longest = nlargest(MOST_STARVING, found, key=lambda entry: entry[:2])
    return [
        Starving(arrival=run, waited=waited, times_median=waited / middle if middle else None, started=not never)
        for never, waited, run in longest
        if never or waited > 0
    ]


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest of the values that at least ``share`` of them do not exceed; None without values."""
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def _names(arrival: Arrival, keys: Iterable[str]) -> list[_Name]:
    found: list[_Name] = [("all", None), ("priority", str(arrival.priority)), ("job", arrival.job_name)]
    for key in keys:
        if key == LOCATION:
            found.append(("location", arrival.location_name))
        elif key != JOB and key in arrival.tags:
            found.append((key, arrival.tags[key]))
    return found


def _shown(names: Iterable[_Name], seconds: Mapping[_Name, list[float]], never: Mapping[_Name, int]) -> list[_Name]:
    """All, then each kind's values with the most runs; priorities in their order."""
    kinds: defaultdict[str, list[_Name]] = defaultdict(list)
    for name in sorted(names, key=lambda name: (-len(seconds.get(name, ())) - never.get(name, 0), str(name[1]))):
        if len(kinds[name[0]]) < MOST_VALUES:
            kinds[name[0]].append(name)
    kinds["priority"].sort(key=lambda name: -int(name[1] or 0))
    first = ["all", "priority", "job"]
    return [name for kind in [*first, *sorted(kinds.keys() - set(first))] for name in kinds[kind]]


def _waits(name: _Name, ordered: Sequence[float], never_started: int) -> Waits:
    return Waits(
        by=name[0],
        value=name[1],
        runs=len(ordered),
        never_started=never_started,
        median=quantile(ordered, 0.5),
        p95=quantile(ordered, 0.95),
        max=ordered[-1] if ordered else None,
    )
