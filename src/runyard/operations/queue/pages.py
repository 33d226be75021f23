"""The order in which the queue is listed: by forecast, then the rest by position, then held runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from ...core.queue import QueueHead
from ...core.run import Run
from ...queue.explanation.forecast import FORECAST, Forecast
from ...storage.protocols import Queue

#: Rows read at a time while those are passed over that the forecast has listed.
_SLICE = 500


class _Read(Protocol):
    def __call__(self, after: tuple[int, int] | None, *, limit: int) -> Sequence[QueueHead]: ...


def page(queue: Queue, forecast: Forecast, *, limit: int, last: Run | None) -> list[str]:
    """The ids of the ``limit`` runs that come behind the queued run ``last``; None: the first ones."""
    if last is not None and last.held:
        return _read(queue.held, _place(last), limit)
    index = -1 if last is None else forecast.find(last.run_id)
    ids: list[str] = []
    if index is not None:
        forecast.reach(index + 1 + limit)
        ids = [start.head.run_id for start in forecast.starts[index + 1 : index + 1 + limit]]
    if len(ids) < limit:
        forecast.reach(FORECAST)
        started = {start.head.run_id for start in forecast.starts}
        behind = None if last is None or index is not None else _place(last)
        ids += _read(queue.in_order, behind, limit - len(ids), started)
    if len(ids) < limit:
        ids += _read(queue.held, None, limit - len(ids))
    return ids


def _read(read: _Read, after: tuple[int, int] | None, limit: int, without: Collection[str] = frozenset()) -> list[str]:
    ids: list[str] = []
    asked = limit if not without else max(limit, _SLICE)
    while len(ids) < limit:
        heads = read(after, limit=asked)
        ids += [head.run_id for head in heads if head.run_id not in without]
        if len(heads) < asked:
            break
        after = heads[-1].place
    return ids[:limit]


def _place(run: Run) -> tuple[int, int]:
    return (-run.priority, run.queue_seq or 0)
