"""Schedules and sensors: list them, start, stop, preview, move a cursor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Protocol

import msgspec

from ..core.clock import Clock
from ..core.errors import NotFound, WrongState
from ..core.ids import new_id
from ..core.location import ScheduleInfo, SensorInfo
from ..core.policy_tags import TagsInForce, steering_from_code
from ..core.tick import (
    Evaluation,
    EvaluationRequest,
    InstigatorKey,
    InstigatorKind,
    InstigatorState,
    InstigatorStatus,
    RunAsked,
    Tick,
)
from ..schedule.cron import next_times
from ..storage.protocols import Locations, Ticks, Wakeups
from .reachable import NOWHERE, Reachable, check_loaded, reach

PREVIEW_SECONDS = 60.0
#: Wakes the scheduler and the sensor daemon; pages follow ``automation``, which ticks move too.
INSTIGATORS_TOPIC = "instigators"


class InstigatorStores(Protocol):
    ticks: Ticks
    locations: Locations
    wakeups: Wakeups


class InstigatorView(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule or sensor with what storage knows of it."""

    key: InstigatorKey
    info: ScheduleInfo | SensorInfo
    state: InstigatorState | None
    running: bool
    next_tick: float | None = None
    last_tick: Tick | None = None


class Upcoming(msgspec.Struct, frozen=True):
    """Times, seconds since the epoch, of a schedule in ``timezone``."""

    timezone: str
    times: tuple[float, ...] = ()


def listing(stores: InstigatorStores, kind: InstigatorKind, *, clock: Clock) -> list[InstigatorView]:
    """Every schedule or sensor of every location that has definitions, by location and name."""
    return sorted(
        (_view(stores, key, info, clock.now()) for key, info in defined(stores.locations, kind)),
        key=lambda view: view.key,
    )


def find(
    stores: InstigatorStores,
    kind: InstigatorKind,
    name: str,
    location: str | None,
    *,
    reachable: Reachable = NOWHERE,
) -> InstigatorKey:
    """The schedule or sensor that a person names.

    Raises:
        StillLoading: a location that may have it is loading.
        NotFound: there is none, or the name fits several locations.
    """
    keys = [key for key, _ in defined(stores.locations, kind) if location in (None, key.location_name)]
    found = [key for key in keys if key.name == name]
    if not found:
        check_loaded(reachable, location)
    if len(found) != 1:
        raise NotFound(kind, name, [f"{key.location_name}/{key.name}" if found else key.name for key in keys])
    return found[0]


def start(stores: InstigatorStores, key: InstigatorKey, *, clock: Clock) -> InstigatorState:
    """Turn it on; nothing that lay before now fires. Starting what runs changes nothing.

    Raises:
        WrongState: it has a problem, so that it cannot be evaluated.
    """
    info = dict(defined(stores.locations, key.kind)).get(key)
    if info is not None and info.problem is not None:
        raise WrongState(f"{info.problem} It can be started when that is mended.")
    now = clock.now()

    def started(old: InstigatorState | None) -> InstigatorState:
        if old is not None and old.status is InstigatorStatus.RUNNING:
            return old
        return _changed(key, old, status=InstigatorStatus.RUNNING, started_at=now, decided_until=now)

    return _change(stores, key, started)


def stop(stores: InstigatorStores, key: InstigatorKey) -> InstigatorState:
    """Turn it off, whatever the code says; its cursor and run keys stay."""
    return _change(stores, key, lambda old: _changed(key, old, status=InstigatorStatus.STOPPED))


def set_cursor(stores: InstigatorStores, key: InstigatorKey, cursor: str | None) -> None:
    """Set or delete a sensor's cursor; run keys are not affected."""
    declared = InstigatorState(key=key, status=InstigatorStatus.DECLARED_IN_CODE)
    stores.ticks.change_state(key, lambda old: old or declared)
    stores.ticks.set_cursor(key, cursor)


