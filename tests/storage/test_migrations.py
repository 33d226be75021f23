"""Migrations replayed give the schema that a new database is created with, and strange databases are refused."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from runyard.core.clock import ManualClock
from runyard.core.errors import ConfigError, StorageUnavailable
from runyard.core.events import BEGINNING
from runyard.core.policies import RunPolicies
from runyard.core.pools import PoolNeeds
from runyard.core.run import RunStatus
from runyard.queue.lanes import parse_lane
from runyard.queue.rules import PoolRules, Rules, TagRule
from runyard.settings.instance import PostgresSettings, SqliteSettings
from runyard.storage import migrations
from runyard.storage.open import _database, migrate_storage, open_stores
from runyard.storage.protocols import RunsFilter
from runyard.storage.schema import REVISION, REVISIONS

from .make import claim, enqueue, get, lead, started

_CATALOG = {
    "columns": "SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default, is_identity"
    " FROM information_schema.columns WHERE table_schema = 'runyard' ORDER BY table_name, ordinal_position",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'runyard'::regnamespace ORDER BY 1, 2",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'runyard' ORDER BY 1",
    "sequences": "SELECT sequencename, data_type, start_value, cache_size FROM pg_sequences"
    " WHERE schemaname = 'runyard' ORDER BY 1",
    "rules": "SELECT * FROM runyard.rules",
    "revision": "SELECT * FROM runyard.alembic_version",
}


def _postgres_catalog(url: str) -> dict[str, list[tuple[object, ...]]]:
    with psycopg.connect(url) as connection:
        return {name: connection.execute(query).fetchall() for name, query in _CATALOG.items()}  # type: ignore[arg-type]  # constants above


def _sqlite_catalog(path: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
        rows += connection.execute("SELECT * FROM rules").fetchall()
        rows += connection.execute("SELECT * FROM alembic_version").fetchall()
    finally:
        connection.close()
    return [
        tuple(re.sub(r"\s+", " ", field).strip() if isinstance(field, str) else field for field in row) for row in rows
    ]


def _open_and_close(settings: SqliteSettings | PostgresSettings, runtime_dir: str) -> None:
    open_stores(settings, ManualClock(), runtime_dir=runtime_dir).close()


@contextmanager
def _migrated_to(settings: SqliteSettings | PostgresSettings, revision: str) -> Iterator[sa.Connection]:
    """A transaction in a database that an older version of Runyard made."""
    database = _database(settings, ManualClock())
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with database.write() as connection:
        database.claim_namespace(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        yield connection
    database.close()


def test_sqlite_replayed_is_the_schema(tmp_path: Path, runtime_dir: str) -> None:
    created, replayed = str(tmp_path / "created.db"), str(tmp_path / "replayed.db")
    _open_and_close(SqliteSettings(created), runtime_dir)
    assert migrate_storage(SqliteSettings(replayed), ManualClock()) == REVISION
    assert _sqlite_catalog(replayed) == _sqlite_catalog(created)


def test_postgres_replayed_is_the_schema(postgres_url: str, runtime_dir: str) -> None:
    settings = PostgresSettings(postgres_url)
    _open_and_close(settings, runtime_dir)
    created = _postgres_catalog(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP SCHEMA runyard CASCADE")
    assert migrate_storage(settings, ManualClock()) == REVISION
    assert _postgres_catalog(postgres_url) == created


def test_revisions_are_those_of_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_a_replayed_database_works(storage_settings: SqliteSettings | PostgresSettings, runtime_dir: str) -> None:
    migrate_storage(storage_settings, ManualClock())
    migrate_storage(storage_settings, ManualClock())
    stores = open_stores(storage_settings, ManualClock(), runtime_dir=runtime_dir)
    run = enqueue(stores)
    assert get(stores, run.run_id) == run
    stores.close()


_OLD_LANE = '{"location":"loc","job":"job","tags":{"team":"docs"},"pools":["db","gpu"]}'
_OLD_RUNS = (
    ("queued", "QUEUED", '["db","gpu"]', None, None, None),
    ("running", "STARTED", "[]", 1, 5.0, None),
    ("done", "SUCCESS", '["db"]', 2, 6.0, 7.0),
)


_OLD_LOCATIONS = {
    "bare": "null",
    "yard": '{"jobs":[{"name":"etl","pools":["db","gpu"]},{"name":"plain","pools":[]},{"name":"short"}]}',
}


def _fill_the_first_revision(settings: SqliteSettings | PostgresSettings) -> None:
    """Runs, with changes that the leader has forgotten already."""
    rules = '{"version":0,"max_concurrent_runs":3,"tag_rules":[{"key":"team","limit":1}]}'
    runs = (
        "INSERT INTO runs (run_id, job_name, location_name, tags, run_config, queue_seq, created_at, queued_at, lane,"
        " status, pools, launch_seq, launched_at, started_at, ended_at, launch_token, attempt) VALUES (:run_id, 'job',"
        """ 'loc', '{"team":"docs"}', '{}', 1, 1, 1, :lane, :status, :pools, :seq, :at, :at, :end, 'token', 1)"""
    )
    with _migrated_to(settings, "0001") as connection:
        for run_id, status, pools, seq, at, end in _OLD_RUNS:
            values = {"run_id": run_id, "status": status, "pools": pools, "seq": seq, "at": at, "end": end}
            connection.execute(sa.text(runs), values | {"lane": _OLD_LANE})
        for name, definitions in _OLD_LOCATIONS.items():
            body = f'{{"name":"{name}","state":"LOADED","definitions":{definitions}}}'
            row = {"name": name, "body": body}
            connection.execute(sa.text("INSERT INTO locations (name, body) VALUES (:name, :body)"), row)
        connection.execute(sa.text("INSERT INTO run_tags SELECT id, 'team', 'docs' FROM runs"))
        event = "INSERT INTO events (run_id, attempt, seq, type, timestamp, level, body) VALUES ('done', 1, :seq, :type"
        for seq, kind in ((None, "RUN_STARTING"), (1, "LOG"), (2, "LOG")):
            connection.execute(sa.text(f"{event}, 5, 'INFO', '{{}}')"), {"seq": seq, "type": kind})
        connection.execute(sa.text("DELETE FROM events WHERE seq = 2"))
        connection.execute(sa.text("UPDATE rules SET version = 4, lane_version = 4, body = :body"), {"body": rules})
        connection.execute(sa.text("UPDATE runs SET lane_version = 4"))
        for _ in range(3):
            connection.execute(sa.text("INSERT INTO queue_changes (kind, lane) VALUES ('lane', 'a')"))
        connection.execute(sa.text("DELETE FROM queue_changes WHERE id < 3"))


def test_runs_of_the_first_revision(storage_settings: SqliteSettings | PostgresSettings, runtime_dir: str) -> None:
    _fill_the_first_revision(storage_settings)
    assert migrate_storage(storage_settings, ManualClock()) == REVISION
    stores = open_stores(storage_settings, ManualClock(), runtime_dir=runtime_dir)
    queue, fence, rules = stores.queue, lead(stores), stores.queue.rules()
    assert (rules.version, rules.max_concurrent_runs, rules.tag_rules) == (5, 3, (TagRule("team", 1),))
    assert [get(stores, name).pools for name in ("queued", "running", "done")] == [
        PoolNeeds({"db": 1, "gpu": 1}),
        PoolNeeds(),
        PoolNeeds({"db": 1}),
    ]
    assert [found.run_id for found in stores.runs.list(RunsFilter(tags={"team": "docs"}), limit=9)] == [
        "done",
        "running",
        "queued",
    ]
    assert [one.stale for one in queue.in_order(None, limit=9)] == [True]
    assert (queue.depth(), queue.positions([get(stores, "queued")])) == (1, {"queued": 1})
    assert claim(stores, get(stores, "queued"), fence=fence) == []
    assert [parse_lane(launch.lane).pools for launch in queue.launches(0.0)] == [{}, {"db": 1}]
    assert [queue.relane(fence=fence, rules=rules) for _ in range(3)] == [1, 1, 0]
    assert parse_lane(queue.lanes()[0]).pools == {"db": 1, "gpu": 1}
    assert [parse_lane(run.lane).pools for run in queue.active()] == [{}]
    assert [(told.cursor.id, told.event.seq) for told in stores.events.of_run("done")] == [(1, None), (2, 1)]
    # Places in the logs go on where they were.
    enqueue(stores)
    assert [change.cursor.id for change in queue.changes(BEGINNING)] == [3, 4]
    assert len(claim(stores, get(stores, "queued"), fence=fence)) == 1
    assert sorted(told.cursor.id for told in stores.events.of_run("queued")) == [5, 6]
    stores.close()


def test_a_leader_loads_what_the_first_revision_queued(
    storage_settings: SqliteSettings | PostgresSettings, runtime_dir: str
) -> None:
    _fill_the_first_revision(storage_settings)
    migrate_storage(storage_settings, ManualClock())
    stores = open_stores(storage_settings, ManualClock(), runtime_dir=runtime_dir)
    # Both are of another time, but whoever looks before they are computed anew has to be able to read them.
    lanes = [*stores.queue.lanes(), *(run.lane for run in stores.queue.active())]
    assert [parse_lane(lane).pools for lane in lanes] == [{"db": 1, "gpu": 1}] * 2
    stores.close()


def test_locations_of_the_first_revision(storage_settings: SqliteSettings | PostgresSettings, runtime_dir: str) -> None:
    _fill_the_first_revision(storage_settings)
    migrate_storage(storage_settings, ManualClock())
    stores = open_stores(storage_settings, ManualClock(), runtime_dir=runtime_dir)
    bare, yard = stores.locations.all()
    assert bare.definitions is None
    assert yard.definitions is not None
    assert {job.name: job.pools for job in yard.definitions.jobs} == {
        "etl": PoolNeeds({"db": 1, "gpu": 1}),
        "plain": PoolNeeds(),
        "short": PoolNeeds(),
    }
    stores.close()


def test_what_the_second_revision_held(storage_settings: SqliteSettings | PostgresSettings, runtime_dir: str) -> None:
    run = (
        "INSERT INTO runs (run_id, job_name, location_name, status, tags, run_config, pools, created_at, queued_at,"
        " launched_at, queue_seq, launch_seq, launch_token, lane, attempt) VALUES"
        " (:run_id, 'job', 'loc', :status, '{}', '{}', :pools, 5, 5, 5, :seq, 1, 'token', :lane, 1)"
    )
    both = {"pools": "{}", "lane": '{"location":"loc","job":"job","tags":{},"pools":{},"weight":1}'}
    holder = "INSERT INTO pool_holders (pool, run_id, step_key, attempt, slots, since)"
    with _migrated_to(storage_settings, "0002") as connection:
        for seq, (run_id, status) in enumerate([("waiting", "QUEUED"), ("stopping", "CANCELING")]):
            connection.execute(sa.text(run), {"run_id": run_id, "status": status, "seq": seq} | both)
        connection.execute(sa.text("INSERT INTO pool_counters (pool, used) VALUES ('db', 2)"))
        connection.execute(sa.text(f"{holder} VALUES ('db', 'stopping', 's', 1, 2, 5)"))
    assert migrate_storage(storage_settings, ManualClock()) == REVISION
    stores = open_stores(storage_settings, ManualClock(), runtime_dir=runtime_dir)
    assert stores.policies.in_force() == RunPolicies()
    stores.limits.configure(Rules(pools=PoolRules(limits={"db": 2})))
    waiting, stopping = get(stores, "waiting"), get(stores, "stopping")
    assert (waiting.resumes, waiting.stop_failure, stopping.stop_failure) == (0, None, None)
    won = started(stores)
    step = {"attempt": 1, "pool": "db", "slots": 1, "priority": 0, "now": 9.0}
    assert not stores.pool_slots.claim(won.run_id, "s", **step)
    # It ends as it would have before, and what it held is given to who waits.
    stores.runs.end_canceling("stopping", attempt=1, message="m", now=9.0)
    assert get(stores, "stopping").status is RunStatus.CANCELED
    assert [(held.run_id, held.slots) for held in stores.pool_slots.holders()] == [(won.run_id, 1)]
    stores.close()


def test_ids_of_changes_go_on_when_all_were_forgotten(tmp_path: Path, runtime_dir: str) -> None:
    settings = SqliteSettings(str(tmp_path / "a.db"))
    with _migrated_to(settings, "0001") as connection:
        connection.execute(sa.text("INSERT INTO queue_changes (kind, lane) VALUES ('lane', 'a'), ('lane', 'b')"))
        connection.execute(sa.text("DELETE FROM queue_changes"))
    migrate_storage(settings, ManualClock())
    stores = open_stores(settings, ManualClock(), runtime_dir=runtime_dir)
    enqueue(stores)
    assert [change.cursor.id for change in stores.queue.changes(BEGINNING)] == [3]
    stores.close()


def test_an_unknown_revision_is_refused(storage_settings: SqliteSettings | PostgresSettings, runtime_dir: str) -> None:
    stores = open_stores(storage_settings, ManualClock(), runtime_dir=runtime_dir)
    with stores.database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    stores.close()
    with pytest.raises(ConfigError, match=r"revision 9999.*newer.*`runyard instance migrate`"):
        _open_and_close(storage_settings, runtime_dir)
    with pytest.raises(ConfigError, match="9999"):
        migrate_storage(storage_settings, ManualClock())


def test_an_older_revision_asks_for_migration(
    storage_settings: SqliteSettings | PostgresSettings, runtime_dir: str
) -> None:
    with _migrated_to(storage_settings, "0001"):
        pass
    with pytest.raises(ConfigError, match=rf"0001, older than {REVISION}: run `runyard instance migrate`"):
        _open_and_close(storage_settings, runtime_dir)


def test_a_database_of_something_else_is_left_alone(tmp_path: Path, runtime_dir: str) -> None:
    path = tmp_path / "other.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (id INTEGER)")
    connection.close()
    with pytest.raises(ConfigError, match="not Runyard's"):
        _open_and_close(SqliteSettings(str(path)), runtime_dir)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    connection.close()


def test_other_schemas_of_a_postgres_database_are_left_alone(postgres_url: str, runtime_dir: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE runs (theirs INTEGER)")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('theirs')")
    stores = open_stores(PostgresSettings(postgres_url), ManualClock(), runtime_dir=runtime_dir)
    enqueue(stores)
    stores.close()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT * FROM public.runs").fetchall() == []
        assert connection.execute("SELECT * FROM public.alembic_version").fetchall() == [("theirs",)]


def test_a_file_that_is_no_database(tmp_path: Path, runtime_dir: str) -> None:
    path = tmp_path / "text.db"
    path.write_text("This is no database, but long enough to be looked at as one.\n" * 100)
    with pytest.raises(StorageUnavailable, match="file is not a database"):
        _open_and_close(SqliteSettings(str(path)), runtime_dir)


def test_a_new_database_needs_neither_alembic_nor_the_other_driver(tmp_path: Path, runtime_dir: str) -> None:
    code = (
        "import sys\nfrom runyard.core.clock import SystemClock\nfrom runyard.settings.instance import SqliteSettings\n"
        "from runyard.storage.open import open_stores\n"
        f"open_stores(SqliteSettings({str(tmp_path / 'a.db')!r}), SystemClock(), runtime_dir={runtime_dir!r}).close()\n"
        f"open_stores(SqliteSettings({str(tmp_path / 'a.db')!r}), SystemClock(), runtime_dir={runtime_dir!r})\n"
        "print([name for name in ('alembic', 'psycopg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
