"""The instance file as values: every key has its default here."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ..core.policies import RunPolicies
from ..core.policy_tags import TagsInForce
from ..queue.rules import Rules


class QueueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``concurrency`` / ``run_queue`` / ``run_coordinator``.

    ``queued`` False is the direct coordinator; of the rules only the pools count then, for the steps of runs.
    """

    queued: bool = True
    rules: Rules = Rules()
    dequeue_interval_seconds: float = 5.0
    max_user_code_failure_retries: int = 0
    user_code_failure_retry_delay: float = 60.0


class MonitoringSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``run_monitoring``. Seconds; 0 turns a timeout off."""

    enabled: bool = False
    start_timeout_seconds: float = 180.0
    cancel_timeout_seconds: float = 180.0
    max_runtime_seconds: float = 0.0
    max_resume_run_attempts: int = 0
    poll_interval_seconds: float = 120.0


class RetriesSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``run_retries``."""

    enabled: bool = False
    max_retries: int = 0
    retry_on_asset_or_op_failure: bool = True


class PythonLogsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``python_logs``: which loggers of Python's become lines of the run, from which level on, and who else gets them.

    ``handlers``: handlers, formatters and filters, as ``logging.config.dictConfig`` takes them.
    """

    managed_loggers: tuple[str, ...] = ()
    level: str | None = None
    handlers: dict[str, Any] = {}


class PoolSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``schedules`` or ``sensors``: evaluation threads."""

    use_threads: bool = False
    num_workers: int | None = None
    num_submit_workers: int | None = None


class SchedulerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """``enabled`` False when the instance's ``scheduler`` is overridden by another class."""

    enabled: bool = True
    max_catchup_runs: int = 5
    max_tick_retries: int = 0


class SqliteSettings(msgspec.Struct, frozen=True):
    """``path``: absolute path of the database file."""

    path: str
    synchronous: Literal["FULL", "NORMAL", "OFF"] = "FULL"


class PostgresSettings(msgspec.Struct, frozen=True):
    """``url``: a libpq or SQLAlchemy URL; the driver is always psycopg 3."""

    url: str
    schema: str = "runyard"


class CodeServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    local_startup_timeout: float = 180.0
    reload_timeout: float = 180.0


class WhyOff(msgspec.Struct, frozen=True):
    """Where a daemon is turned off: ``run_monitoring.enabled: false`` and ``runyard.yaml:14``, None for a default."""

    setting: str
    where: str | None = None


class InstanceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A whole instance file. ``home`` is absolute; ``file`` is the one that was read, None without one."""

    home: str
    file: str | None = None
    #: The file's text, for Deployment > Configuration.
    text: str = ""
    ephemeral: bool = False
    storage: SqliteSettings | PostgresSettings
    compute_logs_dir: str
    #: Where the values that steps hand on are kept.
    outputs_dir: str
    queue: QueueSettings = QueueSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    retries: RetriesSettings = RetriesSettings()
    python_logs: PythonLogsSettings = PythonLogsSettings()
    scheduler: SchedulerSettings = SchedulerSettings()
    schedules: PoolSettings = PoolSettings()
    sensors: PoolSettings = PoolSettings()
    code_servers: CodeServerSettings = CodeServerSettings()
    #: Keyed by daemon type string, for the daemons that the file leaves off.
    why_off: dict[str, WhyOff] = {}
    #: Accepted keys that have no effect here, each with a sentence.
    notices: tuple[str, ...] = ()

    @property
    def kill_after(self) -> float | None:
        """Seconds that a worker which is told to stop has before it is killed; None: as long as it likes."""
        return self.monitoring.cancel_timeout_seconds or None

    @property
    def tags_in_force(self) -> TagsInForce:
        """Which tags of runs have an effect with this file."""
        return TagsInForce(monitoring=self.monitoring.enabled, retries=self.retries.enabled)

    @property
    def policies(self) -> RunPolicies:
        """What becomes of runs that fail and workers that are lost; resumes are the run monitor's."""
        return RunPolicies(
            retries_enabled=self.retries.enabled,
            max_retries=self.retries.max_retries,
            retry_on_step_failure=self.retries.retry_on_asset_or_op_failure,
            max_resumes=self.monitoring.max_resume_run_attempts if self.monitoring.enabled else 0,
            queued=self.queue.queued,
        )
