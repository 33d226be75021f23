from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from runyard.core.clock import ManualClock
from runyard.settings.instance import InstanceSettings, SqliteSettings
from runyard.storage.protocols import Stores
from runyard.web.app import create_app
from runyard.web.server import WebServer

from .yard import Yard


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[FastAPI, str]]:
    """One server for every test; each gives it an instance of its own."""
    nobody = SimpleNamespace(stores=SimpleNamespace(wakeups=SimpleNamespace(listen=lambda _: lambda: None)))
    app = create_app(nobody, None)
    server = WebServer(lambda: app, "127.0.0.1", 0)
    server.start()
    yield app, server.url
    server.stop()


@pytest.fixture
def settings(tmp_path: Path) -> InstanceSettings:
    return InstanceSettings(
        home=str(tmp_path),
        storage=SqliteSettings(str(tmp_path / "runyard.db")),
        compute_logs_dir=str(tmp_path / "logs"),
        outputs_dir=str(tmp_path / "outputs"),
    )


@pytest.fixture
def make_yard(
    served: tuple[FastAPI, str], settings: InstanceSettings, clock: ManualClock
) -> Iterator[Callable[[Stores], Yard]]:
    app, url = served
    with httpx.Client(base_url=f"{url}/api/v1") as client:

        def make(stores: Stores) -> Yard:
            yard = Yard(app, client, stores, settings, clock)
            yard.serve()
            return yard

        yield make


@pytest.fixture
def yard(make_yard: Callable[[Stores], Yard], sqlite_stores: Stores) -> Yard:
    return make_yard(sqlite_stores)
