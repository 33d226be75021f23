"""What a running process takes over from an instance file that was edited, and what it takes only at its next start."""

from __future__ import annotations

import operator
from collections.abc import Mapping

import msgspec

from .instance import InstanceSettings

replace = msgspec.structs.replace

#: What is read once, when a process starts: the key as the file has it, and where its values are.
AT_START = {
    "storage": ("storage",),
    "compute_logs": ("compute_logs_dir",),
    "local_artifact_storage": ("outputs_dir",),
    "run_coordinator": ("queue.queued",),
    "run_monitoring.enabled": ("monitoring.enabled",),
    "scheduler.class": ("scheduler.enabled",),
    "schedules": ("schedules",),
    "sensors": ("sensors",),
    "python_logs": ("python_logs",),
    "code_servers.local_startup_timeout": ("code_servers.local_startup_timeout",),
}
#: What takes effect while everything runs, by the sections that people write it in.
AT_ONCE = {
    "concurrency": ("queue.rules",),
    "run_queue": (
        "queue.dequeue_interval_seconds",
        "queue.max_user_code_failure_retries",
        "queue.user_code_failure_retry_delay",
    ),
    "run_monitoring": ("monitoring",),
    "run_retries": ("retries",),
    "scheduler": ("scheduler",),
    "code_servers": ("code_servers",),
}


def needs_restart(started: InstanceSettings, read: InstanceSettings) -> tuple[str, ...]:
    """The keys in which the file differs from what the process started with and cannot change any more."""
    return _different(AT_START, started, read)


def taken_over(before: InstanceSettings, after: InstanceSettings) -> tuple[str, ...]:
    """The sections in which two settings in force differ."""
    return _different(AT_ONCE, before, after)


def in_force(started: InstanceSettings, read: InstanceSettings) -> InstanceSettings:
    """The file as read, with what the process started with where it cannot change."""
    return replace(
        read,
        ephemeral=started.ephemeral,
        storage=started.storage,
        compute_logs_dir=started.compute_logs_dir,
        outputs_dir=started.outputs_dir,
        queue=replace(read.queue, queued=started.queue.queued),
        monitoring=replace(read.monitoring, enabled=started.monitoring.enabled),
        scheduler=replace(read.scheduler, enabled=started.scheduler.enabled),
        schedules=started.schedules,
        sensors=started.sensors,
        python_logs=started.python_logs,
        code_servers=replace(read.code_servers, local_startup_timeout=started.code_servers.local_startup_timeout),
        why_off=read.why_off if read.why_off.keys() == started.why_off.keys() else started.why_off,
    )


def _different(keys: Mapping[str, tuple[str, ...]], one: InstanceSettings, other: InstanceSettings) -> tuple[str, ...]:
    def differ(path: str) -> bool:
        value = operator.attrgetter(path)
        return bool(value(one) != value(other))

    return tuple(key for key, paths in keys.items() if any(differ(path) for path in paths))
