"""Every key of the instance file: what it may hold, what excludes what, and which ones change nothing here."""

from __future__ import annotations

from .classes import AnyClass, ConfiguredClass
from .concurrency import CONCURRENCY, FIELD_RUNS
from .kinds import (
    Choice,
    Dictionary,
    Either,
    Flag,
    Host,
    Integer,
    Keys,
    Kind,
    Maybe,
    NotYet,
    Number,
    Secret,
    Text,
    Unused,
    Url,
)
from .python_logs import PYTHON_LOGS

_EVENT_DRIVEN = "Launches travel in batches to processes that fork; there are no launch threads to configure."

RUN_QUEUE = Keys(
    {
        **FIELD_RUNS,
        "dequeue_interval_seconds": Number(above=True),
        "dequeue_use_threads": Unused(Flag(), _EVENT_DRIVEN),
        "dequeue_num_workers": Unused(Maybe(Integer(minimum=1)), _EVENT_DRIVEN),
        "max_user_code_failure_retries": Integer(minimum=0),
        "user_code_failure_retry_delay": Number(),
        "block_op_concurrency_limited_runs": Keys(
            {"enabled": Flag(), "op_concurrency_slot_buffer": Integer(minimum=0)}
        ),
    }
)

RUN_MONITORING = Keys(
    {
        "enabled": Flag(),
        "start_timeout_seconds": Number(),
        "cancel_timeout_seconds": Number(),
        "max_runtime_seconds": Number(),
        "max_resume_run_attempts": Integer(minimum=0),
        "poll_interval_seconds": Number(above=True),
        "cancellation_thread_poll_interval_seconds": Unused(
            Number(above=True), "A cancellation reaches the worker as a signal; nothing polls for it."
        ),
        "free_slots_after_run_end_seconds": Unused(
            Maybe(Number()), "Slots cannot leak: they are free in the transaction that ends the step or the run."
        ),
    }
)

RUN_RETRIES = Keys({"enabled": Flag(), "max_retries": Integer(minimum=0), "retry_on_asset_or_op_failure": Flag()})

_THREADS: dict[str, Kind] = {
    "use_threads": Flag(),
    "num_workers": Maybe(Integer(minimum=1)),
    "num_submit_workers": Maybe(Integer(minimum=1)),
}

_POSTGRES = Keys(
    {
        "postgres_url": Url(),
        "postgres_db": Keys(
            {
                "username": Secret(),
                "password": Secret(),
                "hostname": Host(),
                "db_name": Text(),
                "port": Integer(minimum=1, maximum=65535),
                "params": Dictionary(),
                "scheme": Unused(Text(), "The driver is always psycopg."),
            },
            required=("username", "hostname", "db_name"),
        ),
        "should_autocreate_tables": Unused(Flag(), "Tables are made in a schema of their own when they are missing."),
        "schema": Text(),
    },
    one_of=("postgres_url", "postgres_db"),
)

_SQLITE = Keys({"base_dir": Text(), "synchronous": Choice("FULL", "NORMAL", "OFF")})

_NOT_SQLITE = "'{name}' is not there; for PostgreSQL write 'storage: postgres: …' instead of the three split keys."


def _split(name: str) -> ConfiguredClass:
    return ConfiguredClass("storage", {name: Keys({"base_dir": Text()})}, foreign=_NOT_SQLITE)


_PURGE = Keys(
    {
        "purge_after_days": Either(
            Integer(minimum=-1),
            Keys({status: Integer(minimum=-1) for status in ("skipped", "success", "failure", "started")}),
        )
    }
)

