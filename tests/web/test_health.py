"""The addresses for health answer within their deadline, whatever else waits."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from runyard.settings.instance import SqliteSettings
from runyard.web.app import BLOCKING_CALLS
from runyard.web.routes import health

from .yard import Yard, problem

PATHS = ["/livez", "/readyz", "/healthz"]
#: Holds the database as another process of this machine can: the queue of writers, and the write lock.
HOLDER = """
import fcntl, sqlite3, sys
lock = open(sys.argv[1] + ".lock", "a+")
fcntl.flock(lock, fcntl.LOCK_EX)
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def ask(yard: Yard, path: str, method: str = "GET") -> Any:
    return yard.client.request(method, yard.client.base_url.join(path))


@pytest.fixture
def every_thread_waits(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every thread that may wait for storage or locations does, until the test is over."""
    entered, release = threading.Semaphore(0), threading.Event()

    def hang(*_: object, **__: object) -> list[tuple[str, str]]:
        entered.release()
        release.wait(60)
        return []

    monkeypatch.setattr(yard.location, "validate", hang)
    with ThreadPoolExecutor(BLOCKING_CALLS) as pool:
        for _ in range(BLOCKING_CALLS):
            pool.submit(yard.post, "/jobs/yard.py/report/validate")
        for _ in range(BLOCKING_CALLS):
            assert entered.acquire(timeout=30)
        yield
        release.set()


@pytest.mark.usefixtures("every_thread_waits")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_they_answer_while_every_other_thread_waits(yard: Yard, path: str, method: str) -> None:
    assert ask(yard, path, method).status_code == 200


@pytest.mark.usefixtures("every_thread_waits")
def test_they_answer_while_others_send_all_that_may_be_sent(yard: Yard) -> None:
    body = b'{"job_name": "report", "run_config": {"a": [' + b"1," * 240_000 + b'1], "b": "' + b"x" * 3_000_000 + b'"}}'
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(yard.client.post, "/jobs/none/none/validate", content=body, headers={"content-type": "x"})
            pool.submit(yard.client.post, "/queue/simulate", content=body, headers={"content-type": "application/json"})
        for path in PATHS:
            assert ask(yard, path).status_code == 200


@contextmanager
def held_by_another_process(path: str) -> Iterator[None]:
    command = [sys.executable, "-c", HOLDER, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield
        finally:
            holder.kill()


@pytest.mark.parametrize("path", PATHS)
def test_they_answer_while_another_process_keeps_every_writer_waiting(yard: Yard, path: str) -> None:
    storage = yard.instance.settings.storage
    assert isinstance(storage, SqliteSettings)
    with held_by_another_process(storage.path):
        assert ask(yard, path).status_code == 200


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
def test_storage_that_does_not_come_back_is_told_at_the_deadline(
    yard: Yard, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "DEADLINE", 0.1)
    looks, release = [], threading.Event()

    def hang() -> Any:
        looks.append(threading.get_ident())
        release.wait(60)
        return []

    monkeypatch.setattr(yard.stores, "ping", hang)
    monkeypatch.setattr(yard.stores.heartbeats, "all", hang)
    for _ in range(20):
        assert "has not answered" in problem(ask(yard, path), 503, "storage-unavailable")["detail"]
        assert ask(yard, "/livez").status_code == 200
    assert len(looks) == 1
    release.set()
