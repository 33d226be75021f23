"""Pools: what runs and steps need of them, and who holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec


class PoolNeeds(msgspec.Struct, frozen=True):
    """Pools that a run uses, each with the slots that it takes there.

    ``all``: pools of any of its steps, with the most that one of these steps takes: at run granularity the run takes
    that many. ``roots``: pools of the steps that it begins with, with the sum of what they take; empty when one of them
    is in no pool, because the run can begin then whatever is full (op granularity).
    """

    all: dict[str, int] = {}
    roots: dict[str, int] = {}


class PoolUse(NamedTuple):
    """What one step takes of a pool, and the steps that it needs first."""

    step_key: str
    needs: Sequence[str]
    pool: str | None
    slots: int


def pool_needs(uses: Iterable[PoolUse]) -> PoolNeeds:
    """What a run of just these steps needs: those begin that need none of the others."""
    every: dict[str, int] = {}
    roots: Counter[str] = Counter()
    free_root = False
    steps = {use.step_key: use for use in uses}
    for use in steps.values():
        if use.pool:
            every[use.pool] = max(use.slots, every.get(use.pool, 0))
        if not any(key in steps for key in use.needs):
            free_root = free_root or not use.pool
            roots[use.pool or ""] += use.slots
    return PoolNeeds(every, {} if free_root else dict(roots))


class PoolHolder(msgspec.Struct, frozen=True):
    """A step that holds ``slots`` of a pool since ``since`` (seconds since the epoch)."""

    pool: str
    run_id: str
    step_key: str
    attempt: int
    slots: int
    since: float


class PoolWaiter(msgspec.Struct, frozen=True):
    """A step that waits for ``slots`` of a pool since ``since``: the highest priority first, then who came first."""

    pool: str
    run_id: str
    step_key: str
    attempt: int
    slots: int
    priority: int
    since: float
