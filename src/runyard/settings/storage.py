"""Where an instance keeps its database and its log files."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode

from .classes import Chosen
from .instance import PostgresSettings, SqliteSettings
from .kinds import Section

DATABASE = "runyard.db"
_SPLIT_KEYS = ("run_storage", "event_log_storage", "schedule_storage")


def storage_settings(root: Section, home: Path) -> SqliteSettings | PostgresSettings:
    """``storage``, else the older split keys, else SQLite in the home."""
    storage: Section | None = root.get("storage")
    if storage is None:
        return _split_sqlite(root, home)
    if "postgres" in storage:
        return _postgres(storage.get("postgres"))
    sqlite: Section = storage.get("sqlite")
    synchronous = sqlite.get("synchronous", "FULL")
    return SqliteSettings(path=_database(sqlite, home), synchronous=synchronous)


def _database(section: Section | None, home: Path) -> str:
    return str(home / (section.get("base_dir", "") if section else "") / DATABASE)


def _split_sqlite(root: Section, home: Path) -> SqliteSettings:
    parts: list[Chosen] = [root.get(key) for key in _SPLIT_KEYS if key in root]
    placed = next((part.config for part in parts if part.config and "base_dir" in part.config), None)
    path = _database(placed, home)
    if parts:
        key = next(key for key in _SPLIT_KEYS if key in root)
        root.note(key, f"Runs, events and schedules are kept together in {path}.")
    return SqliteSettings(path=path)


def _postgres(section: Section) -> PostgresSettings:
    url = section.get("postgres_url") or _url(section.get("postgres_db"))
    return PostgresSettings(url=url, **({"schema": section.get("schema")} if "schema" in section else {}))


def _url(database: Section) -> str:
    password = f":{quote(database.get('password'), safe='')}" if "password" in database else ""
    user = quote(database.get("username"), safe="") + password
    place = f"{database.get('hostname')}:{database.get('port', 5432)}/{quote(database.get('db_name'), safe='')}"
    query = urlencode(database.get("params", {}))
    return f"postgresql://{user}@{place}" + (f"?{query}" if query else "")


def compute_logs_dir(root: Section, home: Path) -> str:
    """The directory under which each run's log files lie."""
    logs: Chosen | None = root.get("compute_logs")
    if logs is not None and logs.config is not None and "base_dir" in logs.config:
        return str(home / logs.config.get("base_dir"))
    if logs is not None and logs.name == "NoOpComputeLogManager":
        root.note("compute_logs", "The output of runs is kept all the same, in files under the home.")
    return str(_artifacts(root, home) / "storage")


def outputs_dir(root: Section, home: Path) -> str:
    """The directory under which lie the values that steps hand on, by run."""
    return str(_artifacts(root, home) / "outputs")


def _artifacts(root: Section, home: Path) -> Path:
    artifacts: Chosen | None = root.get("local_artifact_storage")
    base = artifacts.config.get("base_dir", "") if artifacts is not None and artifacts.config is not None else ""
    return home / str(base)
