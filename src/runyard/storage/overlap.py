"""Overlap policies, enforced where runs are inserted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from ..core.errors import OverlapRefused
from ..core.run import ACTIVE, NewRun, Run, RunStatus
from ..queue.lanes import lane_prefix
from ..queue.overlap import cancels, overlap_rule, refusal
from ..queue.rules import OverlapRule, Rules
from .database import Database
from .rows import text
from .run_status import change_status, lock_run
from .schema import IS_ACTIVE

#: Runs of a job that are looked at, and that one new run cancels: a rule may come when there are many already.
MOST = 1000
_LAST_CHARACTER = "\U0010ffff"
# ruff: noqa: S608  the statement is put together from these constants
_INDEXES = ("runs_waiting_by_lane", "runs_held_in_order", "runs_active_by_lane_version")
# SQLite keeps no statistics here: it would walk the whole queue, or all that the job ever ran.
_TABLES = {"postgres": ("runs",) * 3, "sqlite": tuple(f"runs INDEXED BY {name}" for name in _INDEXES)}
_OTHERS = {
    kind: sa.text(
        f"""
        SELECT run_id, status FROM {active} WHERE {IS_ACTIVE.text} AND {{same}}
        UNION ALL
        SELECT run_id, status FROM {waiting} WHERE status = 'QUEUED' AND held = 0 AND lane >= :first AND lane < :last
        UNION ALL
        SELECT run_id, status FROM {held} WHERE status = 'QUEUED' AND held = 1 AND {{same}}
        LIMIT :most
        """.format(same="job_name = :job AND location_name = :location")
    )
    for kind, (waiting, held, active) in _TABLES.items()
}
# Ends with the transaction. Jobs that meet in the hash only wait for each other.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || %s, 0))"


class Overlaps(NamedTuple):
    """What the overlap policies make of new runs."""

    wanted: list[NewRun]
    #: By run id.
    refused: dict[str, OverlapRefused]
    #: Runs that are to be canceled once the new ones are there, each with the one that takes its place.
    replaced: dict[str, str]


def settle_overlaps(database: Database, connection: sa.Connection, rules: Rules, new: Sequence[NewRun]) -> Overlaps:
    """Decide about runs that are to be queued, in order, each after those before it.

    Until the transaction ends, nobody else inserts runs of the jobs concerned.
    """
    jobs = {job: rule for job in sorted({_job(run) for run in new}) if (rule := _rule(rules, job)) is not None}
    if not jobs:
        return Overlaps(list(new), {}, {})
    found = Overlaps([], {}, {})
    lines = {job: _Line(database, connection, job, rule) for job, rule in jobs.items()}
    for run in new:
        line = lines.get(_job(run))
        refused = None if line is None else line.add(run, found.replaced)
        if refused is None:
            found.wanted.append(run)
        else:
            found.refused[run.run_id] = refused
    return found


def lock_jobs(database: Database, connection: sa.Connection, rules: Rules, jobs: Iterable[tuple[str, str]]) -> None:
    """Keep others from inserting runs of those of the jobs that have an overlap policy, until the transaction ends."""
    for job in sorted(set(jobs)):
        if _rule(rules, job) is not None:
            _lock_job(database, connection, job)


def _lock_job(database: Database, connection: sa.Connection, job: tuple[str, str]) -> None:
    if database.kind == "postgres":
        connection.exec_driver_sql(_LOCK, (text(job),))


def cancel_replaced(
    database: Database, connection: sa.Connection, overlaps: Overlaps, added: Iterable[Run], now: float
) -> list[Run]:
    """Cancel what the inserted runs take the place of; the inserted ones as they are then.

    Those that were active are CANCELING: whoever watches for canceled runs has to be woken.
    """
    changed = {}
    # In the order in which reports and claims lock runs.
    for run_id, successor in sorted(overlaps.replaced.items()):
        run = lock_run(connection, run_id)
        target = None if run is None else _ENDS.get(run.status)
        if run is not None and target is not None:
            message = f"Canceled by its overlap policy 'cancel_old': run {successor[:8]} takes its place."
            changed[run_id] = change_status(
                database, connection, run_id, target, expected=(run.status,), now=now, message=message
            )
    return [changed.get(run.run_id) or run for run in added]


_ENDS = {
    RunStatus.QUEUED: RunStatus.CANCELED,
    RunStatus.STARTING: RunStatus.CANCELING,
    RunStatus.STARTED: RunStatus.CANCELING,
}


class _Line:
    """A job's queued and active runs, as new ones come."""

    def __init__(self, database: Database, connection: sa.Connection, job: tuple[str, str], rule: OverlapRule) -> None:
        self._rule = rule
        location, name = job
        _lock_job(database, connection, job)
        first = lane_prefix(location_name=location, job_name=name)
        values = {"first": first, "last": first + _LAST_CHARACTER, "job": name, "location": location, "most": MOST}
        others = connection.execute(_OTHERS[database.kind], values).all()
        self._active = [run_id for run_id, status in others if RunStatus(status) in ACTIVE]
        self._queued = [run_id for run_id, status in others if RunStatus(status) is RunStatus.QUEUED]

    def add(self, run: NewRun, replaced: dict[str, str]) -> OverlapRefused | None:
        reason = refusal(self._rule, queued=len(self._queued), active=len(self._active))
        if reason is not None:
            return OverlapRefused(run.job_name, self._rule.policy, reason)
        if cancels(self._rule):
            replaced.update(dict.fromkeys([*self._queued, *self._active], run.run_id))
            self._queued, self._active = [], []
        self._queued.append(run.run_id)
        return None


def _job(run: NewRun) -> tuple[str, str]:
    return (run.location_name, run.job_name)


def _rule(rules: Rules, job: tuple[str, str]) -> OverlapRule | None:
    location, name = job
    rule = overlap_rule(rules.overlaps, job_name=name, location_name=location)
    return rule if rule is not None and (rule.policy != "allow" or rule.max_queued is not None) else None
