"""The event stream over a real connection, fed by real storage."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runyard.core.clock import ManualClock
from runyard.settings.instance import InstanceSettings
from runyard.storage.protocols import Stores
from runyard.web.app import create_app
from runyard.web.server import WebServer

from .yard import Instance


@pytest.fixture
def url(sqlite_stores: Stores, settings: InstanceSettings, clock: ManualClock) -> Iterator[str]:
    server = WebServer(lambda: create_app(Instance(sqlite_stores, settings, clock), None), "127.0.0.1", 0)
    server.start()
    assert server.wait_ready(30)
    yield f"{server.url}/api/v1/events"
    server.stop()


def read(lines: Iterator[str]) -> dict[str, str]:
    """The next event, comments left out."""
    event: dict[str, str] = {}
    for line in lines:
        if not line and event:
            return event
        name, colon, value = line.partition(": ")
        if name and colon:
            event[name] = value
    return event


def test_a_hint_of_storage_becomes_an_event_of_that_name(url: str, sqlite_stores: Stores) -> None:
    with httpx.Client(timeout=20).stream("GET", url) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.iter_lines()
        hello = read(lines)
        assert hello["event"] == "hello"
        sqlite_stores.wakeups.poke("queue")
        moved = read(lines)
        assert (moved["event"], moved["data"]) == ("queue", '{"topic":"queue"}')
        assert moved["id"] != hello["id"]


def test_a_browser_that_comes_back_hears_what_it_missed(url: str, sqlite_stores: Stores) -> None:
    with httpx.Client(timeout=20) as client:
        with client.stream("GET", url) as answer:
            lines = answer.iter_lines()
            hello = read(lines)
            sqlite_stores.wakeups.poke("locations")
            missed = read(lines)
        with client.stream("GET", url, headers={"Last-Event-ID": hello["id"]}) as answer:
            lines = answer.iter_lines()
            assert read(lines)["event"] == "hello"
            assert read(lines) == missed
        with client.stream("GET", url, headers={"Last-Event-ID": "of-another-server.5"}) as answer:
            assert read(answer.iter_lines())["event"] == "reset"
