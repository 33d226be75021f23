"""From the keys of an instance file to the values that the rest of Runyard works with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.daemon import DaemonType
from ..queue.rules import Rules, TagRule
from .classes import Chosen
from .document import Source
from .instance import (
    CodeServerSettings,
    InstanceSettings,
    MonitoringSettings,
    PoolLimitSettings,
    PoolSettings,
    QueueSettings,
    SchedulerSettings,
    WhyOff,
)
from .kinds import Section
from .storage import compute_logs_dir, storage_settings

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
        queue=_queue(root),
        pools=_pools(root),
        monitoring=MonitoringSettings(**_given(root.get("run_monitoring"))),
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
    own = _given(_own_queue_section(root))
    limits = {**own, **_given(_concurrency(root, "runs"))}
    _refuse_two_places(root)
    if coordinator is not None and coordinator.name == "DefaultRunCoordinator":
        _note_no_limits(root)
        return QueueSettings(queued=False)
    defaults = Rules()
    rules = Rules(
        max_concurrent_runs=limits.get("max_concurrent_runs", defaults.max_concurrent_runs),
        tag_rules=tuple(_tag_rule(entry) for entry in limits.get("tag_concurrency_limits", [])),
    )
    return QueueSettings(rules=rules, **{key: value for key, value in own.items() if key not in (*_LIMIT_KEYS, _BLOCK)})


def _concurrency(root: Section, key: str) -> Section | None:
    concurrency: Section | None = root.get("concurrency")
    return concurrency.get(key) if concurrency else None


def _tag_rule(entry: Section) -> TagRule:
    value = entry.get("value")
    if isinstance(value, Section):
        per_value = value.get("applyLimitPerUniqueValue")
        return TagRule(key=entry.get("key"), limit=entry.get("limit"), per_unique_value=per_value)
    return TagRule(key=entry.get("key"), limit=entry.get("limit"), value=value)


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


def _pools(root: Section) -> PoolLimitSettings:
    concurrency: Section | None = root.get("concurrency")
    pools = _given(_concurrency(root, "pools"))
    if concurrency is not None and "default_op_concurrency_limit" in concurrency:
        pools["default_limit"] = concurrency.get("default_op_concurrency_limit")
    block = _block(root)
    if pools:
        root.note("concurrency", "Pool limits are kept, but this version does not enforce pools yet.")
    return PoolLimitSettings(**{**block, **pools})


def _block(root: Section) -> dict[str, Any]:
    own = _own_queue_section(root)
    block: Section | None = own.get(_BLOCK) if own else None
    if block is None:
        return {}
    enabled = block.get("enabled", True)
    if not enabled and _BUFFER in block:
        raise block.error(_BUFFER, f"this needs '{block.path('enabled')}: true'.")
    return {"block_queue": enabled, "op_granularity_run_buffer": block.get(_BUFFER, 0)}


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
