"""From the keys of an instance file to the values that the rest of Runyard works with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ..core.daemon import DaemonType
from ..queue.rules import Rules
from .classes import Chosen
from .document import Source
from .instance import (
    CodeServerSettings,
    InstanceSettings,
    MonitoringSettings,
    PoolSettings,
    QueueSettings,
    RetriesSettings,
    SchedulerSettings,
    WhyOff,
)
from .kinds import Section
from .python_logs import python_logs
from .rules import blocking, with_pools, with_runs
from .storage import compute_logs_dir, outputs_dir, storage_settings

#: Keys that must not be in the queue's own section once ``concurrency`` has ``runs`` or ``pools``.
_LIMIT_KEYS = ("max_concurrent_runs", "tag_concurrency_limits")
_BLOCK = "block_op_concurrency_limited_runs"
_BUFFER = "op_concurrency_slot_buffer"


def interpret(root: Section, source: Source, *, home: str, file: str | None, text: str) -> InstanceSettings:
    """The whole file as settings.

    Raises:
        ConfigError: keys that exclude each other across sections.
    """
    return InstanceSettings(
        home=home,
        file=file,
        text=text,
        storage=storage_settings(root, Path(home)),
        compute_logs_dir=compute_logs_dir(root, Path(home)),
        outputs_dir=outputs_dir(root, Path(home)),
        queue=_queue(root),
        monitoring=_monitoring(root.get("run_monitoring")),
        retries=_retries(root.get("run_retries")),
        python_logs=python_logs(root.get("python_logs")),
        scheduler=_scheduler(root.get("scheduler")),
        schedules=PoolSettings(**_given(root.get("schedules"))),
        sensors=PoolSettings(**_given(root.get("sensors"))),
        code_servers=CodeServerSettings(**_given(root.get("code_servers"))),
        why_off=_why_off(root),
        notices=tuple(source.notices),
    )


def _given(section: Section | None) -> dict[str, Any]:
    return dict(section.values) if section else {}


def _own_queue_section(root: Section) -> Section | None:
    coordinator: Chosen | None = root.get("run_coordinator")
    if coordinator is not None:
        return coordinator.config
    own: Section | None = root.get("run_queue")
    return own


def _queue(root: Section) -> QueueSettings:
    coordinator: Chosen | None = root.get("run_coordinator")
    _refuse_two_places(root)
    rules = _with_pools(Rules(), root)
    if coordinator is not None and coordinator.name == "DefaultRunCoordinator":
        _note_no_limits(root)
        return QueueSettings(queued=False, rules=rules)
    own = _own_queue_section(root)
    for section in (own, _concurrency(root, "runs")):
        rules = with_runs(rules, section) if section else rules
    others = {key: value for key, value in _given(own).items() if key not in (*_LIMIT_KEYS, _BLOCK)}
    return QueueSettings(rules=rules, **others)


def _with_pools(rules: Rules, root: Section) -> Rules:
    own, concurrency = _own_queue_section(root), root.get("concurrency")
    block: Section | None = own.get(_BLOCK) if own else None
    if block is not None:
        rules = msgspec.structs.replace(rules, pools=blocking(rules.pools, block))
    return with_pools(rules, concurrency) if concurrency is not None else rules


def _concurrency(root: Section, key: str) -> Section | None:
    concurrency: Section | None = root.get("concurrency")
    return concurrency.get(key) if concurrency else None


def _refuse_two_places(root: Section) -> None:
    own = _own_queue_section(root)
    newer = [key for key in ("runs", "pools") if _concurrency(root, key) is not None]
    if own is None or not newer:
        return
    block = own.get(_BLOCK)
    for section, key in [*((own, key) for key in _LIMIT_KEYS), *([(block, _BUFFER)] if block else [])]:
        if key in section:
            raise section.error(key, f"this and 'concurrency.{newer[0]}' exclude each other; keep one.")


def _note_no_limits(root: Section) -> None:
    if _concurrency(root, "runs") is not None:
        root.note("concurrency", "The limits have no effect: DefaultRunCoordinator starts every run at once.")


def _monitoring(section: Section | None) -> MonitoringSettings:
    settings = MonitoringSettings(**_given(section))
    if section and not settings.enabled:
        for key in ("max_runtime_seconds", "max_resume_run_attempts"):
            if section.get(key):
                section.note(key, "This has no effect without 'enabled: true'.")
    return settings


def _retries(section: Section | None) -> RetriesSettings:
    settings = RetriesSettings(**_given(section))
    if section and settings.max_retries and not settings.enabled:
        section.note("max_retries", "This has no effect without 'enabled: true'.")
    return settings


def _scheduler(chosen: Chosen | None) -> SchedulerSettings:
    if chosen is None:
        return SchedulerSettings()
    return SchedulerSettings(enabled=chosen.config is not None, **_given(chosen.config))


def _why_off(root: Section) -> dict[str, WhyOff]:
    off: dict[str, WhyOff] = {}
    monitoring: Section | None = root.get("run_monitoring")
    if not (monitoring and monitoring.get("enabled")):
        where = monitoring.where("enabled") if monitoring else None
        off[DaemonType.MONITORING.value] = WhyOff("run_monitoring.enabled: false", where)
    scheduler: Chosen | None = root.get("scheduler")
    if scheduler is not None and scheduler.config is None:
        name = f"scheduler.class: {scheduler.name} (of {scheduler.module})"
        off[DaemonType.SCHEDULER.value] = WhyOff(name, scheduler.where)
    coordinator: Chosen | None = root.get("run_coordinator")
    if coordinator is not None and coordinator.name == "DefaultRunCoordinator":
        off[DaemonType.QUEUED_RUN_COORDINATOR.value] = WhyOff(
            "run_coordinator.class: DefaultRunCoordinator", coordinator.where
        )
    return off
