"""Overlap policies: what happens to a run that comes while others of its job are there."""

from __future__ import annotations

from collections.abc import Iterable

from .rules import OverlapRule


def overlap_rule(rules: Iterable[OverlapRule], *, job_name: str, location_name: str) -> OverlapRule | None:
    """The rule for runs of this job; None: they may overlap."""
    fits = (rule for rule in rules if rule.job == job_name and rule.location in (None, location_name))
    return next(fits, None)


def refusal(rule: OverlapRule, *, queued: int, active: int) -> str | None:
    """Why a run is refused while so many others of its job are queued and active, as a clause; None: it is queued."""
    if rule.policy == "skip" and active:
        return "a run of it is active"
    if rule.policy in ("skip", "queue_one") and queued:
        return "a run of it is queued"
    # Under ``cancel_old`` those that are queued make room for it.
    if rule.policy != "cancel_old" and rule.max_queued is not None and queued >= rule.max_queued:
        return f"{queued} of it are queued and {rule.max_queued} may be"
    return None


def cancels(rule: OverlapRule) -> bool:
    """Whether a new run takes the place of those that are there."""
    return rule.policy == "cancel_old"