def preview(stores: InstigatorStores, locations: Reachable, key: InstigatorKey, *, clock: Clock) -> Evaluation:
    """Evaluate now and commit nothing.

    Raises:
        LocationUnavailable: its code cannot be asked.
    """
    location = reach(locations, key.location_name)
    state = stores.ticks.state(key)
    request = EvaluationRequest(
        key=key,
        tick_id=new_id(),
        scheduled_for=clock.now() if key.kind == "schedule" else None,
        cursor=state.cursor if state else None,
        last_tick_at=state.last_tick_at if state else None,
        last_run_key=state.last_run_key if state else None,
        started_at=state.started_at if state else None,
    )
    evaluation = location.evaluate([request], timeout=PREVIEW_SECONDS)[0]
    return msgspec.structs.replace(evaluation, runs=tuple(map(_with_all_warnings, evaluation.runs)))


def _with_all_warnings(asked: RunAsked) -> RunAsked:
    """With those that a run's log gets when it is committed."""
    _, warnings = steering_from_code(asked.tags, TagsInForce())
    return msgspec.structs.replace(asked, warnings=(*asked.warnings, *warnings))


def next_ticks(stores: InstigatorStores, key: InstigatorKey, *, clock: Clock, count: int = 5) -> Upcoming | None:
    """The next times of a schedule, whether it is on or off; None for a sensor."""
    info = dict(defined(stores.locations, key.kind)).get(key)
    if not isinstance(info, ScheduleInfo):
        return None
    if info.problem is not None:
        return Upcoming(info.execution_timezone)
    times = islice(next_times(info.cron_schedule, info.execution_timezone, after=clock.now()), count)
    return Upcoming(info.execution_timezone, tuple(times))


def is_running(state: InstigatorState | None, info: ScheduleInfo | SensorInfo) -> bool:
    """What a person chose, else what the code says. What has a problem does not run, whatever was chosen."""
    if info.problem is not None:
        return False
    if state is None or state.status is InstigatorStatus.DECLARED_IN_CODE:
        return info.running_by_default
    return state.status is InstigatorStatus.RUNNING


def defined(locations: Locations, kind: InstigatorKind) -> Iterator[tuple[InstigatorKey, ScheduleInfo | SensorInfo]]:
    """What the locations' code defines, one entry for each."""
    for record in locations.all():
        if record.definitions is None:
            continue
        infos = record.definitions.schedules if kind == "schedule" else record.definitions.sensors
        for info in infos:
            yield InstigatorKey(kind, record.name, info.name), info


def _changed(key: InstigatorKey, old: InstigatorState | None, **changes: object) -> InstigatorState:
    base = old or InstigatorState(key=key, status=InstigatorStatus.STOPPED)
    return msgspec.structs.replace(base, **changes)


def _change(
    stores: InstigatorStores, key: InstigatorKey, change: Callable[[InstigatorState | None], InstigatorState]
) -> InstigatorState:
    # In one transaction: a tick that commits between a read and a write would lose its cursor.
    state = stores.ticks.change_state(key, change)
    for topic in (INSTIGATORS_TOPIC, "automation"):
        stores.wakeups.poke(topic)
    return state


def _view(stores: InstigatorStores, key: InstigatorKey, info: ScheduleInfo | SensorInfo, now: float) -> InstigatorView:
    state = stores.ticks.state(key)
    running = is_running(state, info)
    ticks = stores.ticks.list(key, limit=1)
    return InstigatorView(
        key=key,
        info=info,
        state=state,
        running=running,
        next_tick=_next_tick(info, state, now) if running else None,
        last_tick=ticks[0] if ticks else None,
    )


def _next_tick(info: ScheduleInfo | SensorInfo, state: InstigatorState | None, now: float) -> float | None:
    if isinstance(info, ScheduleInfo):
        return next(iter(next_times(info.cron_schedule, info.execution_timezone, after=now)), None)
    last = state.last_tick_at if state else None
    return max(now, last + info.minimum_interval_seconds) if last is not None else now
