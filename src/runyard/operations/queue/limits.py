"""Limits that people change while everything runs: run slots, pools, tags."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec
from msgspec.structs import replace

from ...core.bounds import NAME
from ...core.clock import Clock
from ...core.queue import LimitChange
from ...core.text import shortened
from ...queue.admission.groups import RUN_SLOTS
from ...queue.idle_limits import unused_pool
from ...queue.limit_changes import rule_name
from ...queue.rules import NO_LIMIT, Rules
from ...storage.protocols import Limits, Locations, Queue, Runs, Wakeups
from .names_in_use import idle, names_in_use
from .pauses import known_pools

LimitKind = Literal["runs", "pool", "tag"]


#: What a limit that can be set is called among those that match nothing.
_IDLE_KINDS = {"tag": "tag_limit", "pool": "pool"}


class LimitStores(Protocol):
    runs: Runs
    queue: Queue
    limits: Limits
    locations: Locations
    wakeups: Wakeups


class LimitInForce(msgspec.Struct, frozen=True, kw_only=True):
    """A limit as it is now; ``limit`` None is no limit. ``name`` as in ``set_limit``.

    ``origin``: ``set`` by a person, of the instance ``file`` or its defaults, a pool's ``default``, or ``none``.
    ``note``: a sentence where it matches nothing that is known.
    """

    kind: LimitKind
    name: str
    limit: int | None
    origin: Literal["set", "file", "default", "none"]
    note: str | None = None

    @property
    def title(self) -> str:
        name = shown_name(self.name)
        return {"runs": RUN_SLOTS, "pool": f"pool {name}", "tag": name}[self.kind]


def set_limit(stores: LimitStores, kind: LimitKind, name: str, limit: int, *, by: str, clock: Clock) -> Rules:
    """Put a limit in force until it is taken back; returns the rules in force. It evicts nobody.

    ``name``: the pool; for tags ``key`` (all values together), ``key=value``, or ``key=*`` (each value); else empty.

    Raises:
        InvalidLimit: the limit is out of bounds.
        NotFound: no tag rule of the instance file is called so.
    """
    return _change(stores, LimitChange(kind=kind, name=name, limit=limit), by=by, clock=clock)


def unset_limit(stores: LimitStores, kind: LimitKind, name: str, *, by: str, clock: Clock) -> Rules:
    """Have what the instance file says again; for a pool without a limit there that is the default.

    A name that is longer than names may be now is accepted as it is shown: its beginning and an ellipsis.
    """
    change = LimitChange(kind=kind, name=_whole_name(stores, kind, name), limit=None)
    return _change(stores, change, by=by, clock=clock)


def shown_name(name: str) -> str:
    """A limit's name as people see it, cut where it was stored before names had a bound."""
    return shortened(name, NAME)


def _whole_name(stores: LimitStores, kind: LimitKind, name: str) -> str:
    long = (change.name for change in stores.limits.changed() if change.kind == kind and len(change.name) > NAME)
    return next((each for each in long if name in (each, shown_name(each))), name)


def in_force(stores: LimitStores, kind: LimitKind, name: str) -> LimitInForce:
    """One limit, whether or not there is such a pool or tag rule now."""
    if kind == "pool":
        return pool_limit(stores, name)
    # The instance file may have lost a tag rule since its limit was set.
    gone = LimitInForce(kind=kind, name=name, limit=None, origin="none")
    found = limits_in_force(stores)
    return next((limit for limit in found if (limit.kind, limit.name) == (kind, name)), gone)


def pool_limit(stores: LimitStores, pool: str) -> LimitInForce:
    """The limit of a pool, known or not."""
    names = names_in_use(stores)
    clause = unused_pool(pool, names) if names.jobs else None
    found = _pool(pool, stores.queue.rules(), _changed(stores))
    return replace(found, note=f"Pool {shortened(pool)} holds no step back: {clause}") if clause else found


def limits_in_force(stores: LimitStores) -> list[LimitInForce]:
    """Run slots, every tag rule, and every pool that some job uses or that was given a limit, by name."""
    rules, changed = stores.queue.rules(), _changed(stores)
    slots = None if rules.max_concurrent_runs == NO_LIMIT else rules.max_concurrent_runs
    tags = {rule_name(rule): rule.limit for rule in rules.tag_rules}
    notes = {(limit.kind, limit.name): limit.message for limit in idle(stores, rules)}
    found = [
        _of(changed, "runs", "", slots),
        *(_of(changed, "tag", name, limit) for name, limit in tags.items()),
        *(_pool(pool, rules, changed) for pool in sorted(known_pools(stores))),
    ]
    return [replace(limit, note=notes.get((_IDLE_KINDS.get(limit.kind, ""), limit.name))) for limit in found]


def _changed(stores: LimitStores) -> set[tuple[str, str]]:
    return {(change.kind, change.name) for change in stores.limits.changed()}


def _of(changed: set[tuple[str, str]], kind: LimitKind, name: str, limit: int | None) -> LimitInForce:
    return LimitInForce(kind=kind, name=name, limit=limit, origin="set" if (kind, name) in changed else "file")


def _pool(pool: str, rules: Rules, changed: set[tuple[str, str]]) -> LimitInForce:
    if pool in rules.pools.limits:
        return _of(changed, "pool", pool, rules.pools.limits[pool])
    default = rules.pools.default_limit
    return LimitInForce(kind="pool", name=pool, limit=default, origin="none" if default is None else "default")


def _change(stores: LimitStores, change: LimitChange, *, by: str, clock: Clock) -> Rules:
    rules = stores.limits.change(change, by=by, now=clock.now())
    stores.wakeups.poke("queue")
    return rules
