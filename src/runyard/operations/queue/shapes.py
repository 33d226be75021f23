"""The queue, its reasons and its limits as the JSON that commands and HTTP answer with.

Times are ISO 8601 in UTC or null, durations are seconds. Every key below is always there.

entry (an element of ``GET /queue`` and ``runyard queue list``, and ``GET /queue/{id}``)::

    {run_id, job_name, location, tags, position, forecast_position, priority, queued_at, waiting_seconds,
     estimated_start, reason, overtaken}

    position null: held. forecast_position null: beyond the first 1,000, or it does not start until somebody acts
    (then reason.needs_action is true: "Will not start until someone acts").

reason::

    {kind, message, rule, limit, used, holders: [run_id…],
     holder_details: [{run_id, job_name, step_key, slots, since}…],     of the first 20 holders, oldest first
     ahead, ahead_is_most,        runs that wait for the same and start before it; is_most: no more than so many
     until,                       pause's end, next allowed launch, when a location is asked again
     pause,                       {scope, name, value, subject, by, reason, since, until, drain} or null
     needs_action}

overtaken::

    {total, at_least, by_priority, by_limit, since, examples: [run_id…], starving}

    Runs enqueued later that were launched while it waited: by_priority, theirs is higher; by_limit, it is not, so that
    something held this run back. at_least: there may be more. starving: at least 5 of them, and waiting for 5 minutes.

limit (an element of ``GET /limits``)::

    {rule, kind, limit, used, full, holders: [run_id…], holder_details: [as above], waiting, waiting_is_all,
     longest_wait, next_free, source, changed_by, changed_at, note}

    kind: as in reason. limit null: none. waiting counts the runs looked at whose reason it
    is; waiting_is_all false: there are more queued than were looked at. source: "file" or "changed".
    note: a sentence where it matches nothing that is known, else null.

alternative (an element of ``sooner``, which ``GET /queue/{id}`` has beside the keys of an entry; none where nothing is
forecast), the first one is how things are (kind ``now``)::

    {kind: now|priority|limit|cancel, title, message, position, estimated_start, saves, priority, rule, limit, run_id}

summary (``GET /queue/summary``)::

    {depth, held, oldest_wait, started_last_hour, daemon_alive,
     estimate_error: {seconds, share, samples, message} or null,        message: "usually off by 40 s (last 120 …)"
     starvation: [{kind: held_long|overtaken, message, rule, since, starves: [run_id…], by: [run_id…]}…]}
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...core.bounds import NAME
from ...core.run import Run, RunStatus
from ...core.text import shortened
from ...queue.explanation.entries import Alternative, LimitUse, QueueEntry, QueueSummary, Starvation
from ...queue.explanation.estimates import EstimateError
from ...queue.explanation.overtaking import Overtaken
from ...queue.explanation.reasons import Holder, Reason
from ...queue.pauses import pause_name
from ...queue.pool_wait import PoolWait
from ...queue.rules import Pause
from ..shapes import Shape, iso


def queue_entry_shape(entry: QueueEntry) -> Shape:
    return {
        "run_id": entry.run_id,
        "job_name": entry.job_name,
        "location": entry.location_name,
        "tags": entry.tags,
        "position": entry.position,
        "forecast_position": entry.forecast_position,
        "priority": entry.priority,
        "queued_at": iso(entry.queued_at),
        "waiting_seconds": entry.waiting_seconds,
        "estimated_start": iso(entry.estimated_start),
        "reason": reason_shape(entry.reason),
        "overtaken": overtaken_shape(entry.overtaken),
    }


_NOT_QUEUED = {
    RunStatus.NOT_STARTED: "Not queued: it was never submitted to the queue",
    RunStatus.STARTING: "Not queued: its worker is being started",
    RunStatus.STARTED: "Not queued: it runs",
    RunStatus.CANCELING: "Not queued: it is being canceled",
    RunStatus.SUCCESS: "Not queued: it has succeeded",
    RunStatus.FAILURE: "Not queued: it has failed",
    RunStatus.CANCELED: "Not queued: it was canceled",
    RunStatus.QUEUED: "It has just been queued: ask again",
}


def explained_shape(entry: QueueEntry, sooner: Iterable[Alternative]) -> Shape:
    """One entry with what would start it sooner. No step of a queued run waits."""
    alternatives = [alternative_shape(alternative) for alternative in sooner]
    return queue_entry_shape(entry) | {"sooner": alternatives, "steps_waiting": []}


def unqueued_shape(run: Run, waits: Sequence[PoolWait], *, now: float) -> Shape:
    """A run without a queue entry, explained by its status (``reason.kind`` ``status``) as in ``explained_shape``.

    ``steps_waiting``: the steps of a running one that wait for slots of a pool, and why.
    """
    return {
        "run_id": run.run_id,
        "job_name": run.job_name,
        "location": run.location_name,
        "tags": run.tags,
        "position": None,
        "forecast_position": None,
        "priority": run.priority,
        "queued_at": iso(run.queued_at),
        "waiting_seconds": None,
        "estimated_start": None,
        "reason": reason_shape(Reason(kind="next", message=_NOT_QUEUED[run.status])) | {"kind": "status"},
        "overtaken": overtaken_shape(Overtaken()),
        "sooner": [],
        "steps_waiting": [
            {"step_key": wait.step_key, "pool": wait.pool, "slots": wait.slots, "message": wait.message(now)}
            for wait in waits
        ],
    }


def reason_shape(reason: Reason) -> Shape:
    return {
        "kind": reason.kind,
        "message": reason.message,
        "rule": reason.rule,
        "limit": reason.limit,
        "used": reason.used,
        "holders": list(reason.holders),
        "holder_details": [holder_shape(holder) for holder in reason.holder_details],
        "ahead": reason.ahead,
        "ahead_is_most": reason.ahead_is_most,
        "until": iso(reason.until),
        "pause": paused_shape(reason.pause) if reason.pause else None,
        "needs_action": reason.needs_action,
    }


def holder_shape(holder: Holder) -> Shape:
    return {
        "run_id": holder.run_id,
        "job_name": holder.job_name,
        "step_key": holder.step_key,
        "slots": holder.slots,
        "since": iso(holder.since),
    }


def paused_shape(pause: Pause) -> Shape:
    """A pause as a reason names it: who waits for it counts no runs."""
    return {
        "scope": pause.scope,
        "name": pause.name,
        "value": pause.value,
        "subject": pause_name(*pause.subject),
        "by": pause.by,
        "reason": pause.reason,
        "since": iso(pause.since),
        "until": iso(pause.until),
        "drain": pause.drain,
    }


def overtaken_shape(overtaken: Overtaken) -> Shape:
    return {
        "total": overtaken.total,
        "at_least": overtaken.at_least,
        "by_priority": overtaken.by_priority,
        "by_limit": overtaken.by_limit,
        "since": iso(overtaken.since),
        "examples": list(overtaken.examples),
        "starving": overtaken.starving,
    }


def limit_shape(use: LimitUse, note: str | None = None) -> Shape:
    return {
        "rule": shortened(use.rule, NAME + len("pool ")),
        "kind": use.kind,
        "limit": use.limit,
        "used": use.used,
        "full": use.limit is not None and use.used >= use.limit,
        "holders": list(use.holders),
        "holder_details": [holder_shape(holder) for holder in use.holder_details],
        "waiting": use.waiting,
        "waiting_is_all": use.waiting_is_all,
        "longest_wait": use.longest_wait,
        "next_free": iso(use.next_free),
        "source": "file" if use.changed_by is None else "changed",
        "changed_by": use.changed_by,
        "changed_at": iso(use.changed_at),
        "note": note,
    }


def alternative_shape(alternative: Alternative) -> Shape:
    return {
        "kind": alternative.kind,
        "title": alternative.title,
        "message": alternative.message,
        "position": alternative.position,
        "estimated_start": iso(alternative.estimated_start),
        "saves": alternative.saves,
        "priority": alternative.priority,
        "rule": alternative.rule,
        "limit": alternative.limit,
        "run_id": alternative.run_id,
    }


def summary_shape(summary: QueueSummary) -> Shape:
    return {
        "depth": summary.depth,
        "held": summary.held,
        "oldest_wait": summary.oldest_wait,
        "started_last_hour": summary.started_last_hour,
        "daemon_alive": summary.daemon_alive,
        "estimate_error": error_shape(summary.estimate_error),
        "starvation": [starvation_shape(line) for line in summary.starvation],
    }


def error_shape(error: EstimateError | None) -> Shape | None:
    if error is None:
        return None
    return {"seconds": error.seconds, "share": error.share, "samples": error.samples, "message": error.message}


def starvation_shape(line: Starvation) -> Shape:
    return {
        "kind": line.kind,
        "message": line.message,
        "rule": line.rule,
        "since": iso(line.since),
        "starves": list(line.starves),
        "by": list(line.by),
    }
