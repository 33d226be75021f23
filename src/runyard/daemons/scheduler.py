"""The scheduler daemon: makes runs from active schedules at their times."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ..core.clock import Clock
from ..core.daemon import DaemonType
from ..core.errors import InvalidDefinition
from ..core.lease import Fence
from ..core.location import ScheduleInfo
from ..core.tick import (
    Evaluation,
    InstigatorKey,
    InstigatorState,
    InstigatorStatus,
    TickStatus,
)
from ..locations.api import Workspace
from ..operations.instigators import is_running
from ..schedule.catchup import Due, due
from ..service.daemon import PassResult, Report, Wake
from ..settings.instance import InstanceSettings
from .evaluations import Evaluations, EvaluationStores, Pending

logger = logging.getLogger(__name__)

#: The loop looks at least this often, in seconds; schedules' own times wake it exactly.
LONGEST_SLEEP = 60.0
#: Seconds between attempts at a tick whose evaluation failed and may be retried.
RETRY_SECONDS = 5.0


class _Look(NamedTuple):
    """What came of looking at a running schedule."""

    wake_at: float
    started: bool


class SchedulerDaemon:
    """Decides per schedule which time is due, and has it evaluated."""

    type = DaemonType.SCHEDULER
    deadline = 60.0

    def __init__(
        self,
        stores: EvaluationStores,
        workspace: Workspace,
        settings: InstanceSettings,
        *,
        clock: Clock,
    ) -> None:
        self._stores = stores
        self._workspace = workspace
        self._max_retries = settings.scheduler.max_tick_retries
        self._clock = clock
        self._failures: dict[tuple[InstigatorKey, float], int] = {}
        #: A time that failed, or whose location was away, and when it may be tried again.
        self._not_before: dict[tuple[InstigatorKey, float], float] = {}
        self._evaluations = Evaluations(
            stores,
            workspace,
            clock=clock,
            queued=settings.queue.queued,
            in_force=settings.tags_in_force,
            advance=self._advance,
            workers=settings.schedules.num_workers,
        )
        self._wake: Wake = lambda: None

    def attach(self, wake: Wake, report: Report) -> None:
        self._wake = wake
        self._evaluations.report = report

    def configure(self, settings: InstanceSettings) -> None:
        self._max_retries = settings.scheduler.max_tick_retries
        self._evaluations.in_force = settings.tags_in_force

    def stand_by(self) -> None:
        self._failures.clear()
        self._not_before.clear()

    def close(self) -> None:
        self._evaluations.close()

    def run_once(self, now: float, fence: Fence) -> PassResult:
        states = {state.key: state for state in self._stores.ticks.states()}
        looks = [self._guarded_look(key, info, states.get(key), now, fence) for key, info in self._schedules()]
        running = [look for look in looks if look is not None]
        started = sum(look.started for look in running)
        wake_at = min([now + LONGEST_SLEEP, *(look.wake_at for look in running)])
        return PassResult(wake_at, _outcome(started, len(running)), idle=started == 0)

    def _guarded_look(
        self, key: InstigatorKey, info: ScheduleInfo, stored: InstigatorState | None, now: float, fence: Fence
    ) -> _Look | None:
        """One schedule that cannot be read (a zone that this machine lacks) keeps no other from its times."""
        try:
            return self._look(key, info, stored, now, fence)
        except InvalidDefinition as error:
            logger.warning("schedule '%s': %s", key.name, error)
            self._evaluations.report(error)
            return None

    def _look(
        self, key: InstigatorKey, info: ScheduleInfo, stored: InstigatorState | None, now: float, fence: Fence
    ) -> _Look | None:
        """Start what is due of one schedule; None when it is stopped."""
        state = self._settled_state(key, info, stored, now, fence)
        if state is None:
            return None
        since, fresh = _since(state), _fresh(state)
        decision = due(info.cron_schedule, info.execution_timezone, since=since, now=now, including_since=fresh)
        next_at = decision.next_at if decision.next_at is not None else now + LONGEST_SLEEP
        if decision.time is None or self._evaluations.busy(key):
            return _Look(next_at, started=False)
        wait_until = self._not_before.get((key, decision.time), now)
        if wait_until > now:
            return _Look(min(next_at, wait_until), started=False)
        self._start(state, decision, decision.time, fence)
        return _Look(next_at, started=True)

    def _schedules(self) -> Iterator[tuple[InstigatorKey, ScheduleInfo]]:
        for location in self._workspace.all():
            definitions = location.record().definitions
            for info in definitions.schedules if definitions else ():
                yield InstigatorKey("schedule", location.name, info.name), info

    def _settled_state(
        self, key: InstigatorKey, info: ScheduleInfo, state: InstigatorState | None, now: float, fence: Fence
    ) -> InstigatorState | None:
        """The state to go on from, None for a stopped one; storage follows what the code says of it."""
        if state is not None and state.status is InstigatorStatus.DECLARED_IN_CODE and not info.running_by_default:
            self._stores.ticks.delete_state(key, version=state.version, fence=fence)
            return None
        if not is_running(state, info):
            return None
        if state is not None:
            return state
        declared = InstigatorState(key=key, status=InstigatorStatus.DECLARED_IN_CODE, started_at=now, decided_until=now)
        # A person may have stopped it since the states were read.
        stored = self._stores.ticks.change_state(key, lambda old: old or declared, fence=fence)
        return stored if is_running(stored, info) else None

    def _start(self, state: InstigatorState, decision: Due, time: float, fence: Fence) -> None:
        if decision.skipped:
            logger.warning(
                "Schedule '%s' missed %d times; only the latest one is run.", state.key.name, decision.skipped.count
            )
        self._not_before = {k: until for k, until in self._not_before.items() if k[0] != state.key}
        self._not_before[state.key, time] = self._clock.now() + RETRY_SECONDS
        pending = Pending(state=state, time=time, scheduled=True)
        self._evaluations.start(pending, fence, self._wake)

    def _advance(self, pending: Pending, evaluation: Evaluation) -> InstigatorState:
        key, state = pending.state.key, pending.state
        failed = evaluation.status is TickStatus.FAILURE
        tries = self._failures.get((key, pending.time), 0) + 1 if failed else 0
        retried = failed and tries <= self._max_retries
        if retried:
            self._failures[key, pending.time] = tries
        else:
            self._failures.pop((key, pending.time), None)
        return msgspec.structs.replace(
            state,
            decided_until=state.decided_until if retried else pending.time,
            last_tick_at=pending.time,
            consecutive_failures=state.consecutive_failures + 1 if failed else 0,
        )


def _since(state: InstigatorState) -> float:
    return state.decided_until if state.decided_until is not None else state.started_at or 0.0


def _fresh(state: InstigatorState) -> bool:
    """Started and nothing decided since: a time exactly at the start fires."""
    return state.decided_until is None or state.decided_until == state.started_at


def _outcome(started: int, running: int) -> str:
    if started:
        return f"evaluates {started} schedule{'s' if started != 1 else ''}"
    return f"{running} schedule{'s' if running != 1 else ''}, none due"
