"""What a run needs of pools, from the steps of its job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..core.pools import PoolNeeds
from .steps import Step


def pool_needs(steps: Iterable[Step]) -> PoolNeeds:
    """Of each pool the most that one step takes, and what the steps take that need no other step first."""
    every: dict[str, int] = {}
    roots: Counter[str] = Counter()
    free_root = False
    for step in steps:
        pool, slots = step.op.pool, step.op.pool_slots
        if pool:
            every[pool] = max(slots, every.get(pool, 0))
        if not step.needs():
            free_root = free_root or not pool
            roots[pool or ""] += slots
    return PoolNeeds(every, {} if free_root else dict(roots))
