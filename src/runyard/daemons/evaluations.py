"""Runs evaluations of schedules and sensors beside each other, and commits each as soon as it is back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import msgspec

from ..core.clock import Clock
from ..core.errors import LeaseLost, LocationUnavailable, RunyardError, StorageUnavailable
from ..core.events import ErrorInfo
from ..core.ids import new_id
from ..core.lease import Fence
from ..core.policy_tags import TagsInForce, steering_from_code
from ..core.run import NewRun, Run, RunFailure, RunStatus
from ..core.tick import (
    Evaluation,
    EvaluationRequest,
    InstigatorKey,
    InstigatorState,
    RunAsked,
    Tick,
    TickStatus,
)
from ..locations.api import Workspace
from ..operations.cancel import enqueue_topics
from ..operations.launch import LaunchStores, launch_now
from ..service.daemon import Report, log_report
from ..storage.protocols import RunAddition, TickOutcome, Ticks

logger = logging.getLogger(__name__)

EVALUATION_SECONDS = 60.0
DEFAULT_WORKERS = 8


class EvaluationStores(LaunchStores, Protocol):
    ticks: Ticks


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation to make: the state that it starts from, and the time that it stands for."""

    state: InstigatorState
    time: float
    scheduled: bool


#: Given the evaluation and the tick so far, the state to store with the committed tick.
Advance = Callable[[Pending, Evaluation], InstigatorState]


class Evaluations:
    """At most one evaluation of an instigator is in flight."""

    def __init__(
        self,
        stores: EvaluationStores,
        workspace: Workspace,
        *,
        clock: Clock,
        queued: bool,
        in_force: TagsInForce,
        advance: Advance,
        workers: int | None,
    ) -> None:
        self._stores = stores
        self._workspace = workspace
        self._clock = clock
        self._queued = queued
        #: Which tags have an effect; it may be replaced while evaluations run.
        self.in_force = in_force
        self._advance = advance
        self.report: Report = log_report
        self._lock = threading.Lock()
        self._in_flight: set[InstigatorKey] = set()
        self._pool = ThreadPoolExecutor(max_workers=workers or DEFAULT_WORKERS, thread_name_prefix="evaluate")

    def busy(self, key: InstigatorKey) -> bool:
        with self._lock:
            return key in self._in_flight

    def start(self, pending: Pending, fence: Fence, done: Callable[[], None]) -> None:
        """Evaluate and commit on a thread of the pool; ``done`` is called afterwards, whatever came of it."""
        with self._lock:
            self._in_flight.add(pending.state.key)
        self._pool.submit(self._run, pending, fence, done)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, pending: Pending, fence: Fence, done: Callable[[], None]) -> None:
        try:
            self._evaluate_and_commit(pending, fence)
        except RunyardError as error:
            logger.warning("%s '%s': %s", pending.state.key.kind, pending.state.key.name, error)
            self.report(error)
        except Exception as error:
            logger.exception("%s '%s': evaluation failed", pending.state.key.kind, pending.state.key.name)
            self.report(error)
        finally:
            with self._lock:
                self._in_flight.discard(pending.state.key)
            done()

    def _evaluate_and_commit(self, pending: Pending, fence: Fence) -> None:
        key = pending.state.key
        tick = Tick(tick_id=new_id(), key=key, time=pending.time, status=TickStatus.STARTED)
        evaluation = self._evaluate(pending, tick.tick_id)
        try:
            outcome = self._commit(pending, tick, evaluation, fence)
        except (LeaseLost, StorageUnavailable):
            raise
        except Exception as error:
            # What the code asked for cannot be stored: a tick that says so, not one that is repeated unseen for ever.
            logger.exception("%s '%s': its tick cannot be stored", key.kind, key.name)
            failed = Evaluation(status=TickStatus.FAILURE, error=ErrorInfo(type(error).__name__, str(error)))
            outcome = self._commit(pending, tick, failed, fence)
        if not self._queued:
            for run in outcome.runs:
                self._launch(run)
        enqueued = (*enqueue_topics(self._stores.queue.rules()), "runs") if outcome.runs else ()
        for topic in (*enqueued, "automation"):
            self._stores.wakeups.poke(topic)

    def _commit(self, pending: Pending, tick: Tick, evaluation: Evaluation, fence: Fence) -> TickOutcome:
        key = pending.state.key
        return self._stores.ticks.commit(
            _ended(tick, evaluation, pending.state, self._clock.now()),
            self._advance(pending, evaluation),
            [_addition(key, asked, self.in_force) for asked in evaluation.runs],
            enqueue=self._queued,
            fence=fence,
            now=self._clock.now(),
        )

    def _launch(self, run: Run) -> None:
        """Without the queue. What goes wrong with one run keeps no other from being launched."""
        try:
            location = self._workspace.get(run.location_name)
            if location is None:
                failure = RunFailure("LocationUnavailable", f"Code location '{run.location_name}' left the workspace.")
                waiting = (RunStatus.NOT_STARTED,)
                self._stores.runs.fail(
                    run.run_id, attempt=run.attempt, expected=waiting, failure=failure, now=self._clock.now()
                )
                return
            launch_now(self._stores, location, run, clock=self._clock)
        except RunyardError as error:
            logger.warning("run %s: %s", run.run_id, error)
            self.report(error)

    def _evaluate(self, pending: Pending, tick_id: str) -> Evaluation:
        key = pending.state.key
        location = self._workspace.get(key.location_name)
        if location is None:
            raise LocationUnavailable(key.location_name, "it left the workspace.")
        request = EvaluationRequest(
            key=key,
            tick_id=tick_id,
            scheduled_for=pending.time if pending.scheduled else None,
            cursor=pending.state.cursor,
            last_tick_at=pending.state.last_tick_at,
            last_run_key=pending.state.last_run_key,
            started_at=pending.state.started_at,
        )
        return location.evaluate([request], timeout=EVALUATION_SECONDS)[0]


def _ended(tick: Tick, evaluation: Evaluation, state: InstigatorState, now: float) -> Tick:
    failed = evaluation.status is TickStatus.FAILURE
    return msgspec.structs.replace(
        tick,
        status=evaluation.status,
        skip_reason=evaluation.skip_reason,
        error=evaluation.error,
        cursor=evaluation.cursor,
        failure_count=1 if failed else 0,
        consecutive_failures=state.consecutive_failures + 1 if failed else 0,
        log=evaluation.log,
        ended_at=now,
    )


def _addition(key: InstigatorKey, asked: RunAsked, in_force: TagsInForce) -> RunAddition:
    priority, warnings = steering_from_code(asked.tags, in_force)
    run = NewRun(
        run_id=new_id(),
        job_name=asked.job_name,
        location_name=key.location_name,
        priority=priority,
        tags=asked.tags,
        run_config=asked.run_config,
        pools=asked.pools,
        warnings=(*asked.warnings, *warnings),
    )
    return RunAddition(run=run, run_key=asked.run_key)
