"""The sections beside the queue's: storage, logs, scheduler, monitoring and what has no effect here."""

from __future__ import annotations

from pathlib import Path

import pytest

from runyard.core.errors import ConfigError
from runyard.settings.instance import (
    CodeServerSettings,
    MonitoringSettings,
    PoolSettings,
    PostgresSettings,
    PythonLogsSettings,
    RetriesSettings,
    SchedulerSettings,
    SqliteSettings,
    WhyOff,
)

from .conftest import Load


def test_sqlite_in_another_directory(load: Load, tmp_path: Path) -> None:
    assert load("storage: {sqlite: {base_dir: /data/yard}}").storage == SqliteSettings(path="/data/yard/runyard.db")
    relative = load("storage: {sqlite: {base_dir: data, synchronous: NORMAL}}").storage
    assert relative == SqliteSettings(path=str(tmp_path / "data" / "runyard.db"), synchronous="NORMAL")


def test_postgres_by_url_or_by_parts(load: Load) -> None:
    url = "postgresql://me:secret@db:5433/yard"
    assert load(f"storage: {{postgres: {{postgres_url: '{url}'}}}}").storage == PostgresSettings(url=url)
    by_parts = load(
        """
        storage:
          postgres:
            postgres_db:
              username: me
              password: {env: PG_PASSWORD}
              hostname: db
              db_name: yard
              port: 5433
              params: {sslmode: require}
            schema: other
        """,
        env={"PG_PASSWORD": "p@ss/word"},
    )
    url = "postgresql://me:p%40ss%2Fword@db:5433/yard?sslmode=require"
    assert by_parts.storage == PostgresSettings(url=url, schema="other")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("storage: {}", "storage: give exactly one of sqlite, postgres"),
        ("storage:\n  sqlite: {}\n  postgres: {postgres_url: 'postgresql://x'}", "not sqlite and postgres"),
        ("storage: {mysql: {}}", "storage.mysql: MySQL is not there yet"),
        ("storage: {custom: {module: a, class: B}}", "storage.custom: Storage classes of your own are not there yet"),
        ("storage: {postgres: {}}", "storage.postgres: give exactly one of postgres_url, postgres_db"),
        ("storage: {postgres: {postgres_url: 'mysql://x'}}", "postgres_url: expected a URL like postgresql://"),
        ("storage: {postgres: {postgres_db: {username: a, hostname: b}}}", "postgres_db.db_name: missing"),
        (
            "storage: {sqlite: {}}\nrun_storage: {module: dagster, class: SqliteRunStorage}",
            "'storage' and 'run_storage'",
        ),
        (
            "run_storage: {module: dagster_postgres.run_storage, class: PostgresRunStorage}",
            "run_storage.class: 'dagster_postgres.run_storage.PostgresRunStorage' is not there; for PostgreSQL write",
        ),
    ],
)
def test_storage_that_cannot_be_meant(load: Load, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert told in str(caught.value)


def test_a_password_is_never_repeated_in_an_error(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load("storage: {postgres: {postgres_url: 'mysql://me:hunter2@db/x'}}")
    assert "hunter2" not in str(caught.value)


def test_the_older_split_form_for_sqlite(load: Load, tmp_path: Path) -> None:
    settings = load(
        """
        run_storage:
          module: dagster.core.storage.runs
          class: SqliteRunStorage
          config: {base_dir: /data/history}
        event_log_storage:
          module: dagster._core.storage.event_log
          class: SqliteEventLogStorage
          config: {base_dir: /data/events}
        schedule_storage: {module: dagster, class: SqliteScheduleStorage}
        """
    )
    assert settings.storage == SqliteSettings(path="/data/history/runyard.db")
    assert any("kept together in /data/history/runyard.db" in notice for notice in settings.notices)
    plain = load("event_log_storage: {module: dagster, class: SqliteEventLogStorage}")
    assert plain.storage == SqliteSettings(path=str(tmp_path / "runyard.db"))


def test_compute_logs(load: Load, tmp_path: Path) -> None:
    local = "compute_logs: {module: dagster.core.storage.local_compute_log_manager, class: LocalComputeLogManager"
    assert load(local + ", config: {base_dir: /logs}}").compute_logs_dir == "/logs"
    assert load(local + "}").compute_logs_dir == str(tmp_path / "storage")
    nothing = load(
        "compute_logs: {module: dagster._core.storage.noop_compute_log_manager, class: NoOpComputeLogManager}"
    )
    assert any("kept all the same" in notice for notice in nothing.notices)
    artifacts = "{module: dagster.core.storage.root, class: LocalArtifactStorage, config: {base_dir: /a}}"
    assert load(f"local_artifact_storage: {artifacts}").compute_logs_dir == "/a/storage"
    with pytest.raises(ConfigError, match="S3ComputeLogManager' is not there yet; use LocalComputeLogManager"):
        load("compute_logs: {module: dagster_aws.s3, class: S3ComputeLogManager}")


def test_the_scheduler(load: Load) -> None:
    settings = load(
        """
        scheduler:
          module: dagster.core.scheduler
          class: DagsterDaemonScheduler
          config: {max_catchup_runs: 0, max_tick_retries: 2}
        """
    )
    assert settings.scheduler == SchedulerSettings(enabled=True, max_catchup_runs=0, max_tick_retries=2)
    assert "SCHEDULER" not in settings.why_off
    other = load("scheduler:\n  module: mine.cron\n  class: CronScheduler\n  config: {any: [thing]}\n")
    assert not other.scheduler.enabled
    assert other.why_off["SCHEDULER"] == WhyOff("scheduler.class: CronScheduler (of mine.cron)", "runyard.yaml:3")
    with pytest.raises(ConfigError, match=r"there is no class 'DagsterDaemonSchedular'\. Did you mean 'DagsterDaemonS"):
        load("scheduler: {module: dagster.core.scheduler, class: DagsterDaemonSchedular}")
    with pytest.raises(ConfigError, match=r"scheduler\.module: there is no module 'dagster\.core\.schedular'"):
        load("scheduler: {module: dagster.core.schedular, class: DagsterDaemonScheduler}")


def test_run_launchers_other_than_ours_are_refused_clearly(load: Load) -> None:
    load("run_launcher: {module: dagster, class: DefaultRunLauncher}")
    load("run_launcher: {module: dagster.core.launcher, class: DefaultRunLauncher, config: {}}")
    with pytest.raises(ConfigError, match=r":3: run_launcher\.class: 'dagster_k8s\.K8sRunLauncher' is not there yet"):
        load("run_launcher:\n  module: dagster_k8s\n  class: K8sRunLauncher\n")


def test_monitoring(load: Load) -> None:
    settings = load(
        """
        run_monitoring:
          enabled: true
          start_timeout_seconds: 10
          cancel_timeout_seconds: 20
          max_runtime_seconds: 30
          max_resume_run_attempts: 1
          poll_interval_seconds: 0.5
          cancellation_thread_poll_interval_seconds: 2
          free_slots_after_run_end_seconds: 60
        """
    )
    assert settings.monitoring == MonitoringSettings(
        enabled=True,
        start_timeout_seconds=10,
        cancel_timeout_seconds=20,
        max_runtime_seconds=30,
        max_resume_run_attempts=1,
        poll_interval_seconds=0.5,
    )
    assert settings.why_off == {}
    polled, freed = settings.notices
    assert "run_monitoring.cancellation_thread_poll_interval_seconds: A cancellation reaches the worker as a" in polled
    assert "run_monitoring.free_slots_after_run_end_seconds: Slots cannot leak" in freed
    off = load("run_monitoring:\n  enabled: false\n").why_off
    assert off["MONITORING"] == WhyOff("run_monitoring.enabled: false", "runyard.yaml:2")
    assert load("").why_off["MONITORING"].where is None
    assert load("run_monitoring: {free_slots_after_run_end_seconds: null}").monitoring == MonitoringSettings()


@pytest.mark.parametrize("key", ["max_runtime_seconds", "max_resume_run_attempts"])
def test_monitoring_that_is_off_says_what_has_no_effect(load: Load, key: str) -> None:
    (notice,) = load(f"run_monitoring:\n  {key}: 3\n").notices
    assert notice.endswith(f"runyard.yaml:2: run_monitoring.{key}: This has no effect without 'enabled: true'.")
    assert load(f"run_monitoring: {{enabled: true, {key}: 3}}").notices == ()


def test_run_retries(load: Load) -> None:
    settings = load("run_retries: {enabled: true, max_retries: 3, retry_on_asset_or_op_failure: false}")
    assert settings.retries == RetriesSettings(enabled=True, max_retries=3, retry_on_asset_or_op_failure=False)
    assert settings.notices == ()
    off = load("run_retries:\n  max_retries: 3\n")
    assert off.retries == RetriesSettings(max_retries=3)
    (notice,) = off.notices
    assert "runyard.yaml:2: run_retries.max_retries: This has no effect without 'enabled: true'." in notice
    with pytest.raises(ConfigError, match=r"run_retries\.max_retries: expected an integer of at least 0, got -1"):
        load("run_retries: {max_retries: -1}")


def test_python_logs(load: Load) -> None:
    settings = load(
        """
        python_logs:
          managed_python_loggers: [root, app.db]
          python_log_level: info
          dagster_handler_config:
            handlers:
              file:
                class: logging.FileHandler
                filename: /var/log/runs.log
                formatter: plain
                filters: [quiet]
            formatters: {plain: {format: "%(message)s"}}
            filters: {quiet: {name: app}}
        """
    )
    handler = {"class": "logging.FileHandler", "filename": "/var/log/runs.log", "formatter": "plain"}
    parts = {
        "handlers": {"file": {**handler, "filters": ["quiet"]}},
        "formatters": {"plain": {"format": "%(message)s"}},
        "filters": {"quiet": {"name": "app"}},
    }
    assert settings.python_logs == PythonLogsSettings(managed_loggers=("root", "app.db"), level="INFO", handlers=parts)
    assert settings.notices == ()
    empty = load("python_logs: {managed_python_loggers: , python_log_level: , dagster_handler_config: }")
    assert empty.python_logs == PythonLogsSettings()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("python_log_level: INFOO", "python_logs.python_log_level: expected one of DEBUG, INFO, WARNING, ERROR, CRIT"),
        ("python_log_level: INFOO", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL. Did you mean 'INFO'?"),
        ("python_log_level: 20", "expected one of DEBUG, INFO, WARNING, ERROR, CRITICAL, got 20."),
        ("managed_python_loggers: root", "python_logs.managed_python_loggers: expected a list, got a single value"),
        (
            "dagster_handler_config: {handlers: {x: {level: INFO}}}",
            "dagster_handler_config.handlers.x: a handler needs 'class'",
        ),
        (
            "dagster_handler_config: {handlers: {x: {class: a.B, formatter: plane}}, formatters: {plain: {}}}",
            "handler 'x' uses one that is not among the formatters. Did you mean 'plain'?",
        ),
        ("dagster_handler_config: {handlers: {x: 1}}", "handlers.x: expected a mapping, got a single value"),
        ("dagster_handler_config: {loggers: {}}", "dagster_handler_config.loggers: unknown key"),
    ],
)
def test_python_logs_that_cannot_be_meant(load: Load, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(f"python_logs: {{{text}}}")
    assert told in str(caught.value)


@pytest.mark.parametrize(("given", "read"), [("warn", "WARNING"), ("FATAL", "CRITICAL"), ("Debug", "DEBUG")])
def test_levels_in_pythons_other_names(load: Load, given: str, read: str) -> None:
    assert load(f"python_logs: {{python_log_level: {given}}}").python_logs.level == read
    variable = load("python_logs: {python_log_level: {env: LEVEL}}", env={"LEVEL": given})
    assert variable.python_logs.level == read


def test_threads_and_code_servers(load: Load) -> None:
    settings = load(
        """
        schedules: {use_threads: true, num_workers: 4, num_submit_workers: 2}
        sensors: {use_threads: false, num_workers: }
        code_servers: {local_startup_timeout: 5, reload_timeout: 6, wait_for_local_processes_on_shutdown: true}
        """
    )
    assert settings.schedules == PoolSettings(use_threads=True, num_workers=4, num_submit_workers=2)
    assert settings.sensors == PoolSettings()
    assert settings.code_servers == CodeServerSettings(local_startup_timeout=5, reload_timeout=6)


UNUSED = {
    "telemetry": "{enabled: false}",
    "nux": "{enabled: false}",
    "secrets": "{custom: {module: a, class: B, config: {c: d}}}",
    "defs_state_storage": "{module: a, class: B}",
    "instance_class": "{module: a, class: B}",
    "retention": "{schedule: {purge_after_days: 7}, sensor: {purge_after_days: {skipped: 1, success: -1}}}",
    "backfills": "{use_threads: true, num_workers: 2}",
    "auto_materialize": "{enabled: false, run_tags: {a: b}, minimum_interval_seconds: 30, use_sensors: false}",
    "freshness": "{enabled: true}",
}


@pytest.mark.parametrize("key", UNUSED)
def test_keys_without_effect_are_accepted_and_said_so(load: Load, key: str) -> None:
    (notice,) = load(f"# a comment\n{key}: {UNUSED[key]}\n").notices
    assert f"runyard.yaml:2: {key}: " in notice


@pytest.mark.parametrize("key", UNUSED)
def test_keys_without_effect_are_checked_all_the_same(load: Load, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"{key}\.certainly_wrong: unknown key"):
        load(f"{key}:\n  certainly_wrong: 1\n")
