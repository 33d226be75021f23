"""Runs as user code sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ..core.run import FINISHED, Run, RunStatus
from ..core.tags import PARENT_RUN_ID, ROOT_RUN_ID


@dataclass(frozen=True)
class DagsterRun:
    """A run."""

    job_name: str
    run_id: str
    run_config: Mapping[str, Any] = field(default_factory=dict)
    status: RunStatus = RunStatus.NOT_STARTED
    tags: Mapping[str, str] = field(default_factory=dict)
    root_run_id: str | None = None
    parent_run_id: str | None = None

    @classmethod
    def of(cls, run: Run) -> DagsterRun:
        """The run as storage has it."""
        return cls(
            run.job_name,
            run.run_id,
            run.run_config,
            run.status,
            run.tags,
            run.root_run_id or run.tags.get(ROOT_RUN_ID),
            run.parent_run_id or run.tags.get(PARENT_RUN_ID),
        )

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def is_success(self) -> bool:
        return self.status is RunStatus.SUCCESS

    @property
    def is_failure(self) -> bool:
        return self.status is RunStatus.FAILURE

    @property
    def is_failure_or_canceled(self) -> bool:
        return self.status in (RunStatus.FAILURE, RunStatus.CANCELED)

    @property
    def is_cancelable(self) -> bool:
        return self.status in (RunStatus.QUEUED, RunStatus.STARTING, RunStatus.STARTED)


@dataclass(frozen=True)
class RunRecord:
    """A run with its times: datetimes in UTC, ``start_time`` and ``end_time`` in seconds since the epoch."""

    dagster_run: DagsterRun
    create_timestamp: datetime
    update_timestamp: datetime
    start_time: float | None = None
    end_time: float | None = None
    storage_id: int = 0

    @classmethod
    def of(cls, run: Run) -> RunRecord:
        """The run as storage has it."""
        times = (run.created_at, run.queued_at, run.launched_at, run.started_at, run.ended_at)
        return cls(
            DagsterRun.of(run),
            datetime.fromtimestamp(run.created_at, timezone.utc),
            datetime.fromtimestamp(max(time for time in times if time is not None), timezone.utc),
            run.started_at,
            run.ended_at,
            run.queue_seq or 0,
        )


@dataclass(frozen=True)
class RunsFilter:
    """Which runs; what is None does not restrict. A tag's value may be a list of those that fit."""

    run_ids: Sequence[str] | None = None
    job_name: str | None = None
    statuses: Sequence[RunStatus] | None = None
    tags: Mapping[str, str | Sequence[str]] | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None

    def matches(self, record: RunRecord) -> bool:
        """Whether the run is one of those asked for."""
        run = record.dagster_run
        return (
            (not self.run_ids or run.run_id in self.run_ids)
            and (self.job_name is None or run.job_name == self.job_name)
            and (not self.statuses or run.status in self.statuses)
            and all(_tag_fits(run.tags.get(key), wanted) for key, wanted in (self.tags or {}).items())
            and _between(record.create_timestamp, self.created_after, self.created_before)
            and _between(record.update_timestamp, self.updated_after, self.updated_before)
        )


def _tag_fits(value: str | None, wanted: str | Sequence[str]) -> bool:
    return value == wanted if isinstance(wanted, str) else value in wanted


def _between(time: datetime, after: datetime | None, before: datetime | None) -> bool:
    return (after is None or time > _aware(after)) and (before is None or time < _aware(before))


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)
