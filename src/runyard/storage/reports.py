"""What workers say, many runs in one transaction: the path that every event of user code takes.

The runs' rows are locked first, so what a report does is decided in plain code and written in four statements,
however many runs and events there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ..core.launch import RunEnd, WorkerReport
from ..core.run import FINISHED, RunFailure, RunStatus
from ..core.step import STEP_ENDS, without_retry
from ..core.transitions import sources_of, transition
from .database import Database
from .journal import ChangeRow, changes_of, status_event
from .pool_holders import give_back
from .pool_line import StepTry
from .retries import Failed, prepare_retries, retry_failed
from .rows import decode_failure, event_row, text
from .schema import events, pool_holders, pool_waiters, queue_changes, runs
from .stored_rules import StoredRules

# A step that ends has held its slots since before the worker said so: what is seen before the row is locked will do.
_IN_POOLS = sa.or_(*(sa.exists().where(table.c.run_id == runs.c.run_id) for table in (pool_holders, pool_waiters)))
_STATE = (
    sa.select(
        *(
            runs.c[name]
            for name in ["run_id", "status", "attempt", "began_attempt", "ended_attempt", "launch_token", "lane"]
        ),
        *(runs.c[name] for name in ["started_at", "ended_at", "failure", "stop_failure", "host_id", "pid"]),
        _IN_POOLS.label("in_pools"),
    )
    .where(runs.c.run_id.in_(sa.bindparam("run_ids", expanding=True)))
    # Every batch locks in the same order, so that two of them never wait for each other.
    .order_by(runs.c.run_id)
    .with_for_update(of=runs)
)
_SAID = sa.select(events.c.run_id, events.c.attempt, events.c.seq).where(
    *(events.c[name].in_(sa.bindparam(name, expanding=True)) for name in ["run_id", "attempt", "seq"]),
    sa.text("seq IS NOT NULL"),
)
_CHANGED = ["status", "began_attempt", "ended_attempt", "started_at", "ended_at", "failure", "stop_failure"]
_CHANGED += ["host_id", "pid"]
_UPDATE = (
    sa.update(runs)
    .where(
        runs.c.run_id == sa.bindparam("key_run_id"),
        runs.c.attempt == sa.bindparam("key_attempt"),
        runs.c.status == sa.bindparam("key_status"),
    )
    .values({name: sa.bindparam(f"new_{name}") for name in _CHANGED})
)

#: A run that was stopped for a reason of ours fails where its worker says that it was canceled.
_FAILING = (RunStatus.FAILURE, RunStatus.CANCELED)


class _State(msgspec.Struct):
    """A run's row while a batch is applied to it; ``stored_status`` is what the database has."""

    run_id: str
    status: RunStatus
    attempt: int
    began_attempt: int
    ended_attempt: int
    launch_token: str | None
    lane: str | None
    started_at: float | None
    ended_at: float | None
    failure: str | None
    stop_failure: str | None
    host_id: str | None
    pid: int | None
    #: Steps of it hold slots of pools, or wait for some.
    in_pools: bool
    stored_status: RunStatus = RunStatus.NOT_STARTED
    changed: bool = False


class _Batch:
    """What a transaction of reports will write."""

    def __init__(self, states: dict[str, _State], now: float) -> None:
        self.states = states
        self.now = now
        self.events: list[dict[str, Any]] = []
        self.changes: list[ChangeRow] = []
        self.step_ends: list[tuple[StepTry, int | None]] = []
        self.failed: dict[str, Failed] = {}

    def apply(self, report: WorkerReport) -> bool:
        state = self.states.get(report.run_id)
        if state is None or not _still_wanted(state, report):
            return False
        when = report.timestamp or self.now
        if report.begin is not None and state.began_attempt != report.attempt:
            self._begin(state, report, when)
        # A cancel that is committed before the failure decides, whether or not the worker had heard of it.
        said = map(without_retry, report.events) if state.status is RunStatus.CANCELING else report.events
        self.events.extend(event_row(event, run_id=state.run_id, attempt=state.attempt) for event in said)
        if state.in_pools:
            self._note_step_ends(state, report)
        if report.end is not None and state.status in sources_of(report.end.status):
            self._end(state, report.end, when)
        return True

    def _note_step_ends(self, state: _State, report: WorkerReport) -> None:
        for event in report.events:
            if event.type in STEP_ENDS and event.step_key is not None:
                self.step_ends.append((StepTry(state.run_id, event.step_key, state.attempt), event.seq))

    def _begin(self, state: _State, report: WorkerReport, when: float) -> None:
        self._move(state, RunStatus.STARTED, when, f"Started in process {report.pid}." if report.pid else "Started.")
        state.began_attempt = state.attempt
        # A run that is resumed goes on: its runtime counts from its first start.
        state.started_at = when if state.started_at is None else state.started_at
        state.pid = report.pid if report.pid is not None else state.pid
        state.host_id = report.host_id or state.host_id

    def _end(self, state: _State, end: RunEnd, when: float) -> None:
        status, failure, message = end.status, None, end.message or _said(end)
        canceled = state.status is RunStatus.CANCELING and state.stop_failure is None
        if status is RunStatus.FAILURE:
            failure = end.failure or RunFailure("Failure", end.message or "The worker gave no reason.")
        elif status is RunStatus.CANCELED and state.stop_failure is not None:
            failure = decode_failure(state.stop_failure)
            status, message = RunStatus.FAILURE, failure.message
        self._move(state, status, when, message, failure)
        state.ended_attempt, state.ended_at = state.attempt, max(when, state.started_at or when)
        state.failure, state.stop_failure = None if failure is None else text(failure), None
        if failure is not None:
            self.failed[state.run_id] = Failed(failure, end.pools_left, canceled)

    def _move(
        self, state: _State, target: RunStatus, when: float, message: str, failure: RunFailure | None = None
    ) -> None:
        kind = transition(state.status, target).event
        event = status_event(state.run_id, kind, when, attempt=state.attempt, message=message, failure=failure)
        self.events.append(event_row(event))
        self.changes.extend(changes_of(state.run_id, state.lane, state.status, target))
        state.status, state.changed = target, True


