"""What of an edited instance file takes effect at once, and what needs a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from runyard.settings.changes import AT_ONCE, AT_START, in_force, needs_restart, taken_over
from runyard.settings.instance import InstanceSettings
from runyard.settings.loading import load_settings

LOGS = (
    "compute_logs: {module: dagster.core.storage.local_compute_log_manager, class: LocalComputeLogManager,"
    " config: {base_dir: /x}}"
)


def read(home: Path, text: str) -> InstanceSettings:
    (home / "runyard.yaml").write_text(text)
    return load_settings(str(home), env={})


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        ("concurrency: {runs: {max_concurrent_runs: 3}}", ("concurrency",)),
        ("concurrency: {pools: {limits: {db: 1}}}", ("concurrency",)),
        ("run_queue: {max_concurrent_runs: 3}", ("concurrency",)),
        ("run_queue: {dequeue_interval_seconds: 1}", ("run_queue",)),
        ("run_retries: {enabled: true, max_retries: 2}", ("run_retries",)),
        ("run_monitoring: {cancel_timeout_seconds: 5}", ("run_monitoring",)),
        ("code_servers: {reload_timeout: 5}", ("code_servers",)),
        ("# nothing but a comment", ()),
        ("", ()),
    ],
)
def test_what_takes_effect_at_once(tmp_path: Path, text: str, sections: tuple[str, ...]) -> None:
    started = read(tmp_path, "")
    new = read(tmp_path, text)
    assert needs_restart(started, new) == ()
    effective = in_force(started, new)
    assert effective == new
    assert taken_over(started, effective) == sections


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("storage: {sqlite: {base_dir: other}}", "storage"),
        (
            LOGS,
            "compute_logs",
        ),
        ("run_monitoring: {enabled: true}", "run_monitoring.enabled"),
        ("schedules: {use_threads: true, num_workers: 2}", "schedules"),
        ("sensors: {use_threads: true, num_workers: 2}", "sensors"),
        ("python_logs: {managed_python_loggers: [root]}", "python_logs"),
        ("code_servers: {local_startup_timeout: 5}", "code_servers.local_startup_timeout"),
        ("run_coordinator: {module: dagster.core.run_coordinator, class: DefaultRunCoordinator}", "run_coordinator"),
    ],
)
def test_what_needs_a_restart_stays_as_the_process_started(tmp_path: Path, text: str, key: str) -> None:
    started = read(tmp_path, "")
    new = read(tmp_path, text)
    assert needs_restart(started, new) == (key,)
    effective = in_force(started, new)
    assert needs_restart(started, effective) == ()
    assert taken_over(started, effective) == ()
    assert effective.why_off == started.why_off
    # The file as it is now is shown all the same.
    assert effective.text == text


def test_both_in_one_edit_and_back(tmp_path: Path) -> None:
    started = read(tmp_path, "concurrency: {runs: {max_concurrent_runs: 5}}")
    new = read(tmp_path, "concurrency: {runs: {max_concurrent_runs: 3}}\nrun_monitoring: {enabled: true}\n")
    effective = in_force(started, new)
    assert effective.queue.rules.max_concurrent_runs == 3
    assert not effective.monitoring.enabled
    assert needs_restart(started, new) == ("run_monitoring.enabled",)
    assert needs_restart(started, started) == ()


def test_every_setting_is_of_one_kind() -> None:
    """A new setting has to be said to be one or the other."""
    named = {path.partition(".")[0] for paths in (*AT_START.values(), *AT_ONCE.values()) for path in paths}
    shown = {"home", "file", "text", "ephemeral", "why_off", "notices"}
    assert named | shown == set(InstanceSettings.__struct_fields__)
