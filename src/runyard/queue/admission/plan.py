"""The plan: rules in the form in which the groups of a lane are looked up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from ..lanes import Lane, value_in_lane
from ..names import shown_key
from ..overlap import overlap_rule
from ..rules import BUILT_IN, JOB, LOCATION, NO_LIMIT, Pause, RateRule, Rules, TagRule
from .families import (
    Family,
    FamilyKey,
    FixedFamily,
    PauseFamily,
    RateFamily,
    RootsFamily,
    ShareFamily,
    Terms,
)
from .groups import RUN_SLOTS, GroupKind
from .root_pools import PoolUse
from .slots import Slots

QUEUE, RUNS, AT_LOCATION, LAUNCHER = (FamilyKey(form) for form in ("queue", "runs", "location", "launcher"))
POOL, ROOTS = FamilyKey("pool"), FamilyKey("roots")


_FIXED: dict[FamilyKey, tuple[GroupKind, Callable[[str], str]]] = {
    QUEUE: ("queue", lambda _: "queue"),
    RUNS: ("runs", lambda _: RUN_SLOTS),
    AT_LOCATION: ("location", lambda name: f"location {name}"),
    LAUNCHER: ("launcher", lambda name: f"launcher of {name}"),
}


class Need(NamedTuple):
    """That a run takes ``amount`` places of the group ``name`` of a family."""

    family: Family
    name: str
    amount: int

    def slots(self) -> Slots:
        """The group's slots, or what they would be: nobody is in it then."""
        return self.family.slots.get(self.name) or self.family.make(self.name)


def terms_of(
    rules: Rules, *, capacity: Mapping[str, int | None], closed: Mapping[str, int | None]
) -> dict[FamilyKey, Terms]:
    """Every family that ``rules`` make, with its numbers."""
    runs = rules.max_concurrent_runs
    found = {
        QUEUE: Terms(pauses=_pauses(rules, "queue")),
        RUNS: Terms(limit=None if runs == NO_LIMIT else runs),
        AT_LOCATION: Terms(limits=closed, pauses=_pauses(rules, "location")),
        LAUNCHER: Terms(limits=capacity),
    }
    counting: list[TagRule | RateRule] = [*rules.tag_rules, *rules.rates]
    # Of two rules that count the same runs the lower limit stays.
    for rule in sorted(counting, key=lambda rule: -rule.limit):
        found[_tag_key(rule)] = Terms(limit=rule.limit)
    found.update(_overlap_terms(rules))
    found.update(_pool_terms(rules))
    for pause in rules.pauses:
        if pause.scope in ("tag", "pool"):
            found[FamilyKey(f"pause {pause.scope}", pause.name, pause.value)] = Terms(pauses={"": pause})
    if rules.fair_share:
        found[FamilyKey("share", rules.fair_share.key)] = Terms()
    return found


def _pauses(rules: Rules, scope: str) -> dict[str, Pause]:
    return {pause.name: pause for pause in rules.pauses if pause.scope == scope}


def _tag_key(rule: TagRule | RateRule) -> FamilyKey:
    kind, seconds = ("rate", rule.seconds) if isinstance(rule, RateRule) else ("tag", None)
    if rule.value is not None:
        return FamilyKey(f"{kind} value", rule.key, rule.value, seconds)
    return FamilyKey(f"{kind} {'each' if rule.per_unique_value else 'all'}", rule.key, "", seconds)


def _overlap_terms(rules: Rules) -> Iterator[tuple[FamilyKey, Terms]]:
    for job in dict.fromkeys(rule.job for rule in rules.overlaps):
        places = {rule.location for rule in rules.overlaps if rule.job == job}
        limits = {place: _overlap_limit(rules, job, place) for place in places if place is not None}
        # A location of no name stands for those that no rule names.
        yield FamilyKey("overlap", job), Terms(limit=_overlap_limit(rules, job, ""), limits=limits)


def _overlap_limit(rules: Rules, job: str, location: str) -> int | None:
    rule = overlap_rule(rules.overlaps, job_name=job, location_name=location)
    return None if rule is None or rule.policy == "allow" else 1


def _pool_terms(rules: Rules) -> Iterator[tuple[FamilyKey, Terms]]:
    if not rules.pools.block_queue:
        return
    if rules.pools.granularity == "run":
        yield POOL, Terms(limit=rules.pools.default_limit, limits=rules.pools.limits)
    else:
        yield ROOTS, Terms()


def make_family(key: FamilyKey, terms: Terms, rules: Rules, pool: Callable[[str], PoolUse]) -> Family:
    """The family of a key; ``pool`` finds the use of a pool by its steps."""
    if key in _FIXED:
        kind, title = _FIXED[key]
        return FixedFamily(kind, _prefix(key), title, terms, rank=list(_FIXED).index(key))
    if key == ROOTS:
        return RootsFamily("roots ", _roots_title, pool)
    if key.form == "share" and rules.fair_share:
        return ShareFamily(_prefix(key), lambda name: f"share of {shown_key(key.key)}{name}", rules.fair_share)
    return _tag_family(key, terms) if "tag" in key.form or "rate" in key.form else _other_family(key, terms)


def _other_family(key: FamilyKey, terms: Terms) -> Family:
    if key.form == "overlap":
        return Family("overlap", _prefix(key), lambda _: f"job {key.key}", terms)
    if key.form == "pause pool":
        return PauseFamily("pool", _prefix(key), lambda _: f"pool {key.key}", terms)
    return Family("pool", "pool ", lambda name: f"pool {name}", terms)


