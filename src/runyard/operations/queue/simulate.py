"""What if: the queue's own admission on a virtual clock, over recorded runs or a load, under other limits.

``runyard queue simulate --json`` and ``POST /api/v1/queue/simulate`` answer with this. Times are ISO 8601 in UTC,
durations seconds. ::

    {
      "source": {
        "kind": "history" | "load",
        "from": time | null, "to": time | null,     // null for a load, which begins at second 0
        "runs": 1200,                               // simulated
        "left_out": 3,                              // recorded, but canceled or failed before they were launched
        "assumed_durations": 7,                     // not over yet or never launched: the median of their job
        "notes": ["2 pauses that are in force now are left out."]
      },
      "recorded": [wait…] | null,                   // history: what really happened, in the shape of "waits"
      "before": outcome,                            // under the rules in force
      "after": outcome | null                       // under the other limits; null when none were given
    }

    outcome = {
      "launches": 1190,
      "never_started": 10,                          // no matter how long one waits
      "late": 25,                                   // started, but after the window; 0 for a load
      "refused": 4, "canceled": 1,                  // by overlap policies
      "makespan": 86400.0,                          // from the start to the end of the last run
      "waits": [                                    // seconds from enqueue to launch, of launched runs
        {"by": "all" | "priority" | "job" | tag key, "value": null | "5" | "load" | tag value,
         "runs": 1190, "never_started": 10, "median": 1.0, "p95": 60.0, "max": 600.0}    // null without a launch
      ],
      "limits": [                                   // most used first, at most 20; a pool at op granularity may be
                                                    // above 1: what runs begin with, as long as they last
        {"rule": "team=docs", "kind": "tag", "limit": 2,
         "utilisation": 0.83,                       // mean share of the limit in use while there was work
         "peak": 2, "full_seconds": 41000.0}
      ],
      "starving": [                                 // the ten that wait longest, those that never start first
        {"run_id": "…", "job_name": "load", "location": "etl", "priority": -1, "tags": {tracked tags},
         "waited": 3600.0, "times_median": 120.5 | null, "started": true}
      ],
      "series": {                                   // for a picture; the same buckets before and after, at most 200
        "start": time | null, "bucket_seconds": 432.0,
        "queued": [mean in each bucket…], "active": […],
        "limits": {"team=docs": [mean slots in use…]}    // the limits above
      }
    }
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from ...core.errors import UserError
from ...queue.rules import Rules
from ...queue.simulation.arrivals import Arrival, LoadEntry, of_history, of_load, size_of
from ...queue.simulation.simulate import Outcome, simulate
from ...storage.protocols import History, Queue
from ..until import ACCEPTED_PAST, InvalidTime, parse_past

DAY = 86400.0

#: With ``progress``: how much of the work is done, 0 to 1.
Progress = Callable[[float], None]


class TooMuchToSimulate(UserError):
    """A window or a load with more runs than may be simulated at a time."""

    def __init__(self, what: str, most: int) -> None:
        super().__init__(f"{what} has more than {most} runs, the most that are simulated here: ask for less of it.")


class NothingToSimulate(UserError):
    """A window in which no run was there."""


class SimulatingAlready(UserError):
    """One what-if at a time, so that they do not take the processor from everything else in the process."""

    def __init__(self) -> None:
        super().__init__("A what-if is being simulated already: ask again in a moment.")


class SimulateStores(Protocol):
    """What a what-if reads."""

    @property
    def queue(self) -> Queue: ...

    @property
    def history(self) -> History: ...


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What is simulated: runs in a window. Times of a load are seconds from its beginning, others since the epoch."""

    kind: str
    arrivals: Sequence[Arrival]
    start: float
    #: The end of the window; of a load, the last arrival.
    until: float
    left_out: int = 0
    assumed_durations: int = 0
    #: When recorded runs were really launched.
    recorded: dict[str, float] | None = None


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """Outcomes before and after other limits; ``after`` is None when none were given."""

    given: Given
    before_rules: Rules
    before: Outcome
    after_rules: Rules | None
    after: Outcome | None
    notes: tuple[str, ...]


def of_window(stores: SimulateStores, *, since: float, until: float, now: float, most: int) -> Given:
    """Recorded runs that were queued or active at some time from ``since`` on and before ``until``.

    Raises:
        TooMuchToSimulate: more than ``most`` runs.
        NothingToSimulate: none.
    """
    past = stores.history.between(since, until, limit=most + 1)
    if len(past) > most:
        raise TooMuchToSimulate("The window", most)
    recorded = of_history(past, since=since, now=now)
    if not recorded.arrivals:
        raise NothingToSimulate("No run was queued or active in the window: ask for another one, or describe a load.")
    launched = {
        run.run_id: run.launched_at for run in past if run.launched_at is not None and since <= run.launched_at < until
    }
    return Given(
        kind="history",
        arrivals=recorded.arrivals,
        start=since,
        until=until,
        left_out=recorded.left_out,
        assumed_durations=recorded.assumed,
        recorded=launched,
    )


def of_texts(stores: SimulateStores, *, since: str | None, until: str | None, now: float, most: int) -> Given:
    """The same for a window as people write it, by default the last 24 hours.

    Raises:
        InvalidTime: one of the texts is no time, or the window ends before it begins.
        TooMuchToSimulate, NothingToSimulate: as of_window.
    """
    end = parse_past(until, now=now) if until else now
    start = parse_past(since, now=now) if since else end - DAY
    if start >= end:
        raise InvalidTime(since or until or "", "is not before the end of the window", ACCEPTED_PAST)
    return of_window(stores, since=start, until=end, now=now, most=most)


def of_entries(entries: Sequence[LoadEntry], *, seed: int, most: int) -> Given:
    """The runs of a load.

    Raises:
        TooMuchToSimulate: more than ``most`` runs.
    """
    if size_of(entries) > most:
        raise TooMuchToSimulate("The load", most)
    arrivals = of_load(entries, seed=seed)
    return Given(kind="load", arrivals=arrivals, start=0.0, until=arrivals[-1].at)


def what_if(given: Given, rules: Rules, other: Rules | None, *, progress: Progress = lambda _: None) -> WhatIf:
    """Simulate under ``rules``, and under ``other`` where they are given. Pauses belong to now and are left out."""
    sets = [_without_pauses(one) for one in (rules, other) if one is not None]
    total = len(sets) * max(1, len(given.arrivals))

    def run(number: int) -> Outcome:
        before = number * len(given.arrivals)
        return simulate(
            given.arrivals, sets[number], start=given.start, progress=lambda ended: progress((before + ended) / total)
        )

    outcomes = [run(number) for number in range(len(sets))]
    return WhatIf(
        given=given,
        before_rules=rules,
        before=outcomes[0],
        after_rules=other,
        after=outcomes[1] if other is not None else None,
        notes=_notes(rules),
    )


def _without_pauses(rules: Rules) -> Rules:
    return msgspec.structs.replace(rules, pauses=())


def _notes(rules: Rules) -> tuple[str, ...]:
    count = len(rules.pauses)
    if not count:
        return ()
    told = "One pause that is in force now is" if count == 1 else f"{count} pauses that are in force now are"
    return (f"{told} left out.",)
