"""What is reported: which values, boiled down how, and which way is better."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

#: contender -> values measured, over all repeats
Values = Mapping[str, Sequence[float]]


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of the values do not exceed: nearest rank.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("There are no values to take a percentile of.")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def p95(values: Sequence[float]) -> float:
    """95 of 100 values are no greater."""
    return percentile(values, 0.95)


@dataclass(frozen=True)
class Figure:
    """One row of the table. ``key`` names the values that a measure returns."""

    key: str
    title: str
    unit: str
    statistic: Callable[[Sequence[float]], float] = median
    more_is_better: bool = False

    @property
    def name(self) -> str:
        """Unique: two figures may boil down the same values."""
        return f"{self.key}_{self.statistic.__name__}"


FIGURES = (
    Figure("interpreter", "`python -c pass`, part of the next three", "s"),
    Figure("import", "`import` of the definitions API", "s"),
    Figure("version", "command `--version`", "s"),
    Figure("run_list", "command `run list`", "s"),
    Figure("first_start", "start on a new home until the page answers and every daemon has a heartbeat", "s"),
    Figure("start", "the same on a home that was used before", "s"),
    Figure("usable", "and until it also has loaded the code", "s"),
    Figure("memory", "idle memory of all processes (PSS)", "MiB"),
    Figure("processes", "idle processes", ""),
    Figure("started", "submit to worker started, p50", "s"),
    Figure("started", "submit to worker started, p95", "s", p95),
    Figure("user_code", "submit to the first line of user code, p50", "s"),
    Figure("user_code", "submit to the first line of user code, p95", "s", p95),
    Figure("finished", "one-op runs submitted at once that finished in time", ""),
    Figure("rate", "one-op runs submitted at once, 10 at a time", "runs/s", more_is_better=True),
    Figure("many_steps", "one run of 50 tiny steps, each in a process of its own", "s"),
    Figure("heavy_idle", "idle memory (PSS), code of 200 MB", "MiB"),
    Figure("heavy_workers", "memory that 50 running workers of that code add (PSS)", "MiB"),
    Figure("heavy_started", "from the first of these 50 submitted to the last in user code", "s"),
)


def summary(figure: Figure, values: Values) -> dict[str, float]:
    """The figure for each contender that has values."""
    return {name: figure.statistic(measured) for name, measured in values.items() if measured}


def ratio(figure: Figure, ours: float, peers: float) -> float | None:
    """How many times better ours is; below 1 it is worse, None when it cannot be said."""
    best, other = (ours, peers) if figure.more_is_better else (peers, ours)
    return best / other if other else None


def number(value: float) -> str:
    """Three figures that mean something: 0.0123, 1.23, 123."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    decimals = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"
