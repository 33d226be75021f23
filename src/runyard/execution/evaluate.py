"""Evaluating a schedule or sensor once: call the user's function and check what it asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from ..core import bounds
from ..core.clock import Clock
from ..core.error_info import error_info
from ..core.errors import InvalidDefinition, InvalidRunConfig
from ..core.kept import kept_message
from ..core.tag_owners import TagSetter, from_request
from ..core.tags import CODE_LOCATION, RUN_KEY, SCHEDULE_NAME, SCHEDULED_TIME, SENSOR_NAME, TICK, normalise
from ..core.text import counted
from ..core.tick import Evaluation, EvaluationRequest, RunAsked, TickStatus
from ..definitions.config.job_config import config_issues, with_job_defaults
from ..definitions.config.plain import plain_config
from ..definitions.definitions import Definitions
from ..definitions.engine import InstanceClient
from ..definitions.names import checked_tags
from ..definitions.requests import RunRequest
from ..definitions.resources.definition import as_resources
from ..definitions.schedule import ScheduleDefinition
from ..definitions.sensor import SensorDefinition
from .answers import Answer, schedule_answer, sensor_answer
from .contexts.evaluation import ScheduleEvaluationContext, SensorEvaluationContext
from .contexts.resources import Resources
from .forked import only_here
from .log import LogLine, line_logger, lines_go_to
from .resources import ResourceScope

#: Of the log of one tick.
MOST_LINES, MOST_CHARACTERS = 5_000, 2_000_000


def evaluate(
    defs: Definitions,
    request: EvaluationRequest,
    *,
    location_name: str,
    clock: Clock,
    instance: InstanceClient | None = None,
) -> Evaluation:
    """Evaluate a schedule or sensor. Never raises for errors of user code: they are the evaluation's FAILURE.

    Parameters:
        instance: what ``context.instance`` is; None asks the process's provider when it is used.
    """
    started = clock.monotonic()
    kind = _ScheduleTick if request.key.kind == "schedule" else _SensorTick
    tick = kind(defs, request, location_name, clock, instance)
    try:
        with only_here(), lines_go_to(tick.take_line):
            status, answer, runs, cursor = tick.evaluate()
    except BaseException as error:  # noqa: BLE001 - user code raises anything; it becomes the tick's end
        return Evaluation(
            status=TickStatus.FAILURE,
            error=error_info(error),
            log=tick.log,
            seconds=clock.monotonic() - started,
        )
    return Evaluation(
        status=status,
        runs=runs,
        skip_reason=None if answer.skip_reason is None else kept_message(answer.skip_reason),
        cursor=cursor,
        log=tick.log,
        seconds=clock.monotonic() - started,
    )


_Definition = TypeVar("_Definition", ScheduleDefinition, SensorDefinition)
_Outcome = tuple[TickStatus, Answer, tuple[RunAsked, ...], "str | None"]


class _Tick(ABC):
    """What schedules and sensors have in common."""

    def __init__(
        self,
        defs: Definitions,
        request: EvaluationRequest,
        location_name: str,
        clock: Clock,
        instance: InstanceClient | None,
    ) -> None:
        self._defs, self._request, self._location = defs, request, location_name
        self._clock, self._instance = clock, instance
        self._log: list[str] = []
        self._room, self._left_out = MOST_CHARACTERS, 0
        self._logger = line_logger(request.key.name, self.take_line)

    def take_line(self, line: LogLine) -> None:
        time = datetime.fromtimestamp(self._clock.now(), timezone.utc).isoformat(timespec="milliseconds")
        text = kept_message(f"{time} {line.level} {line.text()}")
        self._room -= len(text)
        if len(self._log) < MOST_LINES and self._room >= 0:
            self._log.append(text)
        else:
            self._left_out += 1

    @property
    def log(self) -> tuple[str, ...]:
        """The lines so far, and how many more there were than are kept."""
        return (*self._log, f"… {counted(self._left_out, 'more line')}") if self._left_out else tuple(self._log)

    @abstractmethod
    def evaluate(self) -> _Outcome: ...

    def _sound(self, one: _Definition) -> _Definition:
        """Raises InvalidDefinition for one that has a problem."""
        problem = self._defs.resolve().problem(one)
        if problem is not None:
            raise InvalidDefinition(problem)
        return one

    def _with_resources(self, keys: frozenset[str]) -> ResourceScope:
        known = as_resources(self._defs.resources)
        needed: dict[str, Any] = {}
        pending = sorted(keys)
        while pending:
            key = pending.pop()
            if key not in needed:
                needed[key] = known[key]
                pending += sorted(known[key].required_resource_keys)
        return ResourceScope(needed, {}, log=self._logger, instance=self._instance)

    def _closing_failed(self, name: str, error: BaseException) -> None:
        self._logger.error("Taking down the resource '%s' failed", name, exc_info=error)

    def _common(self, scope: ResourceScope, owner: str) -> dict[str, Any]:
        return {
            "name": self._request.key.name,
            "log": self._logger,
            "resources": Resources(scope.values, owner),
            "instance": self._instance,
            "definitions": self._defs,
        }

    def _asked(self, job_name: str, request: RunRequest, tags: Mapping[str, Any]) -> RunAsked:
        """The run that is asked for.

        Raises:
            NotFound: there is no such job.
            InvalidRunConfig, InvalidTag, UserError: the request has it wrong.
        """
        job = self._defs.get_job_def(job_name)
        issues = config_issues(job, request.run_config)
        if issues:
            raise InvalidRunConfig(job_name, issues)
        own, warnings = from_request(normalise(request.tags))
        bounds.check_text("A run_key", request.run_key, bounds.RUN_KEY)
        run_config = plain_config(with_job_defaults(job, request.run_config))
        bounds.check_run_config(job_name, run_config)
        return RunAsked(
            job_name=job_name,
            run_key=request.run_key,
            run_config=run_config,
            tags={**job.run_tags, **normalise(tags), **own, **self._system_tags(request)},
            pools=job.pools,
            warnings=tuple(warnings),
        )

    def _system_tags(self, request: RunRequest) -> dict[str, str]:
        tags = {TICK: self._request.tick_id, CODE_LOCATION: self._location, **self._own_tags()}
        return {**tags, RUN_KEY: request.run_key} if request.run_key is not None else tags

    @abstractmethod
    def _own_tags(self) -> dict[str, str]: ...


class _ScheduleTick(_Tick):
    def evaluate(self) -> _Outcome:
        schedule = self._sound(self._defs.get_schedule_def(self._request.key.name))
        scope = self._with_resources(schedule.required_resource_keys)
        try:
            scope.open()
            context = self._context(schedule, scope)
            answer = self._answer(schedule, context, scope)
            tags = {
                **schedule.tags,
                **_made_tags(schedule, context, answer),
            }
        finally:
            scope.close(self._closing_failed)
        if not answer.requests:
            return TickStatus.SKIPPED, answer, (), None
        _check_run_keys(schedule.owner, answer)
        runs = [self._asked(schedule.targets.pick(schedule.owner, one.job_name), one, tags) for one in answer.requests]
        return TickStatus.SUCCESS, answer, tuple(runs), None

    def _context(self, schedule: ScheduleDefinition, scope: ResourceScope) -> ScheduleEvaluationContext:
        zone = ZoneInfo(schedule.execution_timezone or "UTC")
        time = datetime.fromtimestamp(self._time(), zone)
        return ScheduleEvaluationContext(scheduled_execution_time=time, **self._common(scope, schedule.owner))

    def _time(self) -> float:
        scheduled = self._request.scheduled_for
        return self._clock.now() if scheduled is None else scheduled

    def _answer(self, schedule: ScheduleDefinition, context: ScheduleEvaluationContext, scope: ResourceScope) -> Answer:
        if schedule.should_execute is not None and not schedule.should_execute(context):
            return Answer(skip_reason=f"should_execute function for {schedule.name} returned false.")
        if schedule.execution is not None:
            return schedule_answer(schedule.owner, schedule.execution.call(context, scope.values))
        config = schedule.run_config
        if schedule.run_config_fn is not None:
            config = schedule.run_config_fn(context)
        return Answer((RunRequest(run_config=config),))

    def _own_tags(self) -> dict[str, str]:
        scheduled = datetime.fromtimestamp(self._time(), timezone.utc).isoformat()
        return {SCHEDULE_NAME: self._request.key.name, SCHEDULED_TIME: scheduled}


class _SensorTick(_Tick):
    def evaluate(self) -> _Outcome:
        sensor = self._sound(self._defs.get_sensor_def(self._request.key.name))
        scope = self._with_resources(sensor.required_resource_keys)
        try:
            scope.open()
            context = self._context(sensor, scope)
            answer = sensor_answer(sensor.owner, sensor.execution.call(context, scope.values))
        finally:
            scope.close(self._closing_failed)
        cursor = _cursor(sensor, context, answer)
        runs = [
            self._asked(sensor.targets.pick(sensor.owner, one.job_name), one, sensor.tags) for one in answer.requests
        ]
        return (TickStatus.SUCCESS if runs else TickStatus.SKIPPED), answer, tuple(runs), cursor

    def _context(self, sensor: SensorDefinition, scope: ResourceScope) -> SensorEvaluationContext:
        return SensorEvaluationContext(
            cursor=self._request.cursor,
            last_tick_completion_time=self._request.last_tick_at,
            last_run_key=self._request.last_run_key,
            last_sensor_start_time=self._request.started_at,
            **self._common(scope, sensor.owner),
        )

    def _own_tags(self) -> dict[str, str]:
        return {SENSOR_NAME: self._request.key.name}


def _made_tags(schedule: ScheduleDefinition, context: ScheduleEvaluationContext, answer: Answer) -> Mapping[str, Any]:
    made = schedule.tags_fn(context) if answer.requests and schedule.tags_fn else None
    return {} if made is None else checked_tags(f"{schedule.owner}: tags_fn", made, TagSetter.SCHEDULE)


def _cursor(sensor: SensorDefinition, context: SensorEvaluationContext, answer: Answer) -> str | None:
    """The cursor to store, None to leave the stored one."""
    if answer.cursor is None:
        return context.cursor if context.cursor_updated else None
    if context.cursor_updated:
        raise InvalidDefinition(
            f"{sensor.owner} gives a cursor both by update_cursor and in its SensorResult; use one of the two."
        )
    return answer.cursor


def _check_run_keys(owner: str, answer: Answer) -> None:
    """Several runs of one tick are told apart by their keys; the same key twice is one run.

    Raises:
        InvalidDefinition: one of several has none.
    """
    if len(answer.requests) > 1 and any(request.run_key is None for request in answer.requests):
        raise InvalidDefinition(f"{owner} asked for {len(answer.requests)} runs; give each RunRequest a run_key.")
