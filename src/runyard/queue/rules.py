"""The limits that hold runs back, and what else admission obeys."""

from __future__ import annotations

from typing import Literal

import msgspec

NO_LIMIT = -1

#: Keys that every run has without a tag: rules, rates, shares and pauses may name them like any tag key.
JOB = "runyard/job"
LOCATION = "runyard/location"
BUILT_IN = frozenset({JOB, LOCATION})


class TagRule(msgspec.Struct, frozen=True):
    """``concurrency.runs.tag_concurrency_limits``: one entry. ``job_limits`` and ``location_limits`` are these too.

    ``value`` None counts all values of ``key`` together, or each on its own when ``per_unique_value``.
    """

    key: str
    limit: int
    value: str | None = None
    per_unique_value: bool = False


class PoolRules(msgspec.Struct, frozen=True, kw_only=True):
    """``concurrency.pools`` and the limits that people gave to single pools.

    ``default_limit`` is for pools that have none in ``limits``; None: no limit. At op granularity a run waits only
    while every step that it begins with is in a full pool, and ``run_buffer`` runs more than that are let through.
    ``block_queue`` False: runs never wait for pools in the queue.
    """

    default_limit: int | None = None
    granularity: Literal["op", "run"] = "op"
    run_buffer: int = 0
    block_queue: bool = True
    limits: dict[str, int] = {}

    def limit_of(self, pool: str) -> int | None:
        return self.limits.get(pool, self.default_limit)


class RateRule(msgspec.Struct, frozen=True, kw_only=True):
    """``concurrency.runs.rate_limits``: at most ``limit`` launches in any ``seconds`` seconds of what it counts.

    ``value`` and ``per_unique_value`` as in TagRule. A launch counts by its number, whatever slots the run takes.
    """

    key: str
    limit: int
    seconds: float
    value: str | None = None
    per_unique_value: bool = False


class FairShare(msgspec.Struct, frozen=True, kw_only=True):
    """``concurrency.runs.fair_share``: among runs of one priority, the value of ``key`` goes first whose active runs
    hold the fewest slots for its weight; runs without the key are a value of their own. Equal: who was enqueued first.
    """

    key: str
    weights: dict[str, float] = {}
    default_weight: float = 1.0

    def weight_of(self, value: str | None) -> float:
        return self.weights.get(value, self.default_weight) if value is not None else self.default_weight


OverlapPolicy = Literal["allow", "skip", "queue_one", "cancel_old"]


class OverlapRule(msgspec.Struct, frozen=True, kw_only=True):
    """``concurrency.runs.overlap``: what happens to a run of ``job`` that comes while others of it are there.

    ``allow``: it is queued. Under the others only one run of the job is active at a time, and a new one, while another
    is queued or active, is refused (``skip``), refused only when one is queued (``queue_one``), or queued while those
    are canceled (``cancel_old``). ``max_queued``: more than so many are refused. Jobs of one name in several locations
    are apart; ``location`` None means each of them.
    """

    job: str
    location: str | None = None
    policy: OverlapPolicy = "allow"
    max_queued: int | None = None


PauseScope = Literal["queue", "tag", "pool", "location"]


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing of its scope is launched until somebody resumes it, or ``until`` (seconds since the epoch).

    ``name`` is the tag's key, the pool or the location, and ``value`` the tag's value. ``drain`` says that the person
    waits for what runs to end; admission treats both alike.
    """

    scope: PauseScope
    name: str = ""
    value: str = ""
    by: str
    reason: str = ""
    since: float
    until: float | None = None
    drain: bool = False

    @property
    def subject(self) -> tuple[PauseScope, str, str]:
        """What is paused; there is one pause for each."""
        return (self.scope, self.name, self.value)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that admission obeys. ``version`` grows whenever storage keeps a changed set.

    ``also_tracked``: keys that are part of lanes already. They stay there after the last rule that looked at them is
    gone: lanes that tell more apart than they need are right, and computing a million of them again is not free.
    """

    version: int = 0
    max_concurrent_runs: int = 10
    tag_rules: tuple[TagRule, ...] = ()
    pools: PoolRules = PoolRules()
    rates: tuple[RateRule, ...] = ()
    fair_share: FairShare | None = None
    overlaps: tuple[OverlapRule, ...] = ()
    pauses: tuple[Pause, ...] = ()
    also_tracked: tuple[str, ...] = ()

    @property
    def tracked_keys(self) -> tuple[str, ...]:
        """Tag keys whose values are part of a run's lane, sorted."""
        keys = {rule.key for rule in self.tag_rules} | {rate.key for rate in self.rates}
        keys |= {pause.name for pause in self.pauses if pause.scope == "tag"}
        if self.fair_share:
            keys.add(self.fair_share.key)
        return tuple(sorted((keys | set(self.also_tracked)) - BUILT_IN))

    def pause_of_pool(self, pool: str) -> Pause | None:
        return next((pause for pause in self.pauses if pause.scope == "pool" and pause.name == pool), None)

    def at(self, now: float) -> Rules:
        """These rules without the pauses that are over; itself when none is."""
        pauses = tuple(pause for pause in self.pauses if pause.until is None or pause.until > now)
        return self if len(pauses) == len(self.pauses) else msgspec.structs.replace(self, pauses=pauses)
