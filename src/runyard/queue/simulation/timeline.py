"""A number that changes at moments in time: its mean, its peak, and its means in equal buckets."""

from __future__ import annotations

from array import array
from collections.abc import Iterator


class Timeline:
    """A step function: 0 at first, then each value until the next one. Times must not go back."""

    __slots__ = ("_times", "_total", "_values")

    def __init__(self) -> None:
        self._times = array("d")
        self._values = array("d")
        #: The integral up to the last change.
        self._total = 0.0

    def put(self, time: float, value: float) -> None:
        """From ``time`` on it is ``value``; of several at one time the last one stays."""
        if self._times and self._times[-1] == time:
            self._values[-1] = value
        else:
            if self._times:
                self._total += self._values[-1] * (time - self._times[-1])
            self._times.append(time)
            self._values.append(value)

    @property
    def last(self) -> float:
        return self._values[-1] if self._values else 0.0

    @property
    def peak(self) -> float:
        return max(self._values, default=0.0)

    def total(self, end: float) -> float:
        """Its integral up to ``end``, in value times seconds."""
        if self._times and end >= self._times[-1]:
            return self._total + self._values[-1] * (end - self._times[-1])
        return sum(value * (until - since) for since, until, value in self._steps(end))

    def seconds_at(self, least: float, end: float) -> float:
        """How long, up to ``end``, it is at least ``least``; for ``least`` above 0."""
        return sum(until - since for since, until, value in self._steps(end) if value >= least)

    def means(self, start: float, width: float, count: int) -> list[float]:
        """The mean of each of ``count`` buckets of ``width`` seconds, the first from ``start``."""
        sums = [0.0] * count
        for since, until, value in self._steps(start + width * count):
            if value:
                _spread(sums, since - start, until - start, value, width)
        return [total / width for total in sums]

    def _steps(self, end: float) -> Iterator[tuple[float, float, float]]:
        times, values = self._times, self._values
        for place in range(len(times)):
            since = times[place]
            if since >= end:
                return
            until = times[place + 1] if place + 1 < len(times) else end
            yield since, min(until, end), values[place]


def _spread(sums: list[float], since: float, until: float, value: float, width: float) -> None:
    """Add ``value`` over the time from ``since`` to ``until`` to the buckets that it lies in."""
    first, last = max(0, int(since // width)), min(len(sums) - 1, int(until // width))
    if first == last and since >= 0:
        sums[first] += value * (until - since)
        return
    for bucket in range(first, last + 1):
        inside = min(until, (bucket + 1) * width) - max(since, bucket * width)
        sums[bucket] += value * max(0.0, inside)
