"""Pools: what runs and steps need of them, and who holds them."""

from __future__ import annotations

import msgspec


class PoolNeeds(msgspec.Struct, frozen=True):
    """Pools that a run uses, each with the slots that it takes there.

    ``all``: pools of any of its steps, with the most that one of these steps takes: at run granularity the run takes
    that many. ``roots``: pools of the steps that it begins with, with the sum of what they take; empty when one of them
    is in no pool, because the run can begin then whatever is full (op granularity).
    """

    all: dict[str, int] = {}
    roots: dict[str, int] = {}


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
