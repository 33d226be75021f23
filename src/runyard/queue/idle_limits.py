"""Limits that can match nothing, as far as is known: a key, a value, a job or a pool that nothing has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from ..core.tag_text import spell_key
from ..core.text import did_you_mean, listing, quoted, shortened
from .limit_changes import rule_name
from .names import shown_key, shown_tag
from .rules import BUILT_IN, JOB, LOCATION, FairShare, OverlapRule, RateRule, Rules, TagRule

#: How the field once named an op's pool. Only ops have it, so a limit by it counts nothing.
_POOL_OF_OPS = "dagster/concurrency_key"


class NamesInUse(msgspec.Struct, frozen=True, kw_only=True):
    """What rules may name. ``jobs``: the names of each loaded location's jobs.

    ``tags``: keys that runs have or get, each with the values that are known, of definitions and of runs.
    ``op_tags``: keys of ops. ``unloaded``: locations without definitions, which may have anything.
    """

    jobs: Mapping[str, frozenset[str]] = {}
    unloaded: tuple[str, ...] = ()
    pools: frozenset[str] = frozenset()
    tags: Mapping[str, frozenset[str]] = {}
    op_tags: frozenset[str] = frozenset()

    @property
    def locations(self) -> list[str]:
        return [*self.jobs, *self.unloaded]

    @property
    def all_jobs(self) -> set[str]:
        return {job for jobs in self.jobs.values() for job in jobs}


class IdleLimit(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that counts nothing. ``rule`` is what people call it and ``name`` what it is set by.

    ``message``: a sentence that begins with the limit and names the nearest thing in use.
    """

    kind: str
    rule: str
    name: str
    message: str


class TagAsked(NamedTuple):
    """A tag that some rule looks at; ``value`` None: any."""

    key: str
    value: str | None


def tags_asked(rules: Rules) -> set[TagAsked]:
    """Every tag by which a rule counts, to be looked up among the runs."""
    counting: list[TagRule | RateRule] = [*rules.tag_rules, *rules.rates]
    found = {TagAsked(rule.key, rule.value) for rule in counting}
    if rules.fair_share:
        found.add(TagAsked(rules.fair_share.key, None))
    return {tag for tag in found if tag.key not in BUILT_IN}


def idle_limits(rules: Rules, names: NamesInUse) -> list[IdleLimit]:
    """Limits that match nothing that is known. While no location has loaded nothing is known."""
    if not names.jobs:
        return []
    return [
        *(idle for rule in rules.tag_rules for idle in _of_rule("tag_limit", "Limit", rule, names)),
        *(idle for rate in rules.rates for idle in _of_rule("rate_limit", "Launch rate", rate, names)),
        *(_of_share(rules.fair_share, names) if rules.fair_share else ()),
        *(idle for rule in rules.overlaps for idle in _of_overlap(rule, names)),
        *(idle for pool in sorted(rules.pools.limits) for idle in _of_pool(pool, names)),
    ]


def unused_tag(key: str, value: str | None, names: NamesInUse) -> str | None:
    """Why no run has a tag, or none has this value of it, as a clause with the nearest; None: some have."""
    if key == JOB and value is not None:
        return unused_job(value, names)
    if key == LOCATION and value is not None:
        return unused_location(value, names)
    if key in BUILT_IN:
        return None
    if key not in names.tags:
        return _unused_key(key, value, names)
    if value is None or value in names.tags[key]:
        return None
    known = [shown_tag(key, one) for one in names.tags[key]]
    near = _other_split(key, value, names) or did_you_mean(shown_tag(key, value), known)
    return f"no definition and no run has {shown_tag(key, value)}.{near}{_perhaps(names)}"


def unused_job(job: str, names: NamesInUse) -> str | None:
    if job in names.all_jobs:
        return None
    return f"no code location has a job {quoted(job)}.{did_you_mean(job, names.all_jobs)}{_perhaps(names)}"


def unused_location(location: str, names: NamesInUse) -> str | None:
    if location in names.locations:
        return None
    return f"there is no code location {quoted(location)}.{did_you_mean(location, names.locations)}"