def _still_wanted(state: _State, report: WorkerReport) -> bool:
    """False when this attempt was given up on, or never was the one that the token was made for."""
    if state.attempt != report.attempt:
        return False
    if report.begin is not None and not _may_begin(state, report):
        return False
    # Finished by somebody else's verdict; by its own word, this is a repetition.
    return state.status not in FINISHED or state.ended_attempt == report.attempt


def _may_begin(state: _State, report: WorkerReport) -> bool:
    """The token is good for one process: a repetition is taken from the one that began with it, and no other."""
    if state.launch_token != report.begin:
        return False
    if state.began_attempt == report.attempt:
        return state.pid == report.pid
    return state.status is RunStatus.STARTING


def _said(end: RunEnd) -> str:
    if end.failure is not None:
        return f"{end.failure.error_class}: {end.failure.message}"
    return {RunStatus.SUCCESS: "Finished.", RunStatus.CANCELED: "Canceled."}.get(end.status, "Failed.")


def apply_reports(
    database: Database,
    stored_rules: StoredRules,
    connection: sa.Connection,
    reports: Sequence[WorkerReport],
    now: float,
) -> list[bool]:
    """Commit ``reports`` in order; per report whether it was accepted (see ``Runs.report``)."""
    may_fail = [report.run_id for report in reports if report.end is not None and report.end.status in _FAILING]
    retrying = prepare_retries(database, stored_rules, connection, may_fail) if may_fail else None
    batch = _Batch(_states(connection, reports), now)
    accepted = [batch.apply(report) for report in reports]
    updates = [_update(state) for state in batch.states.values() if state.changed]
    if updates:
        connection.execute(_UPDATE, updates)
    ended = [state.run_id for state in batch.states.values() if state.changed and state.status in FINISHED]
    steps = _newly_ended(connection, batch.step_ends)
    if ended or steps:
        give_back(database, connection, run_ids=ended, steps=steps, now=now)
    database.insert_all(connection, events, batch.events, ignore_conflicts=True)
    database.insert_all(connection, queue_changes, batch.changes)
    if retrying is not None:
        retry_failed(database, connection, retrying, batch.failed, now)
    return accepted


def _newly_ended(connection: sa.Connection, ends: Sequence[tuple[StepTry, int | None]]) -> list[StepTry]:
    """Without those that were told before: the step may hold slots for its next try by now."""
    if not ends:
        return []
    numbered = [(step, seq) for step, seq in ends if seq is not None]
    asked = {
        "run_id": sorted({step.run_id for step, _ in numbered}),
        "attempt": sorted({step.attempt for step, _ in numbered}),
        "seq": sorted({seq for _, seq in numbered}),
    }
    said = {tuple(row) for row in connection.execute(_SAID, asked)} if numbered else set()
    return sorted({step for step, seq in ends if (step.run_id, step.attempt, seq) not in said})


def _states(connection: sa.Connection, reports: Sequence[WorkerReport]) -> dict[str, _State]:
    found = connection.execute(_STATE, {"run_ids": sorted({report.run_id for report in reports})})
    states = {}
    for row in found.mappings():
        status = RunStatus(row["status"])
        values: dict[str, Any] = dict(row)
        states[row["run_id"]] = _State(
            **(values | {"status": status, "stored_status": status, "in_pools": bool(row["in_pools"])})
        )
    return states


def _update(state: _State) -> dict[str, Any]:
    row: dict[str, Any] = {f"new_{name}": getattr(state, name) for name in _CHANGED}
    row["new_status"] = state.status.value
    row["key_run_id"], row["key_attempt"] = state.run_id, state.attempt
    row["key_status"] = state.stored_status.value
    return row
