"""A what-if as the JSON that the command and HTTP answer with; what it looks like is said in ``queue/simulate.py``."""

from __future__ import annotations

from collections.abc import Sequence

from ...queue.rules import Rules
from ...queue.simulation.metering import Meter
from ...queue.simulation.simulate import Outcome
from ...queue.simulation.waits import Starving, Waits, starving, waits
from ..shapes import Shape, iso
from .simulate import Given, WhatIf

MOST_BUCKETS = 200
MOST_LIMITS = 20


def what_if_shape(found: WhatIf) -> Shape:
    given = found.given
    keys = _keys(found.before_rules, found.after_rules)
    outcomes = [outcome for outcome in (found.before, found.after) if outcome]
    end = max(given.until, *(outcome.end for outcome in outcomes))
    buckets = _Buckets(given, end)
    return {
        "source": {
            "kind": given.kind,
            "from": _time(given, given.start),
            "to": _time(given, given.until),
            "runs": len(given.arrivals),
            "left_out": given.left_out,
            "assumed_durations": given.assumed_durations,
            "notes": list(found.notes),
        },
        "recorded": _recorded(given, keys),
        "before": _outcome(given, found.before, keys, buckets),
        "after": _outcome(given, found.after, keys, buckets) if found.after else None,
    }


class _Buckets:
    """Equal parts of the time of both outcomes."""

    def __init__(self, given: Given, end: float) -> None:
        self.given, self.start = given, given.start
        self.count = MOST_BUCKETS
        # Something must lie in a bucket even when all happens at one moment.
        self.width = max((end - given.start) / MOST_BUCKETS, 1e-3)

    def shape(self, outcome: Outcome, limits: Sequence[Meter]) -> Shape:
        return {
            "start": _time(self.given, self.start),
            "bucket_seconds": self.width,
            "queued": outcome.queued.means(self.start, self.width, self.count),
            "active": outcome.active.means(self.start, self.width, self.count),
            "limits": {meter.rule: meter.used.means(self.start, self.width, self.count) for meter in limits},
        }


def _keys(*sets: Rules | None) -> list[str]:
    """What the waits are told apart by: everything that some rule looks at."""
    found: set[str] = set()
    for rules in sets:
        if rules is not None:
            found.update(rules.tracked_keys)
            found.update(rule.key for rule in rules.tag_rules)
            found.update(rate.key for rate in rules.rates)
            found.update([rules.fair_share.key] if rules.fair_share else [])
    return sorted(found)


def _outcome(given: Given, outcome: Outcome, keys: Sequence[str], buckets: _Buckets) -> Shape:
    gone = (*outcome.refused, *outcome.canceled)
    busiest = sorted(outcome.limits, key=lambda meter: -_utilisation(meter, given, outcome))[:MOST_LIMITS]
    came = sum(arrival.launched_at is None for arrival in given.arrivals)
    return {
        "launches": len(outcome.launched),
        "never_started": came - len(outcome.launched) - len(set(gone) - outcome.launched.keys()),
        "late": sum(at >= given.until for at in outcome.launched.values()) if given.kind == "history" else 0,
        "refused": len(outcome.refused),
        "canceled": len(outcome.canceled),
        "makespan": outcome.end - given.start,
        "waits": [_waits(found) for found in waits(given.arrivals, outcome.launched, gone, keys=keys)],
        "limits": [_limit(meter, given, outcome) for meter in busiest],
        "starving": [
            _starving(found, keys) for found in starving(given.arrivals, outcome.launched, gone, end=outcome.end)
        ],
        "series": buckets.shape(outcome, busiest),
    }


def _recorded(given: Given, keys: Sequence[str]) -> list[Shape] | None:
    if given.recorded is None:
        return None
    arrivals = [arrival for arrival in given.arrivals if arrival.run_id in given.recorded]
    return [_waits(found) for found in waits(arrivals, given.recorded, (), keys=keys)]


def _waits(found: Waits) -> Shape:
    return {
        "by": found.by,
        "value": found.value,
        "runs": found.runs,
        "never_started": found.never_started,
        "median": found.median,
        "p95": found.p95,
        "max": found.max,
    }


def _limit(meter: Meter, given: Given, outcome: Outcome) -> Shape:
    return {
        "rule": meter.rule,
        "kind": meter.kind,
        "limit": meter.limit,
        "utilisation": _utilisation(meter, given, outcome),
        "peak": int(meter.used.peak),
        "full_seconds": meter.used.seconds_at(meter.limit, outcome.end) if meter.limit else outcome.end - given.start,
    }


def _utilisation(meter: Meter, given: Given, outcome: Outcome) -> float:
    seconds = outcome.end - given.start
    if not meter.limit or seconds <= 0:
        return 0.0
    return meter.used.total(outcome.end) / (meter.limit * seconds)


def _starving(found: Starving, keys: Sequence[str]) -> Shape:
    run = found.arrival
    return {
        "run_id": run.run_id,
        "job_name": run.job_name,
        "location": run.location_name,
        "priority": run.priority,
        "tags": {key: run.tags[key] for key in keys if key in run.tags},
        "waited": found.waited,
        "times_median": found.times_median,
        "started": found.started,
    }


def _time(given: Given, seconds: float) -> str | None:
    return iso(seconds) if given.kind == "history" else None
