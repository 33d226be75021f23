"""The sensor daemon: evaluates active sensors at their intervals and makes the runs that they ask for."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ..core.clock import Clock
from ..core.daemon import DaemonType
from ..core.lease import Fence
from ..core.location import SensorInfo
from ..core.tick import (
    Evaluation,
    InstigatorKey,
    InstigatorState,
    InstigatorStatus,
    TickStatus,
)
from ..locations.api import Workspace
from ..operations.instigators import is_running
from ..service.daemon import PassResult, Report, Wake
from ..settings.instance import InstanceSettings
from .evaluations import Evaluations, EvaluationStores, Pending

#: The loop looks at least this often, in seconds; a due sensor wakes it before.
LONGEST_SLEEP = 30.0
#: A sensor with an interval of 0 is evaluated this often, in seconds.
SHORTEST_INTERVAL = 1.0


class SensorDaemon:
    """Each sensor has its own rhythm and at most one evaluation in flight, so a slow one delays no other."""

    type = DaemonType.SENSOR
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
        self._clock = clock
        #: When the newest evaluation began; also stands for those that came to no tick because a location was away.
        self._began: dict[InstigatorKey, float] = {}
        self._evaluations = Evaluations(
            stores,
            workspace,
            clock=clock,
            queued=settings.queue.queued,
            in_force=settings.tags_in_force,
            advance=_advance,
            workers=settings.sensors.num_workers,
        )
        self._wake: Wake = lambda: None

    def attach(self, wake: Wake, report: Report) -> None:
        self._wake = wake
        self._evaluations.report = report

    def configure(self, settings: InstanceSettings) -> None:
        self._evaluations.in_force = settings.tags_in_force

    def stand_by(self) -> None:
        self._began.clear()

    def close(self) -> None:
        self._evaluations.close()

    def run_once(self, now: float, fence: Fence) -> PassResult:
        states = {state.key: state for state in self._stores.ticks.states()}
        wake_at, started, running = now + LONGEST_SLEEP, 0, 0
        for key, info in self._sensors():
            state = self._settled_state(key, info, states.get(key), now, fence)
            if state is None:
                continue
            running += 1
            if self._evaluations.busy(key):
                continue
            due_at = self._due_at(state, info, now)
            if due_at > now:
                wake_at = min(wake_at, due_at)
                continue
            self._began[key] = now
            self._evaluations.start(Pending(state=state, time=now, scheduled=False), fence, self._wake)
            started += 1
        return PassResult(wake_at, _outcome(started, running), idle=running == 0)

    def _sensors(self) -> Iterator[tuple[InstigatorKey, SensorInfo]]:
        for location in self._workspace.all():
            definitions = location.record().definitions
            for info in definitions.sensors if definitions else ():
                yield InstigatorKey("sensor", location.name, info.name), info

    def _settled_state(
        self, key: InstigatorKey, info: SensorInfo, state: InstigatorState | None, now: float, fence: Fence
    ) -> InstigatorState | None:
        """The state to evaluate from, None for a stopped sensor; a first evaluation stores one."""
        if not is_running(state, info):
            return None
        if state is not None:
            return state
        declared = InstigatorState(key=key, status=InstigatorStatus.DECLARED_IN_CODE, started_at=now)
        # A person may have stopped it since the states were read.
        stored = self._stores.ticks.change_state(key, lambda old: old or declared, fence=fence)
        return stored if is_running(stored, info) else None

    def _due_at(self, state: InstigatorState, info: SensorInfo, now: float) -> float:
        last = max(state.last_tick_at or 0.0, self._began.get(state.key, 0.0))
        if last > now:
            # The clock went back: waiting for it to catch up would silence the sensor.
            return now
        return last + max(info.minimum_interval_seconds, SHORTEST_INTERVAL)


def _advance(pending: Pending, evaluation: Evaluation) -> InstigatorState:
    state = pending.state
    failed = evaluation.status is TickStatus.FAILURE
    keys = [asked.run_key for asked in evaluation.runs if asked.run_key is not None]
    return msgspec.structs.replace(
        state,
        cursor=evaluation.cursor if evaluation.cursor is not None and not failed else state.cursor,
        last_tick_at=pending.time,
        last_run_key=keys[-1] if keys else state.last_run_key,
        consecutive_failures=state.consecutive_failures + 1 if failed else 0,
    )


def _outcome(started: int, running: int) -> str:
    if started:
        return f"evaluates {started} of {running} sensors"
    return f"{running} sensor{'s' if running != 1 else ''}, none due"
