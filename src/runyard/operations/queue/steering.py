"""What a person does to queued runs, to one or to all that match: another priority, hold, release, cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ...core.clock import Clock
from ...core.errors import WrongState
from ...core.queue import QueueFilter, Steered, Steering
from ...core.run import Run, RunStatus
from ...core.tag_text import spell_tag
from ...core.tags import PRIORITY, normalise, parse_priority
from ...core.text import counted
from ...storage.protocols import Limits, Queue, Runs, Wakeups
from ..cancel import CANCEL_TOPIC
from ..find_run import find_run

#: Runs that one transaction changes at most; between two, other writers have their turn.
BATCH = 1000


class SteeringStores(Protocol):
    runs: Runs
    queue: Queue
    limits: Limits
    wakeups: Wakeups


def checked_priority(priority: object) -> int:
    """An integer, or text that is one.

    Raises:
        InvalidTag: ``priority`` is not a whole number of 32 bits.
    """
    return parse_priority(normalise({PRIORITY: priority}))


def set_priority(stores: SteeringStores, run_id: str, priority: object, *, by: str, clock: Clock) -> Run:
    """Give a queued run another priority: an integer, or text that is one.

    Raises:
        InvalidTag: ``priority`` is not a whole number.
        WrongState: the run is not queued.
    """
    steering = Steering(action="priority", by=by, priority=checked_priority(priority))
    return steer_one(stores, run_id, steering, clock=clock)


def hold(stores: SteeringStores, run_id: str, *, by: str, reason: str = "", clock: Clock) -> Run:
    """Keep a queued run from starting until it is released."""
    return steer_one(stores, run_id, Steering(action="hold", by=by, reason=reason), clock=clock)


def release(stores: SteeringStores, run_id: str, *, by: str, clock: Clock) -> Run:
    """Let a held run take its place in the queue again."""
    return steer_one(stores, run_id, Steering(action="release", by=by), clock=clock)


def steer_one(stores: SteeringStores, run_id: str, steering: Steering, *, clock: Clock) -> Run:
    """Do it to one run, found by id or prefix; one that is so already is returned as it is.

    Raises:
        RunNotFound: no such run.
        WrongState: it is not queued.
    """
    run = find_run(stores.runs, run_id)
    where = QueueFilter(run_ids=(run.run_id,))
    steered = stores.queue.steer(where, steering, now=clock.now())
    now_is = find_run(stores.runs, run.run_id)
    if not steered.changed:
        so_already = RunStatus.CANCELED if steering.action == "cancel" else RunStatus.QUEUED
        if now_is.status is not so_already:
            raise WrongState(f"Run {run.run_id[:8]} is not queued: it is {now_is.status.value}.")
        return now_is
    _note(stores, steering, f"run {run.run_id[:8]}", f"{_what(steering)}: run {run.run_id} of '{run.job_name}'", clock)
    _wake(stores, steering)
    return now_is


def steer_some(
    stores: SteeringStores, where: QueueFilter, steering: Steering, *, clock: Clock, after: int | None = None
) -> Steered:
    """Do the same to the next queued runs that match, at most ``BATCH`` of them; ``after`` as the call before gave it.

    The first call, without ``after``, leaves the audit entry: what was begun is on record though it be cut short.
    """
    if after is None and (matching := stores.queue.depth(where)):
        message = f"{_what(steering)}: {counted(matching, 'queued run')}, {filter_text(where)}"
        _note(stores, steering, filter_text(where), message, clock)
    steered = stores.queue.steer(where, steering, now=clock.now(), after=after, limit=BATCH)
    if steered.changed:
        _wake(stores, steering)
    return steered


def steer_all(
    stores: SteeringStores,
    where: QueueFilter,
    steering: Steering,
    *,
    clock: Clock,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Do the same to every queued run that matches, a batch a transaction; returns how many changed.

    ``progress`` is called after each batch with how many have changed so far.
    """
    steered = steer_some(stores, where, steering, clock=clock)
    changed = len(steered.changed)
    progress(changed)
    while steered.after is not None:
        steered = steer_some(stores, where, steering, clock=clock, after=steered.after)
        changed += len(steered.changed)
        progress(changed)
    return changed


def filter_text(where: QueueFilter) -> str:
    """``job etl, team=docs, held``; ``all`` for a filter that does not restrict."""
    parts = [f"run {run_id[:8]}" for run_id in where.run_ids]
    parts += [f"job {where.job_name}"] if where.job_name is not None else []
    parts += [f"location {where.location_name}"] if where.location_name is not None else []
    parts += [spell_tag(key, value) for key, value in sorted(where.tags.items())]
    parts += [f"priority {where.priority}"] if where.priority is not None else []
    parts += ["held" if where.held else "not held"] if where.held is not None else []
    return ", ".join(parts) or "all"


def _what(steering: Steering) -> str:
    if steering.action == "priority":
        return f"priority {steering.priority}"
    return f"{steering.action} ({steering.reason})" if steering.reason else steering.action


def _note(stores: SteeringStores, steering: Steering, subject: str, message: str, clock: Clock) -> None:
    stores.limits.note(action=steering.action, subject=subject, message=message, by=steering.by, now=clock.now())


def _wake(stores: SteeringStores, steering: Steering) -> None:
    topics = ("queue", CANCEL_TOPIC, "runs") if steering.action == "cancel" else ("queue",)
    for topic in topics:
        stores.wakeups.poke(topic)
