"""A process that is killed inside a transaction leaves nothing of it; a killed connection is told as such."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import msgspec
import psycopg
import pytest
import sqlalchemy as sa

from runyard.core.clock import ManualClock
from runyard.core.errors import StorageUnavailable
from runyard.settings.instance import PostgresSettings, SqliteSettings
from runyard.storage.open import SqlStores, open_stores
from runyard.storage.protocols import RunsFilter
from runyard.storage.schema import events

from .make import SENSOR, commit, enqueue, keyed, lead, tick

# Commits a tick, killing itself before the statement of the given number is executed; numbers beyond the last: lives.
_COMMIT_AND_DIE = """
import os, signal, sys
import msgspec, sqlalchemy
sys.path.insert(0, sys.argv[4])
from runyard.core.clock import ManualClock
from runyard.settings.instance import PostgresSettings, SqliteSettings
from runyard.storage.open import open_stores
from storage.make import commit, keyed, lead
kind = SqliteSettings if sys.argv[1] == "sqlite" else PostgresSettings
stores = open_stores(msgspec.json.decode(sys.argv[2], type=kind), ManualClock(), runtime_dir=sys.argv[3])
fence = lead(stores, "sensor")
engine = getattr(stores.database, "_writer", None) or stores.database._engine
left = int(sys.argv[5])

@sqlalchemy.event.listens_for(engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

@sqlalchemy.event.listens_for(engine, "commit")
def at_commit(_):
    count()

commit(stores, keyed("a", "b"), fence=fence)
print(int(sys.argv[5]) - left, flush=True)
"""


def _run(settings: SqliteSettings | PostgresSettings, runtime_dir: str, statements: int) -> tuple[int, str]:
    kind = "sqlite" if isinstance(settings, SqliteSettings) else "postgres"
    tests = __file__.rsplit("/", 2)[0]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _COMMIT_AND_DIE,
            kind,
            msgspec.json.encode(settings).decode(),
            runtime_dir,
            tests,
            str(statements),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.strip()


def test_a_tick_is_committed_whole_or_not_at_all(
    stores: SqlStores, storage_settings: SqliteSettings | PostgresSettings, runtime_dir: str
) -> None:
    # Before the first statement, in the middle, and with everything but the commit done.
    for statements in (0, 4, 8, 12):
        assert _run(storage_settings, runtime_dir, statements)[0] == -signal.SIGKILL
        assert stores.runs.count(RunsFilter()) == 0
        assert stores.ticks.list(SENSOR, limit=9) == []
        assert stores.ticks.states() == []
    code, executed = _run(storage_settings, runtime_dir, 1000)
    assert (code, int(executed) > 12) == (0, True)
    assert stores.runs.count(RunsFilter()) == 2
    assert commit(stores, keyed("a", "b"), ended=tick(), fence=lead(stores, "sensor")).runs == ()


def test_a_lost_server_connection_is_told_and_survived(
    postgres_stores: SqlStores, postgres_settings: PostgresSettings
) -> None:
    def kill_connections() -> None:
        with psycopg.connect(postgres_settings.url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'runyard'")

    enqueue(postgres_stores)
    with pytest.raises(StorageUnavailable), postgres_stores.database.write() as connection:
        connection.execute(sa.delete(events).where(_is_true_after(kill_connections)))
    kill_connections()
    enqueue(postgres_stores)
    assert postgres_stores.queue.depth() == 2


def _is_true_after(action: Callable[[], None]) -> sa.ColumnElement[bool]:
    action()
    return sa.true()


def test_an_unreachable_server_is_unavailable(runtime_dir: str) -> None:
    settings = PostgresSettings("postgresql://nobody:secret@127.0.0.1:1/none")
    with pytest.raises(StorageUnavailable, match=r"127\.0\.0\.1:1/none") as caught:
        open_stores(settings, ManualClock(), runtime_dir=runtime_dir)
    assert "secret" not in str(caught.value)
