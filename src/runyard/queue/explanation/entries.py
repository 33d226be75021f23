"""What is told about the queue: records without behaviour. Times are seconds since the epoch."""

from __future__ import annotations

from typing import Literal

import msgspec

from .estimates import EstimateError
from .overtaking import Overtaken
from .reasons import Holder, Reason


class QueueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A queued run as the queue's page and ``runyard queue list`` show it."""

    run_id: str
    job_name: str
    location_name: str
    tags: dict[str, str]
    #: Rank by priority, then by order of arrival, among the runs that are not held; None for a held one.
    position: int | None
    #: Rank by forecast start; None beyond the first 1,000 and for runs that do not start until somebody acts.
    forecast_position: int | None
    priority: int
    queued_at: float | None
    waiting_seconds: float
    estimated_start: float | None
    reason: Reason
    overtaken: Overtaken = Overtaken()


#: As the kinds of reasons.
LimitKind = Literal[
    "max_concurrent_runs", "tag_limit", "pool", "rate_limit", "overlap", "launcher_capacity", "fair_share"
]


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """A limit, who uses it, and who waits for it before anything else.

    ``limit`` None: the pool has none. ``used`` counts slots, of a rate the launches within its period, of a share the
    slots of its value. ``waiting`` counts runs among those that were looked at, and ``waiting_is_all`` says whether
    these are all that are queued. ``next_free``: when the next slot is expected to come free, None when it is not known
    or one is free now. ``changed_by`` and ``changed_at``: who set it in place of the instance file's; None: the file.
    """

    rule: str
    kind: LimitKind
    limit: float | None
    used: float
    holders: tuple[str, ...] = ()
    holder_details: tuple[Holder, ...] = ()
    waiting: int = 0
    waiting_is_all: bool = True
    longest_wait: float | None = None
    next_free: float | None = None
    changed_by: str | None = None
    changed_at: float | None = None


AlternativeKind = Literal["now", "priority", "limit", "cancel"]


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """What starts a run when something is changed: ``now`` (nothing is), ``priority``, ``limit`` or ``cancel``.

    ``priority``, ``limit`` and ``run_id`` are the value to set, with ``rule`` the limit's name, and the run to cancel.
    ``position`` is the run's place in the order of starts, None when it would not start; ``saves`` how many seconds
    earlier than as things are.
    """

    kind: AlternativeKind
    title: str
    message: str
    position: int | None
    estimated_start: float | None
    saves: float | None = None
    priority: int | None = None
    rule: str | None = None
    limit: int | None = None
    run_id: str | None = None


class Starvation(msgspec.Struct, frozen=True, kw_only=True):
    """One line of "who starves whom". ``starves`` are the runs that wait, ``by`` those that they wait for."""

    kind: Literal["held_long", "overtaken"]
    message: str
    rule: str | None = None
    since: float | None = None
    starves: tuple[str, ...] = ()
    by: tuple[str, ...] = ()


class QueueSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The queue in numbers, and what its first page shows of starvation; ``oldest_wait`` leaves held runs out."""

    depth: int
    held: int
    oldest_wait: float | None
    started_last_hour: int
    estimate_error: EstimateError | None = None
    starvation: tuple[Starvation, ...] = ()
    daemon_alive: bool = True
