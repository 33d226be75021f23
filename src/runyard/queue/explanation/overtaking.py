"""Starvation: by whom a queued run was overtaken, and when that is worth a person's look."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...core.run import Run
from ...core.text import counted

#: A run counts as starving once at least so many runs have overtaken it …
OVERTAKEN_BY = 5
#: … and it has waited for so many seconds: a burst of urgent runs is no starvation.
OVERTAKEN_FOR = 300.0
EXAMPLES = 3


class Overtaken(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs that were enqueued later were launched while a run waited, and why they could be.

    ``by_priority``: theirs is higher. ``by_limit``: it is not, so that something held this run back and not them: a
    full limit, a pause, its share. ``at_least``: storage was asked for no more than these. ``since``: when the first of
    them was launched, in seconds since the epoch. ``examples``: the ids of the last ones launched.
    """

    total: int = 0
    by_priority: int = 0
    by_limit: int = 0
    at_least: bool = False
    since: float | None = None
    examples: tuple[str, ...] = ()
    starving: bool = False


def overtaken(run: Run, launched: Sequence[Run], *, now: float, limit: int) -> Overtaken:
    """What ``launched`` did to ``run``.

    Args:
        run: a queued run.
        launched: runs launched since some time not after it was enqueued, the last launched first; those that did not
            overtake it are left out here.
        now: seconds since the epoch.
        limit: how many were asked for: as many as that may not be all.
    """
    passed = [other for other in launched if _passed(run, other)]
    urgent = sum(other.priority > run.priority for other in passed)
    return Overtaken(
        total=len(passed),
        by_priority=urgent,
        by_limit=len(passed) - urgent,
        at_least=len(launched) >= limit,
        since=min((other.launched_at or 0.0 for other in passed), default=None),
        examples=tuple(other.run_id for other in passed[:EXAMPLES]),
        starving=is_starving(len(passed), now - _enqueued(run)),
    )


def is_starving(overtaken_by: int, waiting_seconds: float) -> bool:
    """Whether the list marks a run: overtaken by 5 runs or more and waiting for 5 minutes or more."""
    return overtaken_by >= OVERTAKEN_BY and waiting_seconds >= OVERTAKEN_FOR


def overtaken_message(job_name: str, priority: int, found: Overtaken) -> str:
    """``tile_cache_warm was overtaken by 9 runs, for its priority -1``."""
    least = "at least " if found.at_least else ""
    why = _why(priority, found)
    return f"{job_name} was overtaken by {least}{counted(found.total, 'run')}, {why}"


def earliest(runs: Sequence[Run]) -> Run | None:
    """Where to look for who overtook any of these queued runs: one of them, with the first time and the first number.

    The two may be those of different runs, as one clock is behind another, and runs enqueued together have one time.
    """
    if not runs:
        return None
    first = min(run.queue_seq or 0 for run in runs)
    return msgspec.structs.replace(runs[0], queued_at=min(map(_enqueued, runs)), queue_seq=first)


def _why(priority: int, found: Overtaken) -> str:
    if found.by_limit == 0:
        return f"for its priority {priority}"
    if found.by_priority == 0:
        return "while something held it back and not them"
    return f"{found.by_priority} of them for its priority {priority}, {found.by_limit} while it was held back"


def _passed(run: Run, other: Run) -> bool:
    later = (other.queue_seq or 0) > (run.queue_seq or 0)
    return later and other.launched_at is not None and other.launched_at >= _enqueued(run)


def _enqueued(run: Run) -> float:
    return run.created_at if run.queued_at is None else run.queued_at
