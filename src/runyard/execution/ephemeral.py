"""An instance in memory, for ``execute_in_process`` and tests of schedules and sensors."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone

from ..core.clock import Clock, SystemClock
from ..core.run import RunStatus
from ..definitions.records import DagsterRun, RunRecord, RunsFilter


class EphemeralInstance:
    """Remembers the runs that were executed in this process with it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._records: dict[str, RunRecord] = {}
        self._ids = itertools.count(1)

    def begin(self, run: DagsterRun) -> None:
        """Note that ``run`` has started."""
        now = self._clock.now()
        time = datetime.fromtimestamp(now, timezone.utc)
        self._records[run.run_id] = RunRecord(run, time, time, now, None, next(self._ids))

    def end(self, run_id: str, status: RunStatus) -> None:
        """Note how the run ended."""
        record, now = self._records[run_id], self._clock.now()
        self._records[run_id] = replace(
            record,
            dagster_run=replace(record.dagster_run, status=status),
            update_timestamp=datetime.fromtimestamp(now, timezone.utc),
            end_time=now,
        )

    def get_run_by_id(self, run_id: str) -> DagsterRun | None:
        record = self._records.get(run_id)
        return record.dagster_run if record else None

    def get_runs(
        self, filters: RunsFilter | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Sequence[DagsterRun]:
        return [record.dagster_run for record in self.get_run_records(filters, limit, cursor=cursor)]

    def get_run_records(
        self, filters: RunsFilter | None = None, limit: int | None = None, *, cursor: str | None = None
    ) -> Sequence[RunRecord]:
        newest_first = sorted(self._records.values(), key=lambda record: -record.storage_id)
        below = self._records[cursor].storage_id if cursor else None
        found = [
            record
            for record in newest_first
            if (below is None or record.storage_id < below) and (filters is None or filters.matches(record))
        ]
        return found[:limit]

    def get_runs_count(self, filters: RunsFilter | None = None) -> int:
        return len(self.get_run_records(filters))