def _tag_family(key: FamilyKey, terms: Terms) -> Family:
    def title(name: str) -> str:
        value = f"={name}" if "each" in key.form else "" if "all" in key.form else f"={key.value}"
        return shown_key(key.key) + value

    if key.form == "pause tag":
        return PauseFamily("tag", _prefix(key), title, terms)
    if key.seconds is not None:
        return RateFamily("rate", _prefix(key), title, terms, key.seconds)
    return Family("tag", _prefix(key), title, terms)


def _prefix(key: FamilyKey) -> str:
    """What ids of the family's groups begin with. A value may contain anything, so only JSON makes it unambiguous."""
    named = [part for part in (key.key, key.value, key.seconds) if part not in ("", None)]
    return f"{key.form} {msgspec.json.encode(named).decode()} " if named else f"{key.form} "


def _roots_title(name: str) -> str:
    pools: list[str] = msgspec.json.decode(name, type=list[str])
    return f"pool {pools[0]}" if len(pools) == 1 else f"pools {', '.join(pools)}"


class Plan:
    """Looks up what the runs of a lane need."""

    def __init__(self, families: Mapping[FamilyKey, Family]) -> None:
        self.families = families
        self._runs, self._location = families[RUNS], families[AT_LOCATION]
        self._launcher = families[LAUNCHER]
        self._pool, self._roots = families.get(POOL), families.get(ROOTS)
        self._by_key: defaultdict[str, list[tuple[Family, bool]]] = defaultdict(list)
        self._by_value: defaultdict[tuple[str, str], list[Family]] = defaultdict(list)
        #: Keys of tags, and built-in ones, that some rule looks at.
        self._watched: set[str] = set()
        self._fixed: dict[tuple[str, int], tuple[Need, ...]] = {}
        self._overlaps: dict[str, Family] = {}
        self._paused_pools: dict[str, Family] = {}
        self.share: tuple[str, ShareFamily] | None = None
        for key, family in families.items():
            self._enter(key, family)

    def _enter(self, key: FamilyKey, family: Family) -> None:
        if isinstance(family, ShareFamily):
            self.share = (key.key, family)
        elif key.form == "overlap":
            self._overlaps[key.key] = family
        elif key.form == "pause pool":
            self._paused_pools[key.key] = family
        elif key.form.endswith(("value", "pause tag")):
            value = key.value if key.key in BUILT_IN else value_in_lane(key.value)
            self._by_value[key.key, value].append(family)
            self._watched.add(key.key)
        elif key.form.endswith(("all", "each")):
            self._by_key[key.key].append((family, key.form.endswith("each")))
            self._watched.add(key.key)

    def needs(self, lane: Lane) -> list[Need]:
        """Everything that a run of the lane needs a place in. The queue as a whole, which all need, is left out."""
        return [*self.fixed_needs(lane), *self.other_needs(lane)]

    def fixed_needs(self, lane: Lane) -> tuple[Need, ...]:
        """Those that every run has: run slots, its location, the launcher there."""
        known = self._fixed.get((lane.location, lane.weight))
        if known is None:
            known = self._fixed[lane.location, lane.weight] = (
                Need(self._runs, "", lane.weight),
                Need(self._location, lane.location, 1),
                Need(self._launcher, lane.location, 1),
            )
        return known

    def other_needs(self, lane: Lane) -> list[Need]:
        """Those that rules make."""
        found: list[Need] = []
        for key, value in lane.tags.items():
            if key in self._watched:
                self._add_tag_needs(found, key, value, lane.weight)
        for key, value in ((JOB, lane.job), (LOCATION, lane.location)):
            if key in self._watched:
                self._add_tag_needs(found, key, value, lane.weight)
        if lane.job in self._overlaps:
            found.append(Need(self._overlaps[lane.job], lane.location, 1))
        if lane.pools or lane.roots:
            found.extend(self._pool_needs(lane))
        if self.share:
            found.append(self._share_need(lane, *self.share))
        return found

    def _add_tag_needs(self, found: list[Need], key: str, value: str, weight: int) -> None:
        for family, each in self._by_key.get(key, ()):
            found.append(Need(family, value if each else "", weight if family.weighs else 1))
        for family in self._by_value.get((key, value), ()):
            found.append(Need(family, "", weight if family.weighs else 1))  # noqa: PERF401 - three times as fast for one

    def _pool_needs(self, lane: Lane) -> Iterator[Need]:
        for pool, amount in lane.pools.items():
            if self._pool:
                yield Need(self._pool, pool, amount)
            if pool in self._paused_pools:
                yield Need(self._paused_pools[pool], "", 1)
        if self._roots and lane.roots:
            yield Need(self._roots, msgspec.json.encode(sorted(lane.roots)).decode(), 1)

    def _share_need(self, lane: Lane, key: str, family: ShareFamily) -> Need:
        value = lane_value(lane, key)
        return Need(family, "" if value is None else f"={value}", lane.weight)


def lane_value(lane: Lane, key: str) -> str | None:
    """The value of a tag key or of a built-in one; None: the run has none."""
    if key == JOB:
        return lane.job
    return lane.location if key == LOCATION else lane.tags.get(key)
