"""Records as the JSON that commands and HTTP answer with: the one place that decides names, times and nulls."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ..core.events import ErrorInfo, StoredEvent
from ..core.location import JobInfo, LocationRecord, ScheduleInfo, SensorInfo
from ..core.process import ProcessRecord
from ..core.run import Run, RunFailure
from ..core.tick import Evaluation, InstigatorState, InstigatorStatus, Tick
from .daemon_status import DaemonStatus
from .instigators import InstigatorView, Upcoming, is_running

Shape = dict[str, Any]


def iso(seconds: float | None) -> str | None:
    """Seconds since the epoch as ISO 8601 in UTC, microseconds included; None stays None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, tz=timezone.utc).isoformat(timespec="microseconds")


def run_shape(run: Run) -> Shape:
    return {
        "run_id": run.run_id,
        "job_name": run.job_name,
        "location": run.location_name,
        "status": run.status.value,
        "priority": run.priority,
        "tags": run.tags,
        "run_config": run.run_config,
        "attempt": run.attempt,
        "queue_seq": run.queue_seq,
        "launch_seq": run.launch_seq,
        "created_at": iso(run.created_at),
        "queued_at": iso(run.queued_at),
        "launched_at": iso(run.launched_at),
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "failure": failure_shape(run.failure),
        "held": held_shape(run),
        "parent_run_id": run.parent_run_id,
        "root_run_id": run.root_run_id,
        "resumes": run.resumes,
        "host_id": run.host_id,
        "pid": run.pid,
    }


def failure_shape(failure: RunFailure | None) -> Shape | None:
    if failure is None:
        return None
    return {
        "step_key": failure.step_key,
        "error_class": failure.error_class,
        "message": failure.message,
        "by_step": failure.by_step,
    }


def held_shape(run: Run) -> Shape | None:
    """Who holds a queued run back and why; None when nobody does."""
    return {"by": run.held_by, "reason": run.held_reason} if run.held else None


def error_shape(error: ErrorInfo | None) -> Shape | None:
    if error is None:
        return None
    return {
        "error_class": error.class_name,
        "message": error.message,
        "stack": list(error.stack),
        "library_frames": error.library_frames,
        "cause": error_shape(error.cause),
        "folded": [{"before": fold.before, "frames": list(fold.frames)} for fold in error.folded],
        "notes": list(error.notes),
        "members": [error_shape(member) for member in error.members],
    }


def event_shape(stored: StoredEvent) -> Shape:
    """``cursor`` is the place to read on from."""
    event = stored.event
    return {
        "cursor": stored.cursor.encode(),
        "run_id": event.run_id,
        "type": event.type.value,
        "timestamp": iso(event.timestamp),
        "attempt": event.attempt,
        "step_key": event.step_key,
        "level": event.level,
        "message": event.message,
        "data": event.data,
    }


def daemon_shape(status: DaemonStatus) -> Shape:
    last = status.last_pass
    return {
        "type": status.type.value,
        "state": status.state,
        "required": status.required,
        "why_off": status.why_off,
        "last_heartbeat": iso(status.last_heartbeat),
        "last_pass": {"at": iso(last.at), "seconds": last.seconds, "outcome": last.outcome} if last else None,
        "next_pass_at": iso(status.next_pass_at),
        "pass_since": iso(status.pass_since),
        "errors": [{"at": iso(e.at), "error_class": e.error_class, "message": e.message} for e in status.errors],
        "host": status.host,
        "pid": status.pid,
        "leader": status.leader,
        "standbys": [
            {"host": standby.host, "pid": standby.pid, "last_heartbeat": iso(standby.last_heartbeat)}
            for standby in status.standbys
        ],
    }


def process_shape(process: ProcessRecord) -> Shape:
    """``restart``: keys of the instance file that it takes only when it starts; ``problem``: why the file is no use."""
    return {
        "process_id": process.process_id,
        "command": process.command,
        "host": process.machine,
        "pid": process.pid,
        "started_at": iso(process.started_at),
        "address": process.address,
        "daemons": process.daemons,
        "home": process.home,
        "restart": list(process.settings.restart),
        "problem": process.settings.problem,
    }


