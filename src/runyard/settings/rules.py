"""From the keys of ``concurrency:`` to the rules that admission obeys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from ..queue.lanes import LONGEST_VALUE
from ..queue.rules import BUILT_IN, JOB, LOCATION, FairShare, OverlapRule, PoolRules, RateRule, Rules, TagRule
from .kinds import Section

#: How the file names what every run has without a tag.
_SOURCES = {"job": JOB, "location": LOCATION}
_EACH = "applyLimitPerUniqueValue"


def with_runs(rules: Rules, runs: Section) -> Rules:
    """``rules`` with what ``concurrency.runs`` (or ``run_queue``) says in place of the same in them.

    Raises:
        ConfigError: an entry that cannot be meant, with its key, file and line.
    """
    changes: dict[str, Any] = {"tag_rules": _tag_rules(rules.tag_rules, runs)}
    if "max_concurrent_runs" in runs:
        changes["max_concurrent_runs"] = runs.get("max_concurrent_runs")
    if "rate_limits" in runs:
        changes["rates"] = tuple(_rate(entry) for entry in runs.get("rate_limits"))
    if "fair_share" in runs:
        changes["fair_share"] = _fair_share(runs.get("fair_share"))
    if "overlap" in runs:
        changes["overlaps"] = _overlaps(runs.get("overlap"))
    return replace(rules, **changes)


def with_pools(rules: Rules, concurrency: Section) -> Rules:
    """``rules`` with what ``concurrency.pools`` says, or ``default_op_concurrency_limit``, in place of the same."""
    pools: Section | None = concurrency.get("pools")
    given = dict(pools.values) if pools else {}
    if "op_granularity_run_buffer" in given:
        given["run_buffer"] = given.pop("op_granularity_run_buffer")
    if "limits" in given:
        given["limits"] = {**rules.pools.limits, **given["limits"]}
    if "default_op_concurrency_limit" in concurrency:
        given["default_limit"] = concurrency.get("default_op_concurrency_limit")
        told = "This is the older spelling of 'concurrency.pools.default_limit' and does the same."
        concurrency.note("default_op_concurrency_limit", told)
    return replace(rules, pools=replace(rules.pools, **given))


def blocking(pools: PoolRules, block: Section) -> PoolRules:
    """``pools`` with what ``block_op_concurrency_limited_runs`` says.

    Raises:
        ConfigError: a buffer although nothing is blocked.
    """
    buffer, enabled = "op_concurrency_slot_buffer", block.get("enabled", True)
    if not enabled and buffer in block:
        raise block.error(buffer, f"this needs '{block.path('enabled')}: true'.")
    return replace(pools, block_queue=enabled, run_buffer=block.get(buffer, pools.run_buffer))


def _tag_rules(before: Iterable[TagRule], runs: Section) -> tuple[TagRule, ...]:
    """Limits by tag, by job and by location; each kind that the section gives replaces the rules of that kind."""
    old = list(before)
    kinds = {
        "tag_concurrency_limits": [rule for rule in old if rule.key not in BUILT_IN],
        "job_limits": [rule for rule in old if rule.key == JOB],
        "location_limits": [rule for rule in old if rule.key == LOCATION],
    }
    if "tag_concurrency_limits" in runs:
        kinds["tag_concurrency_limits"] = [_tag_rule(entry) for entry in runs.get("tag_concurrency_limits")]
    for name in _SOURCES:
        if f"{name}_limits" in runs:
            kinds[f"{name}_limits"] = _limits_by(name, runs.get(f"{name}_limits"))
    return tuple(rule for rules in kinds.values() for rule in rules)


def _tag_rule(entry: Section) -> TagRule:
    _refuse_built_in(entry)
    return TagRule(key=entry.get("key"), limit=entry.get("limit"), **_which(entry.get("value")))


def _limits_by(name: str, entries: Sequence[Section]) -> list[TagRule]:
    for entry in entries:
        if entry.get(_EACH) is False:
            told = f"false would be all runs together: write 'max_concurrent_runs' instead, or name a {name}."
            raise entry.error(_EACH, told)
    _refuse_twice(entries, name)
    return [
        TagRule(_SOURCES[name], entry.get("limit"), value=entry.get(name), per_unique_value=_EACH in entry)
        for entry in entries
    ]


def _rate(entry: Section) -> RateRule:
    limit, seconds = entry.get("limit"), float(entry.get("per_seconds"))
    source = next((name for name in _SOURCES if name in entry), None)
    if source is None:
        _refuse_built_in(entry)
        return RateRule(key=entry.get("key"), limit=limit, seconds=seconds, **_which(entry.get("value")))
    return RateRule(key=_SOURCES[source], limit=limit, seconds=seconds, **_which(entry.get(source)))


def _which(value: str | Section | None) -> dict[str, Any]:
    if isinstance(value, Section):
        return {"per_unique_value": value.get(_EACH)}
    return {"value": value}


def _fair_share(given: Section | None) -> FairShare | None:
    if given is None:
        return None
    weights = {value: float(weight) for value, weight in given.get("weights", {}).items()}
    for value in weights:
        if len(value) > LONGEST_VALUE:
            raise given.error("weights", f"'{value[:20]}…' is longer than {LONGEST_VALUE} characters.")
    default = float(given.get("default_weight", FairShare.default_weight))
    return FairShare(key=given.get("key"), weights=weights, default_weight=default)


def _overlaps(entries: Sequence[Section]) -> tuple[OverlapRule, ...]:
    for place, entry in enumerate(entries):
        _refuse_second_overlap(entry, entries[:place])
        if "max_queued" in entry and entry.get("policy", "allow") != "allow":
            told = f"the policy '{entry.get('policy')}' says already how many are queued; leave this out."
            raise entry.error("max_queued", told)
    return tuple(OverlapRule(**entry.values) for entry in entries)


def _refuse_second_overlap(entry: Section, earlier: Iterable[Section]) -> None:
    """A rule without a location is for all of them, so no other one may name the job."""
    for other in earlier:
        locations = (entry.get("location"), other.get("location"))
        if other.get("job") == entry.get("job") and (None in locations or locations[0] == locations[1]):
            told = f"'{entry.get('job')}' has a rule at {other.where('job')} already; keep one."
            raise entry.error("job", told)


def _refuse_twice(entries: Iterable[Section], name: str) -> None:
    seen: dict[str | None, Section] = {}
    for entry in entries:
        first = seen.setdefault(entry.get(name), entry)
        if first is not entry:
            key = name if name in entry else _EACH
            who = f"'{entry.get(name)}' has" if name in entry else f"each {name} has"
            raise entry.error(key, f"{who} a limit at {first.where(key)} already; keep one.")


def _refuse_built_in(entry: Section) -> None:
    for name, key in _SOURCES.items():
        if entry.get("key") == key:
            instead = f"'{name}_limits' (or '{name}: …' in rate_limits)"
            raise entry.error("key", f"'{key}' is no tag; for limits by {name} use {instead}.")
