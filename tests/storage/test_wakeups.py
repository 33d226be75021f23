"""Hints reach callbacks of this process, other processes on the machine and, over PostgreSQL, other machines."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from runyard.core.clock import ManualClock
from runyard.core.errors import ConfigError
from runyard.settings.instance import PostgresSettings
from runyard.storage.open import SqlStores, open_stores
from runyard.storage.wake_sockets import SocketHints
from runyard.storage.wakeups import LocalAndRemoteWakeups


class Ear:
    """Collects topics and lets a test wait for one."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, topic: str) -> None:
        with self._changed:
            self.heard.append(topic)
            self._changed.notify_all()

    def wait_for(self, topic: str, seconds: float = 20.0) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: topic in self.heard, seconds)


@pytest.fixture
def sockets(runtime_dir: str) -> Iterator[list[LocalAndRemoteWakeups]]:
    """Wakeups of three processes, as far as sockets can tell."""
    made = [LocalAndRemoteWakeups(SocketHints(runtime_dir)) for _ in range(3)]
    yield made
    for wakeups in made:
        wakeups.close()


def test_callbacks_are_called_at_once_until_they_are_ended(sqlite_stores: SqlStores) -> None:
    first, second = Ear(), Ear()
    end = sqlite_stores.wakeups.listen(first)
    sqlite_stores.wakeups.listen(second)
    sqlite_stores.wakeups.poke("queue")
    end()
    end()
    sqlite_stores.wakeups.poke("runs")
    assert (first.heard, second.heard) == (["queue"], ["queue", "runs"])


def test_a_failing_listener_harms_nobody(sqlite_stores: SqlStores, caplog: pytest.LogCaptureFixture) -> None:
    def fail(topic: str) -> None:
        raise ValueError(topic)

    ear = Ear()
    sqlite_stores.wakeups.listen(fail)
    sqlite_stores.wakeups.listen(ear)
    with caplog.at_level(logging.CRITICAL, logger="runyard.storage"):
        sqlite_stores.wakeups.poke("queue")
    assert ear.heard == ["queue"]


def test_other_listeners_of_the_machine_hear_it(sockets: list[LocalAndRemoteWakeups]) -> None:
    ears = [Ear(), Ear()]
    for wakeups, ear in zip(sockets, ears, strict=False):
        wakeups.listen(ear)
    sockets[2].poke("queue")
    assert all(ear.wait_for("queue") for ear in ears)
    sockets[0].poke("runs")
    assert all(ear.wait_for("runs") for ear in ears)
    assert ears[0].heard == ["queue", "runs"]


def test_another_process_pokes(sockets: list[LocalAndRemoteWakeups], runtime_dir: str) -> None:
    ear = Ear()
    sockets[0].listen(ear)
    code = f"from runyard.storage.wake_sockets import SocketHints; SocketHints({runtime_dir!r}).send('locations')"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert ear.wait_for("locations")


def test_what_a_dead_process_left_is_removed(sockets: list[LocalAndRemoteWakeups], runtime_dir: str) -> None:
    code = (
        f"import os\nfrom runyard.storage.wake_sockets import SocketHints\nhints = SocketHints({runtime_dir!r})\n"
        "hints.receive(print)\nos._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert len(list(Path(runtime_dir).glob("wake-*.sock"))) == 1
    sockets[0].poke("queue")
    assert list(Path(runtime_dir).glob("wake-*.sock")) == []
    Path(runtime_dir).rename(f"{runtime_dir}-moved")
    sockets[0].poke("queue")
    Path(f"{runtime_dir}-moved").rename(runtime_dir)


def test_a_listener_that_does_not_read_holds_nobody_up(sockets: list[LocalAndRemoteWakeups]) -> None:
    stuck, ear = threading.Event(), Ear()
    sockets[0].listen(lambda _: stuck.wait(30) and None)
    sockets[1].listen(ear)
    for number in range(2000):
        sockets[2].poke(f"topic {number % 10}")
    assert ear.wait_for("topic 9")
    stuck.set()


def test_the_socket_goes_when_its_process_does(runtime_dir: str) -> None:
    wakeups = LocalAndRemoteWakeups(SocketHints(runtime_dir))
    wakeups.listen(Ear())
    assert len(list(Path(runtime_dir).iterdir())) == 1
    wakeups.close()
    wakeups.close()
    assert not Path(runtime_dir).exists()


def test_a_directory_too_deep_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too long for sockets"):
        SocketHints(str(tmp_path / ("x" * 100)))


@pytest.fixture
def two_machines(
    postgres_settings: PostgresSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[SqlStores]]:
    """Storage opened twice, with no directory in common."""
    opened = [
        open_stores(postgres_settings, ManualClock(), runtime_dir=str(tmp_path_factory.mktemp("m"))) for _ in range(2)
    ]
    yield opened
    for stores in opened:
        stores.close()


def _poke_until_heard(poker: SqlStores, ear: Ear) -> bool:
    """Listening begins in the background: poke until it does."""
    for number in range(300):
        poker.wakeups.poke(f"try {number}")
        if ear.wait_for(f"try {number}", 0.1):
            return True
    return False


def test_notify_reaches_other_machines(two_machines: list[SqlStores]) -> None:
    here, there = two_machines
    ear, own = Ear(), Ear()
    there.wakeups.listen(ear)
    here.wakeups.listen(own)
    assert _poke_until_heard(here, ear)
    assert len(own.heard) == len(set(own.heard))


def test_listening_is_taken_up_again(
    two_machines: list[SqlStores], postgres_settings: PostgresSettings, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = two_machines
    ear = Ear()
    there.wakeups.listen(ear)
    assert _poke_until_heard(here, ear)
    with psycopg.connect(postgres_settings.url, autocommit=True) as admin, caplog.at_level("CRITICAL"):
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'runyard' AND (query LIKE 'LISTEN%' OR query LIKE '%pg_notify%')"
        )
        ear.heard.clear()
        assert _poke_until_heard(here, ear)