def job_shape(job: JobInfo, location: str) -> Shape:
    return {
        "name": job.name,
        "location": location,
        "description": job.description,
        "tags": job.tags,
        "ops": [{"key": op.key, "op_name": op.op_name, "needs": list(op.needs), "pool": op.pool} for op in job.ops],
        "pools": sorted(job.pools.all),
    }


def location_shape(record: LocationRecord) -> Shape:
    definitions = record.definitions
    return {
        "name": record.name,
        "state": record.state.value,
        "source": record.source,
        "version": record.version,
        "updated_at": iso(record.updated_at),
        "error": error_shape(record.error),
        "start_method": record.start_method,
        "start_method_reason": record.start_method_reason,
        "host_id": record.host_id,
        "jobs": [job.name for job in definitions.jobs] if definitions else [],
        "schedules": [schedule.name for schedule in definitions.schedules] if definitions else [],
        "sensors": [sensor.name for sensor in definitions.sensors] if definitions else [],
        "problems": list(record.problems()),
    }


def instigator_shape(view: InstigatorView) -> Shape:
    """A schedule or sensor as a listing has it."""
    location = view.key.location_name
    if isinstance(view.info, ScheduleInfo):
        return schedule_shape(
            view.info, location, state=view.state, next_tick_at=view.next_tick, last_tick=view.last_tick
        )
    return sensor_shape(view.info, location, state=view.state, last_tick=view.last_tick)


def schedule_shape(
    info: ScheduleInfo,
    location: str,
    *,
    state: InstigatorState | None,
    next_tick_at: float | None = None,
    last_tick: Tick | None = None,
) -> Shape:
    return {
        **_instigator_shape(info, location, state=state, last_tick=last_tick),
        "cron_schedule": list(info.cron_schedule),
        "execution_timezone": info.execution_timezone,
        "next_tick_at": iso(next_tick_at),
    }


def sensor_shape(
    info: SensorInfo, location: str, *, state: InstigatorState | None, last_tick: Tick | None = None
) -> Shape:
    return {
        **_instigator_shape(info, location, state=state, last_tick=last_tick),
        "minimum_interval_seconds": info.minimum_interval_seconds,
        "cursor": state.cursor if state else None,
    }


def _instigator_shape(
    info: ScheduleInfo | SensorInfo, location: str, *, state: InstigatorState | None, last_tick: Tick | None
) -> Shape:
    return {
        "name": info.name,
        "location": location,
        "status": "RUNNING" if is_running(state, info) else "STOPPED",
        "declared_in_code": state is None or state.status is InstigatorStatus.DECLARED_IN_CODE,
        "job_names": list(info.job_names),
        "description": info.description,
        "tags": info.tags,
        "problem": info.problem,
        "last_tick": tick_shape(last_tick) if last_tick else None,
    }


def evaluation_shape(evaluation: Evaluation, upcoming: Upcoming | None = None) -> Shape:
    """What an evaluation asked for, before anything is committed; with the next ticks of a schedule."""
    times = {} if upcoming is None else {"next_ticks": [iso(time) for time in upcoming.times]}
    return {
        "status": evaluation.status.value,
        "runs": [
            {
                "job_name": asked.job_name,
                "run_key": asked.run_key,
                "run_config": asked.run_config,
                "tags": asked.tags,
                "warnings": list(asked.warnings),
            }
            for asked in evaluation.runs
        ],
        "skip_reason": evaluation.skip_reason,
        "cursor": evaluation.cursor,
        "error": error_shape(evaluation.error),
        "log": list(evaluation.log),
        "seconds": evaluation.seconds,
        **times,
    }


def tick_shape(tick: Tick) -> Shape:
    return {
        "tick_id": tick.tick_id,
        "kind": tick.key.kind,
        "location": tick.key.location_name,
        "name": tick.key.name,
        "time": iso(tick.time),
        "status": tick.status.value,
        "run_ids": list(tick.run_ids),
        "duplicate_run_keys": list(tick.duplicate_run_keys),
        "refused": list(tick.refused),
        "skip_reason": tick.skip_reason,
        "error": error_shape(tick.error),
        "cursor": tick.cursor,
        "failure_count": tick.consecutive_failures,
        "failing_since": iso(tick.failing_since),
        "failed_evaluations": tick.failure_count,
        "log": list(tick.log),
        "ended_at": iso(tick.ended_at),
    }
