"""Groups: the sets of runs that share a limit, and which of them a lane's runs belong to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from .lanes import Lane
from .rules import NO_LIMIT, Rules, TagRule

GroupKind = Literal["runs", "location", "launcher", "tag"]

RUN_SLOTS = "max_concurrent_runs"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A limit and whom it counts.

    Runs belong to it while they are active, those of a launcher's group while they are STARTING. ``limit`` None is no
    limit. ``rule`` is what people call it: ``team=docs``, ``max_concurrent_runs``.
    """

    id: str
    kind: GroupKind
    rule: str
    limit: int | None


def groups_of(lane: Lane, rules: Rules, *, capacity: Mapping[str, int], paused: Collection[str]) -> tuple[Group, ...]:
    """Every group that the runs of ``lane`` need a place in, those that most lanes share first.

    Args:
        lane: the lane.
        rules: run slots and tag rules.
        capacity: per location, how many runs its launcher starts at a time; a location left out has no such limit.
        paused: locations at which nothing is launched for now.
    """
    return (
        run_slots(rules),
        location_group(lane.location, paused),
        launcher_group(lane.location, capacity),
        *tag_groups(lane.tags, rules.tag_rules),
    )


def run_slots(rules: Rules) -> Group:
    limit = rules.max_concurrent_runs
    return Group(id="runs", kind="runs", rule=RUN_SLOTS, limit=None if limit == NO_LIMIT else limit)


def location_group(location: str, paused: Collection[str]) -> Group:
    limit = 0 if location in paused else None
    return Group(id=f"location {location}", kind="location", rule=f"location {location}", limit=limit)


def launcher_group(location: str, capacity: Mapping[str, int]) -> Group:
    return Group(
        id=f"launcher {location}", kind="launcher", rule=f"launcher of {location}", limit=capacity.get(location)
    )


def tag_groups(tags: Mapping[str, str], rules: Iterable[TagRule]) -> tuple[Group, ...]:
    """Groups of the rules that ``tags`` hit; of two rules that count the same runs, the lower limit."""
    found: dict[str, Group] = {}
    # The highest limit first, so that of two rules that count the same runs the lowest stays.
    for rule in sorted(rules, key=lambda rule: (_spread(rule), -rule.limit)):
        group = _tag_group(rule, tags)
        if group is not None:
            found[group.id] = group
    return tuple(found.values())


def _tag_group(rule: TagRule, tags: Mapping[str, str]) -> Group | None:
    value = tags.get(rule.key)
    if value is None or (rule.value is not None and value != rule.value):
        return None
    together = rule.value is None and not rule.per_unique_value
    text = rule.key if together else f"{rule.key}={value}"
    # A value may contain anything, so only the form and the JSON of both make the id unambiguous.
    form = "all" if together else "each" if rule.value is None else "value"
    name = msgspec.json.encode([rule.key] if together else [rule.key, value]).decode()
    return Group(id=f"tag {form} {name}", kind="tag", rule=text, limit=rule.limit)


def _spread(rule: TagRule) -> int:
    """Over how many groups a rule spreads the runs that it hits: few groups are shared by many lanes."""
    return 2 if rule.per_unique_value else 1 if rule.value is not None else 0
