"""Every limit with who uses it and who waits for it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from ...core.pools import PoolNeeds
from ...core.queue import AuditEntry
from ...core.tag_text import split_spelled
from ..admission.admission import Admission
from ..admission.groups import RUN_SLOTS, Group, GroupKind
from ..admission.plan import lane_value
from ..admission.root_pools import PoolUse, RootSlots
from ..admission.slots import RateSlots, Slots
from ..lanes import lane_key, parse_lane
from ..names import shown_key, shown_tag
from ..rules import BUILT_IN, JOB, LOCATION, RateRule, Rules, TagRule
from .entries import LimitKind, LimitUse
from .holders import Holders
from .state import QueueState

_SHOWN: dict[GroupKind, LimitKind] = {
    "runs": "max_concurrent_runs",
    "tag": "tag_limit",
    "pool": "pool",
    "rate": "rate_limit",
    "launcher": "launcher_capacity",
    "overlap": "overlap",
}


class Waiting(msgspec.Struct, frozen=True):
    """How many runs wait at a group before anything else, and since when the first of them was queued."""

    runs: int = 0
    since: float | None = None


class _Seen(msgspec.Struct, frozen=True):
    group: Group
    used: int
    holders: tuple[str, ...]
    room_at: float | None = None


_NOBODY = Waiting()


def limits_in_use(
    admission: Admission,
    state: QueueState,
    lanes: Iterable[str],
    waiting: Mapping[str, Waiting],
    *,
    waiting_is_all: bool,
    changes: Mapping[str, AuditEntry],
) -> list[LimitUse]:
    """Every limit, run slots first, then tag rules and rates, pools, the rest; shares last.

    Args:
        admission: that of ``state``, changed by nobody.
        state: what admission obeys.
        lanes: those of queued runs that were looked at: of rules with a limit for each value, the values of these and
            of active runs are shown.
        waiting: by the id of a group, who waits at it.
        waiting_is_all: no queued run was left out of ``waiting``.
        changes: by what people call a limit, who set it in place of the file's.
    """
    holders = Holders(state)
    seen = _seen(admission, state, lanes)
    uses = [
        LimitUse(
            rule=found.group.rule,
            kind=_SHOWN[found.group.kind],
            limit=found.group.limit,
            used=found.used,
            holders=found.holders,
            holder_details=holders.of(found.group.rule, found.holders),
            waiting=here.runs,
            waiting_is_all=waiting_is_all,
            longest_wait=None if here.since is None else max(0.0, state.now - here.since),
            next_free=_next_free(found, holders),
            changed_by=change.by if (change := _change(found.group.rule, changes)) else None,
            changed_at=change.at if change else None,
        )
        for found in seen
        if _worth_showing(found, here := waiting.get(found.group.id, _NOBODY))
    ]
    order = list(_SHOWN.values())
    return [*sorted(uses, key=lambda use: (order.index(use.kind), use.rule)), *_shares(state)]


def changes_by_subject(audit: Iterable[AuditEntry], subjects: Iterable[str]) -> dict[str, AuditEntry]:
    """The last change of each of these limits; ``audit`` comes newest first."""
    wanted = set(subjects)
    found: dict[str, AuditEntry] = {}
    for entry in audit:
        if entry.action == "limit" and entry.subject in wanted:
            found.setdefault(entry.subject, entry)
    return found


def _seen(admission: Admission, state: QueueState, lanes: Iterable[str]) -> Iterable[_Seen]:
    """Every group that has a limit, once."""
    real = {*lanes, *(run.lane for run in state.active)}
    found: dict[str, _Seen] = {}
    for lane, only in (*((lane, None) for lane in real), *_lanes_of_rules(state.rules)):
        for group, part in _parts(admission, lane):
            if group.kind in _SHOWN and group.limit is not None and only in (None, group.rule):
                room_at = part.room_at if isinstance(part, RateSlots) else None
                found[group.id] = _Seen(group, part.used, part.holders, room_at)
    return found.values()


def _parts(admission: Admission, lane: str) -> Iterator[tuple[Group, Slots | PoolUse]]:
    for slots, _ in admission.needs_of(lane):
        for part in slots.pools if isinstance(slots, RootSlots) else (slots,):
            yield part.group, part


def _lanes_of_rules(rules: Rules) -> Iterator[tuple[str, str]]:
    """Lanes that are in the groups which there are without anybody in them, and what people call these groups."""
    yield _lane(), RUN_SLOTS
    counting: list[TagRule | RateRule] = [*rules.tag_rules, *rules.rates]
    for rule in counting:
        if rule.value is not None:
            yield _lane(rule.key, rule.value), shown_tag(rule.key, rule.value)
        elif not rule.per_unique_value:
            yield _lane(rule.key), shown_key(rule.key)
    for pool in rules.pools.limits:
        needs = PoolNeeds({pool: 1}, {pool: 1})
        yield lane_key((), location_name="", job_name="", tags={}, pools=needs), f"pool {pool}"


def _lane(key: str = "", value: str = "") -> str:
    """A lane whose runs have a value of a tag key, or of a built-in one."""
    return lane_key(
        (key,),
        location_name=value if key == LOCATION else "",
        job_name=value if key == JOB else "",
        tags={} if not key or key in BUILT_IN else {key: value},
    )


def share_name(key: str, value: str | None) -> str:
    """``team=docs``, ``no team``."""
    return f"no {shown_key(key)}" if value is None else shown_tag(key, value)


def _worth_showing(seen: _Seen, waiting: Waiting) -> bool:
    """There is a launcher for each location and an overlap policy for each job: only those that somebody meets."""
    if seen.group.kind == "launcher":
        return waiting.runs > 0
    return seen.group.kind != "overlap" or waiting.runs > 0 or seen.used > 0


def _next_free(seen: _Seen, holders: Holders) -> float | None:
    if seen.group.limit is None or seen.used < seen.group.limit:
        return None
    if seen.group.kind == "rate":
        return seen.room_at
    first = holders.first_to_end(seen.holders)
    return first[1] if first else None


def _change(rule: str, changes: Mapping[str, AuditEntry]) -> AuditEntry | None:
    """Whoever set this limit, by its name, or that of all values of its key."""
    named = {subject.removeprefix("runyard/"): entry for subject, entry in changes.items()}
    return named.get(rule) or named.get(f"{split_spelled(rule)[0]}=*")


def _shares(state: QueueState) -> list[LimitUse]:
    share = state.rules.fair_share
    if share is None:
        return []
    used: Counter[str | None] = Counter()
    holding: defaultdict[str | None, list[str]] = defaultdict(list)
    for run in state.active:
        lane = parse_lane(run.lane)
        value = lane_value(lane, share.key)
        used[value] += lane.weight
        holding[value].append(run.run_id)
    values = sorted(used.keys() | share.weights.keys(), key=lambda value: (value is None, value or ""))
    return [
        LimitUse(
            rule=f"share of {share_name(share.key, value)}, weight {share.weight_of(value):g}",
            kind="fair_share",
            limit=None,
            used=used[value],
            holders=tuple(holding[value]),
        )
        for value in values
    ]
