"""What a run needs of pools, from the steps of its job."""

from __future__ import annotations

from collections.abc import Iterable

from ..core import pools
from ..core.pools import PoolNeeds, PoolUse
from .steps import Step


def pool_needs(steps: Iterable[Step]) -> PoolNeeds:
    """What a run of just these steps needs; some of a job's steps stand for a run that does no others."""
    return pools.pool_needs(PoolUse(step.key, step.needs(), step.op.pool, step.op.pool_slots) for step in steps)
