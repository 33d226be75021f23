"""Limits that people set at run time, in place of those that the instance file gives."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from ..core.bounds import NAME, check_text
from ..core.errors import InvalidLimit, InvalidPool, NotFound
from ..core.pool_names import pool_name_fault
from ..core.queue import LimitChange
from ..core.tag_text import spell_key
from ..core.text import quoted
from .admission.groups import RUN_SLOTS
from .rules import NO_LIMIT, Rules, TagRule

MOST_POOL_SLOTS = 1000
#: A value that reads like ``*`` gets a backslash more.
_STAR, _ESCAPE = re.compile(r"\A(\\*\*)\Z"), r"\\\1"
#: Per kind, the least and most that a limit may be (None: no bound), and how to say so.
_ALLOWED: dict[str, tuple[int, int | None, str]] = {
    "runs": (NO_LIMIT, None, f"say a number from 0 up, or {NO_LIMIT} for no limit"),
    "pool": (0, MOST_POOL_SLOTS, f"say a number from 0 to {MOST_POOL_SLOTS}"),
    "tag": (0, None, "say a number from 0 up"),
}


def rule_name(rule: TagRule) -> str:
    r"""What a person calls a tag rule: ``key``, ``key=value``, or ``key=*`` for each value on its own.

    The key as in ``core.tag_text``; the value ``*`` is written ``\*``.
    """
    key = spell_key(rule.key)
    if rule.value is not None:
        return f"{key}={_STAR.sub(_ESCAPE, rule.value)}"
    return f"{key}=*" if rule.per_unique_value else key


def subject_of(change: LimitChange) -> str:
    """What a change is about, for people: ``max_concurrent_runs``, ``pool db``, ``team=docs``."""
    return {"runs": RUN_SLOTS, "pool": f"pool {change.name}", "tag": change.name}[change.kind]


def check_change(change: LimitChange, rules: Rules) -> None:
    """Raise unless ``change`` can be put over ``rules``.

    Raises:
        InvalidLimit: the limit is out of bounds; a name for the limit of all runs.
        NotFound: no tag rule is called so; a pool's name is empty.
        InvalidPool: the name can be no pool's.
        TooLarge: a pool's name is too long; what has one from before can be taken back.
    """
    if change.limit is not None:
        check_text("The name of a pool", change.name if change.kind == "pool" else None, NAME)
    if change.kind == "runs" and change.name:
        raise InvalidLimit("all runs", f"has no name: leave out {quoted(change.name)}, or say what it is the name of")
    known = {rule_name(rule) for rule in rules.tag_rules}
    if change.kind == "tag" and change.name not in known:
        raise NotFound("tag rule", change.name, known)
    if change.kind == "pool" and not change.name:
        raise NotFound("pool", change.name, rules.pools.limits)
    if change.kind == "pool" and change.limit is not None and (fault := pool_name_fault(change.name)):
        raise InvalidPool(fault)
    lowest, highest, allowed = _ALLOWED[change.kind]
    if change.limit is not None and (change.limit < lowest or (highest is not None and change.limit > highest)):
        raise InvalidLimit(subject_of(change), f"cannot be {change.limit}: {allowed}")


def put_change(changes: Iterable[LimitChange], change: LimitChange) -> tuple[LimitChange, ...]:
    """``changes`` with one more: it takes the place of that of the same subject, and takes it back without a limit."""
    same = (change.kind, change.name)
    rest = tuple(made for made in changes if (made.kind, made.name) != same)
    return rest if change.limit is None else (*rest, change)


def limit_of(change: LimitChange, rules: Rules) -> int | None:
    """The limit that ``rules`` give to what the change is about; None: there is none."""
    if change.kind == "runs":
        return None if rules.max_concurrent_runs == NO_LIMIT else rules.max_concurrent_runs
    if change.kind == "pool":
        return rules.pools.limit_of(change.name)
    return min((rule.limit for rule in rules.tag_rules if rule_name(rule) == change.name), default=None)


def applies(change: LimitChange, rules: Rules) -> bool:
    """Whether the change has anything to apply to: the file may have lost the tag rule since."""
    return change.kind != "tag" or any(rule_name(rule) == change.name for rule in rules.tag_rules)


def with_changes(rules: Rules, changes: Iterable[LimitChange]) -> Rules:
    """The rules with the limits that people set in place of the configured ones."""
    for change in changes:
        if change.limit is not None:
            rules = _with(rules, change, change.limit)
    return rules


def _with(rules: Rules, change: LimitChange, limit: int) -> Rules:
    if change.kind == "runs":
        return msgspec.structs.replace(rules, max_concurrent_runs=limit)
    if change.kind == "pool":
        limits = rules.pools.limits | {change.name: limit}
        return msgspec.structs.replace(rules, pools=msgspec.structs.replace(rules.pools, limits=limits))
    changed = (
        msgspec.structs.replace(rule, limit=limit) if rule_name(rule) == change.name else rule
        for rule in rules.tag_rules
    )
    return msgspec.structs.replace(rules, tag_rules=tuple(changed))
