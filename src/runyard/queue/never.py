"""Runs that could wait for ever: they take more slots than a limit has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..core.errors import NeverAdmissible
from ..core.pools import PoolNeeds
from ..core.tag_text import spell_key, spell_tag
from .admission.groups import RUN_SLOTS
from .rules import JOB, LOCATION, NO_LIMIT, Rules, TagRule


class Need(NamedTuple):
    """Slots that a run or a step of it takes of a rule, and the rule's limit."""

    slots: int
    rule: str
    limit: int
    of_step: bool = False


def never_admissible(
    rules: Rules, *, location_name: str, job_name: str, tags: Mapping[str, str], pools: PoolNeeds, weight: int
) -> Need | None:
    """The first need that its limit cannot meet, however many runs end; None when there is none.

    A limit of 0 is one that somebody means to raise: runs that take a single slot wait for that.
    """
    built_in = {JOB: job_name, LOCATION: location_name}
    needs = [*_run_needs(rules, {**tags, **built_in}, weight), *_pool_needs(rules, pools)]
    return next((need for need in needs if need.slots > max(need.limit, 1)), None)


def check_admissible(
    rules: Rules, *, location_name: str, job_name: str, tags: Mapping[str, str], pools: PoolNeeds, weight: int
) -> None:
    """Raises NeverAdmissible for a run that could never start under these limits."""
    need = never_admissible(
        rules, location_name=location_name, job_name=job_name, tags=tags, pools=pools, weight=weight
    )
    if need is not None:
        what = f"A step of '{job_name}'" if need.of_step else f"This run of '{job_name}'"
        raise NeverAdmissible(what, need.slots, need.rule, need.limit)


def _run_needs(rules: Rules, tags: Mapping[str, str], weight: int) -> Iterator[Need]:
    if rules.max_concurrent_runs != NO_LIMIT:
        yield Need(weight, RUN_SLOTS, rules.max_concurrent_runs)
    for rule in rules.tag_rules:
        value = tags.get(rule.key)
        if value is not None and rule.value in (None, value):
            yield Need(weight, _rule_text(rule, value), rule.limit)


def _pool_needs(rules: Rules, pools: PoolNeeds) -> Iterator[Need]:
    for pool, slots in sorted(pools.all.items()):
        limit = rules.pools.limit_of(pool)
        if limit is not None:
            yield Need(slots, f"pool {pool}", limit, of_step=rules.pools.granularity == "op")


def _rule_text(rule: TagRule, value: str) -> str:
    if rule.key in (JOB, LOCATION):
        return f"{rule.key.removeprefix('runyard/')} {value}"
    together = rule.value is None and not rule.per_unique_value
    return spell_key(rule.key) if together else spell_tag(rule.key, value)