INSTANCE = Keys(
    {
        "storage": Keys(
            {
                "sqlite": _SQLITE,
                "postgres": _POSTGRES,
                "mysql": NotYet("MySQL is not there yet; use sqlite or postgres."),
                "custom": NotYet("Storage classes of your own are not there yet; use sqlite or postgres."),
            },
            one_of=("sqlite", "postgres", "mysql", "custom"),
        ),
        "run_storage": _split("SqliteRunStorage"),
        "event_log_storage": _split("SqliteEventLogStorage"),
        "schedule_storage": _split("SqliteScheduleStorage"),
        "local_artifact_storage": ConfiguredClass(
            "storage",
            {"LocalArtifactStorage": Keys({"base_dir": Text()})},
            foreign="'{name}' is not there; use LocalArtifactStorage.",
        ),
        "compute_logs": ConfiguredClass(
            "storage",
            {
                "LocalComputeLogManager": Keys(
                    {
                        "base_dir": Text(),
                        "polling_timeout": Unused(Number(), "Log files are followed as they grow, without polling."),
                    }
                ),
                "NoOpComputeLogManager": Keys({}),
            },
            foreign="'{name}' is not there yet; use LocalComputeLogManager or NoOpComputeLogManager.",
        ),
        "scheduler": ConfiguredClass(
            "scheduler",
            {
                "DagsterDaemonScheduler": Keys(
                    {"max_catchup_runs": Integer(minimum=0), "max_tick_retries": Integer(minimum=0)}
                )
            },
            foreign=None,
        ),
        "run_queue": RUN_QUEUE,
        "run_coordinator": ConfiguredClass(
            "run_coordinator",
            {"QueuedRunCoordinator": RUN_QUEUE, "DefaultRunCoordinator": Keys({})},
            foreign="'{name}' is not there; use QueuedRunCoordinator or DefaultRunCoordinator.",
        ),
        "run_launcher": ConfiguredClass(
            "launcher",
            {"DefaultRunLauncher": Keys({})},
            foreign="'{name}' is not there yet; use DefaultRunLauncher, or leave the key out.",
        ),
        "concurrency": CONCURRENCY,
        "run_monitoring": RUN_MONITORING,
        "run_retries": RUN_RETRIES,
        "schedules": Keys(_THREADS),
        "sensors": Keys(_THREADS),
        "backfills": Unused(Keys(_THREADS), "Backfills are not there yet."),
        "code_servers": Keys(
            {
                "local_startup_timeout": Number(above=True),
                "reload_timeout": Number(above=True),
                "wait_for_local_processes_on_shutdown": Unused(
                    Flag(), "Location hosts outlive the command by themselves while they have workers."
                ),
            }
        ),
        "retention": Unused(
            Keys({"schedule": _PURGE, "sensor": _PURGE, "auto_materialize": _PURGE}),
            "Old ticks are not purged yet; everything is kept.",
        ),
        "auto_materialize": Unused(
            Keys(
                {
                    "enabled": Flag(),
                    "minimum_interval_seconds": Maybe(Integer(minimum=0)),
                    "run_tags": Dictionary(),
                    "respect_materialization_data_versions": Flag(),
                    "max_tick_retries": Integer(minimum=0),
                    "use_sensors": Flag(),
                    "use_threads": Flag(),
                    "num_workers": Maybe(Integer(minimum=1)),
                }
            ),
            "Automatic materialization of assets is not there yet.",
        ),
        "freshness": Unused(Keys({"enabled": Flag()}), "Freshness policies are not there yet."),
        "python_logs": PYTHON_LOGS,
        "telemetry": Unused(
            Keys({"enabled": Flag()}),
            "Runyard never sends telemetry, whatever this says.",
        ),
        "nux": Unused(Keys({"enabled": Flag()}), "There is no first-use dialog to turn off."),
        "instance_class": Unused(AnyClass(), "Instance classes of your own are not loaded."),
        "secrets": Unused(
            Keys({"custom": AnyClass()}), "Only the environment and the .env file are read; this class is not loaded."
        ),
        "defs_state_storage": Unused(AnyClass(), "Definitions state is not kept; this class is not loaded."),
    },
    excludes=[
        ("storage", "run_storage"),
        ("storage", "event_log_storage"),
        ("storage", "schedule_storage"),
        ("run_queue", "run_coordinator"),
    ],
)
