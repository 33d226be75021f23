"""Cancel many runs: those that wait at once, a batch a transaction; those that run are told to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from ..core.clock import Clock
from ..core.errors import RunNotFound, WrongState
from ..core.queue import QueueFilter, Steering
from ..core.run import Run, RunStatus
from ..core.text import counted
from ..storage.protocols import Limits, Queue, Runs, RunsFilter, Wakeups
from .cancel import is_canceled, poke, told_to_stop
from .find_run import find_run
from .queue.steering import filter_text

#: Runs that one transaction or question deals with at most; between two, other writers have their turn.
BATCH = 1000
#: In this order, so that a run which starts, or is stopped for its run time, meanwhile is met again.
_STATUSES = (RunStatus.QUEUED, RunStatus.NOT_STARTED, RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING)


class CancelManyStores(Protocol):
    runs: Runs
    queue: Queue
    limits: Limits
    wakeups: Wakeups


class Doomed(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs: those named, by id or prefix, or all that fit the rest. An empty field does not restrict."""

    run_ids: tuple[str, ...] = ()
    job_name: str | None = None
    location_name: str | None = None
    statuses: tuple[RunStatus, ...] = ()
    tags: dict[str, str] = {}

    def wanted(self) -> list[RunStatus]:
        """From which statuses runs are canceled."""
        return [status for status in _STATUSES if not self.statuses or status in self.statuses]

    def in_status(self, status: RunStatus) -> RunsFilter:
        return RunsFilter(
            run_ids=self.run_ids,
            job_name=self.job_name,
            location_name=self.location_name,
            statuses=(status,),
            tags=self.tags,
        )

    def queued(self) -> QueueFilter:
        return QueueFilter(
            run_ids=self.run_ids, job_name=self.job_name, location_name=self.location_name, tags=self.tags
        )

    def batches(self) -> list[Doomed]:
        """The same with at most so many ids in one question."""
        ids = self.run_ids
        parts = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)] or [()]
        return [msgspec.structs.replace(self, run_ids=part) for part in parts]


class Canceled(msgspec.Struct):
    """How many runs are CANCELED now, how many CANCELING, and how many of those named had ended already."""

    canceled: int = 0
    canceling: int = 0
    ended: int = 0


def matching(runs: Runs, which: Doomed) -> int:
    """How many runs fit that have neither ended nor been canceled."""
    return sum(_count(runs, batch.in_status(status)) for batch in which.batches() for status in batch.wanted())


def _count(runs: Runs, where: RunsFilter) -> int:
    return len(_to_cancel(runs, where)) if where.statuses == (RunStatus.CANCELING,) else runs.count(where)


def _to_cancel(runs: Runs, where: RunsFilter) -> list[Run]:
    """All of them, read before the first is canceled: that one's place in the list would be gone."""
    found: list[Run] = []
    while page := runs.list(where, limit=BATCH, after=found[-1].run_id if found else None):
        found.extend(page)
    return [run for run in found if not is_canceled(run)]


def cancel_many(
    stores: CancelManyStores,
    which: Doomed,
    *,
    by: str,
    clock: Clock,
    progress: Callable[[int], None] = lambda _: None,
) -> Canceled:
    """Cancel them all; ``progress`` is called now and then with how many are canceled or told to stop.

    Raises:
        RunNotFound: a run that is named does not exist; nothing was changed.
        UserError: a prefix fits several.
    """
    return _Canceling(stores, by, clock, progress).all(_resolved(stores.runs, which))


def _resolved(runs: Runs, which: Doomed) -> Doomed:
    """With whole ids in the place of prefixes, each once."""
    known = {run.run_id for run in _named(runs, which)}
    ids = [run_id if run_id in known else find_run(runs, run_id).run_id for run_id in which.run_ids]
    return msgspec.structs.replace(which, run_ids=tuple(dict.fromkeys(ids)))


def _named(runs: Runs, which: Doomed) -> list[Run]:
    parts = [batch.run_ids for batch in which.batches() if batch.run_ids]
    return [run for ids in parts for run in runs.list(RunsFilter(run_ids=ids), limit=BATCH)]


class _Canceling:
    """One call's work, and what it has done so far."""

    def __init__(self, stores: CancelManyStores, by: str, clock: Clock, progress: Callable[[int], None]) -> None:
        self._stores, self._by, self._clock, self._progress = stores, by, clock, progress
        self._done = Canceled()

    def all(self, which: Doomed) -> Canceled:
        done = self._done
        named = _named(self._stores.runs, which)
        done.canceling = sum(run.status is RunStatus.CANCELING and is_canceled(run) for run in named)
        self._note(which)
        for status in which.wanted():
            for batch in which.batches():
                if status is RunStatus.QUEUED:
                    self._cancel_queued(batch)
                else:
                    self._cancel_others(batch.in_status(status))
        if not which.run_ids and RunStatus.QUEUED in which.wanted():
            # Retries of runs that failed before we came to them.
            self._cancel_queued(which)
        # What else became of those named: they were over before we came to them.
        done.ended += max(0, len(which.run_ids) - done.canceled - done.canceling - done.ended)
        poke(self._stores.wakeups)
        return done

    def _note(self, which: Doomed) -> None:
        """Before it is done: what was begun is on record though it be cut short."""
        number = matching(self._stores.runs, which)
        if number:
            told = f"cancel: {counted(number, 'run')}, {_text(which)}"
            self._stores.limits.note(
                action="cancel", subject=_text(which), message=told, by=self._by, now=self._clock.now()
            )

    def _cancel_queued(self, which: Doomed) -> None:
        where, steering, after, more = which.queued(), Steering(action="cancel", by=self._by), None, True
        while more:
            steered = self._stores.queue.steer(where, steering, now=self._clock.now(), after=after, limit=BATCH)
            self._done.canceled += len(steered.changed)
            self._tell()
            after, more = steered.after, steered.after is not None

    def _cancel_others(self, where: RunsFilter) -> None:
        for run in _to_cancel(self._stores.runs, where):
            self._cancel_one(run)
            self._tell()

    def _cancel_one(self, run: Run) -> None:
        try:
            now_is = told_to_stop(self._stores.runs, run, by=self._by, clock=self._clock)
        except (WrongState, RunNotFound):
            # It ended, or was deleted, between our look and now.
            self._done.ended += 1
            return
        if now_is.status is RunStatus.CANCELED:
            self._done.canceled += 1
        else:
            self._done.canceling += 1

    def _tell(self) -> None:
        self._progress(self._done.canceled + self._done.canceling)


def _text(which: Doomed) -> str:
    if len(which.run_ids) > 1:
        return f"{len(which.run_ids)} chosen runs"
    parts = [] if which.queued() == QueueFilter() else [filter_text(which.queued())]
    return ", ".join([*parts, *(status.value for status in which.statuses)]) or "all"