def unused_pool(pool: str, names: NamesInUse) -> str | None:
    if pool in names.pools:
        return None
    return f"no op is in a pool {quoted(pool)}.{did_you_mean(pool, names.pools)}{_perhaps(names)}"


def _unused_key(key: str, value: str | None, names: NamesInUse) -> str:
    if key in names.op_tags or key == _POOL_OF_OPS:
        pool = " Such ops are in a pool: limit that." if key == _POOL_OF_OPS else ""
        return f"{quoted(key)} is a tag of ops, and runs do not have it.{pool}"
    near = _other_split(key, value or "", names) or did_you_mean(spell_key(key), map(spell_key, names.tags))
    return f"no definition and no run has the tag {quoted(spell_key(key))}.{near}{_perhaps(names)}"


def _other_split(key: str, value: str, names: NamesInUse) -> str:
    """``t=1=x`` is the key ``t``, and may be meant as the key ``t=1``: how to write that; empty where there is none."""
    text = f"{key}={value}"
    for known in sorted(names.tags):
        if known.startswith(f"{key}=") and text.startswith(f"{known}="):
            return f" Did you mean '{shown_tag(known, text[len(known) + 1 :])}'?"
    return ""


def _perhaps(names: NamesInUse) -> str:
    """What is not known."""
    if not names.unloaded:
        return ""
    one = len(names.unloaded) == 1
    return (
        f" Code location{'' if one else 's'} {listing(names.unloaded)} {'has' if one else 'have'} not loaded and may."
    )


def _of_rule(kind: str, title: str, rule: TagRule | RateRule, names: NamesInUse) -> Iterator[IdleLimit]:
    clause = unused_tag(rule.key, rule.value, names)
    if clause is not None:
        each = "=*" if rule.per_unique_value else ""
        shown = shown_key(rule.key) + each if rule.value is None else shown_tag(rule.key, rule.value)
        name = rule_name(TagRule(rule.key, rule.limit, rule.value, rule.per_unique_value))
        yield _idle(kind, shown, name, f"{title} {shown} counts no run: {clause}")


def _of_share(share: FairShare, names: NamesInUse) -> Iterator[IdleLimit]:
    clause = unused_tag(share.key, None, names)
    if clause is not None:
        yield _idle("fair_share", shown_key(share.key), share.key, f"Fair share by {share.key} has no effect: {clause}")
        return
    for value in share.weights:
        clause = unused_tag(share.key, value, names)
        if clause is not None:
            shown = shown_tag(share.key, value)
            yield _idle("fair_share", shown, shown, f"The weight of {shown} has no effect: {clause}")


def _of_overlap(rule: OverlapRule, names: NamesInUse) -> Iterator[IdleLimit]:
    clause = _unused_overlap(rule, names)
    if clause is not None:
        yield _idle("overlap", f"job {rule.job}", rule.job, f"Overlap policy of job {rule.job} has no effect: {clause}")


def _unused_overlap(rule: OverlapRule, names: NamesInUse) -> str | None:
    clause = None if rule.location is None else unused_location(rule.location, names)
    if clause is not None or rule.location is None or rule.location in names.unloaded:
        return clause or (unused_job(rule.job, names) if rule.location is None else None)
    jobs = names.jobs[rule.location]
    return None if rule.job in jobs else f"'{rule.location}' has no job '{rule.job}'.{did_you_mean(rule.job, jobs)}"


def _of_pool(pool: str, names: NamesInUse) -> Iterator[IdleLimit]:
    clause = unused_pool(pool, names)
    if clause is not None:
        yield _idle("pool", f"pool {pool}", pool, f"Limit of pool {shortened(pool)} holds no step back: {clause}")


def _idle(kind: str, rule: str, name: str, message: str) -> IdleLimit:
    return IdleLimit(kind=kind, rule=rule, name=name, message=message)


def by_rule(idle: Iterable[IdleLimit]) -> dict[tuple[str, str], str]:
    """The message of each by its kind and what people call it."""
    return {(limit.kind, limit.rule): limit.message for limit in idle}
