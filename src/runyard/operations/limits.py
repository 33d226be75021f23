"""Limits that people change while everything runs: run slots, pools, tags."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from ..core.clock import Clock
from ..core.queue import LimitChange
from ..queue.rules import Rules
from ..storage.protocols import Limits, Locations, Queue, Wakeups
from .pauses import known_pools

LimitKind = Literal["runs", "pool", "tag"]


class LimitStores(Protocol):
    queue: Queue
    limits: Limits
    locations: Locations
    wakeups: Wakeups


class PoolLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What a pool may use. ``origin``: where the limit comes from, ``set``, ``default`` or ``none``."""

    pool: str
    limit: int | None
    origin: Literal["set", "default", "none"]


def set_limit(stores: LimitStores, kind: LimitKind, name: str, limit: int, *, by: str, clock: Clock) -> Rules:
    """Put a limit in force until it is taken back; returns the rules in force.

    ``name``: the pool; for tags ``key`` (all values together), ``key=value``, or ``key=*`` (each value); else empty.

    Raises:
        InvalidLimit: the limit is out of bounds.
        NotFound: no tag rule of the instance file is called so.
    """
    return _change(stores, LimitChange(kind=kind, name=name, limit=limit), by=by, clock=clock)


def unset_limit(stores: LimitStores, kind: LimitKind, name: str, *, by: str, clock: Clock) -> Rules:
    """Have what the instance file says again; for a pool that is its default."""
    return _change(stores, LimitChange(kind=kind, name=name, limit=None), by=by, clock=clock)


def pool_limit(stores: LimitStores, pool: str) -> PoolLimit:
    """The limit of a pool, known or not."""
    pools = stores.queue.rules().pools
    if pool in pools.limits:
        return PoolLimit(pool=pool, limit=pools.limits[pool], origin="set")
    return PoolLimit(pool=pool, limit=pools.default_limit, origin="none" if pools.default_limit is None else "default")


def pool_limits(stores: LimitStores) -> list[PoolLimit]:
    """The limit of every pool that some job uses or that was given one, by name."""
    return [pool_limit(stores, pool) for pool in sorted(known_pools(stores))]


def _change(stores: LimitStores, change: LimitChange, *, by: str, clock: Clock) -> Rules:
    rules = stores.limits.change(change, by=by, now=clock.now())
    stores.wakeups.poke("queue")
    return rules
