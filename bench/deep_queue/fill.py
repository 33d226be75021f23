"""Fills a database: ``python -m bench.deep_queue.fill`` in a process of its own, so that its memory is not counted."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from runyard.core.ids import new_id
from runyard.core.run import NewRun
from runyard.queue.rules import Rules, TagRule
from runyard.storage.open import SqlStores

from .shape import CLOSED, CUSTOMER, GATE, HIGH, JOB, LOCATION, Shape

BATCH = 1000


def rules(gate: int) -> Rules:
    """No run limit, a limit for each customer, and the gate that keeps every filled run back while it is 0."""
    gates = TagRule(key=GATE, value=CLOSED, limit=gate)
    return Rules(max_concurrent_runs=-1, tag_rules=(gates, TagRule(key=CUSTOMER, limit=HIGH, per_unique_value=True)))


def new_run(tags: dict[str, str], priority: int = 0) -> NewRun:
    """A run of the one job."""
    return NewRun(run_id=new_id(), job_name=JOB, location_name=LOCATION, priority=priority, tags=tags)


def batches(shape: Shape) -> Iterator[list[NewRun]]:
    """All runs of a shape, as a backfill would enqueue them."""
    tags = shape.tags()
    while batch := [new_run(tag) for tag in itertools.islice(tags, BATCH)]:
        yield batch


def fill(stores: SqlStores, shape: Shape) -> float:
    """Enqueue them; runs a second, without the time that making them takes."""
    stores.limits.configure(rules(gate=0))
    seconds = 0.0
    for batch in batches(shape):
        begun = time.perf_counter()
        stores.runs.add(batch, enqueue=True)
        seconds += time.perf_counter() - begun
    return shape.depth / seconds
