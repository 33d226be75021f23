"""What runs print, over HTTP: pages, the live stream, whole files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runyard.core.clock import ManualClock
from runyard.settings.instance import InstanceSettings
from runyard.storage.protocols import Stores
from runyard.web.app import create_app
from runyard.web.server import WebServer
from storage.printed import Printer

from .test_events_stream import read
from .yard import Instance, Yard, problem


@pytest.fixture
def run_id(yard: Yard) -> str:
    return yard.add()


@pytest.fixture
def printer(yard: Yard, run_id: str) -> Printer:
    return Printer(Path(yard.instance.settings.compute_logs_dir), run_id)


def texts(page: Any) -> list[str]:
    return [line["text"] for line in page["lines"]]


def test_lines_of_steps_and_streams_in_order_of_time(yard: Yard, run_id: str, printer: Printer) -> None:
    printer.say("begin\n", at=1)
    printer.say("oops\n", stream="err", step="load", at=2.5)
    page = yard.get(f"/runs/{run_id}/output")
    assert page["lines"] == [
        {"number": 1, "at": "1970-01-01T00:00:01.000000+00:00", "stream": "out", "step_key": None, "text": "begin"},
        {"number": 1, "at": "1970-01-01T00:00:02.500000+00:00", "stream": "err", "step_key": "load", "text": "oops"},
    ]
    assert (page["size"], page["more"], page["earlier"]) == (11, False, False)
    assert texts(yard.get(f"/runs/{run_id}/output", stream="out")) == ["begin"]
    assert texts(yard.get(f"/runs/{run_id}/output", step_key="load")) == ["oops"]
    refused = yard.client.get(f"/runs/{run_id}/output", params={"step_key": "loda"})
    assert problem(refused, 404, "not-found")["detail"] == "No step named 'loda'. Did you mean 'load'?"


def test_what_follows_a_place_and_the_last_lines(yard: Yard, run_id: str, printer: Printer) -> None:
    empty = yard.get(f"/runs/{run_id}/output")
    assert empty["lines"] == []
    printer.say("".join(f"{number}\n" for number in range(2000)))
    last = yard.get(f"/runs/{run_id}/output")
    assert texts(last) == [str(number) for number in range(1000, 2000)]
    assert last["earlier"]
    assert texts(yard.get(f"/runs/{run_id}/output", tail=2)) == ["1998", "1999"]
    assert len(yard.get(f"/runs/{run_id}/output", after=empty["next"])["lines"]) == 2000
    printer.say("new\nunfinished")
    more = yard.get(f"/runs/{run_id}/output", after=last["next"])
    assert texts(more) == ["new"]
    yard.post(f"/runs/{run_id}/cancel")
    assert texts(yard.get(f"/runs/{run_id}/output", after=more["next"])) == ["unfinished"]


def test_nonsense_is_refused(yard: Yard, run_id: str) -> None:
    problem(yard.client.get(f"/runs/{run_id}/output?after=soon"), 400, "bad-request")
    problem(yard.client.get(f"/runs/{run_id}/output/live?after=soon"), 400, "bad-request")
    place = yard.get(f"/runs/{run_id}/output")["next"]
    problem(yard.client.get(f"/runs/{run_id}/output?after={place}&tail=3"), 400, "bad-request")
    for query in ("stream=in", "tail=0", "tail=x"):
        problem(yard.client.get(f"/runs/{run_id}/output?{query}"), 422, "invalid-request")
    for path in ("output", "output/live", "output/file?stream=out"):
        problem(yard.client.get(f"/runs/nosuchrun/{path}"), 404, "not-found")
    problem(yard.client.get(f"/runs/{run_id}/output/file"), 422, "invalid-request")


def test_a_whole_file_is_text_as_it_is(yard: Yard, run_id: str, printer: Printer) -> None:
    assert yard.client.get(f"/runs/{run_id}/output/file?stream=out").text == ""
    printer.say(b"x" * 300_000 + b"\0\xff\r\n", step="load")
    answer = yard.client.get(f"/runs/{run_id}/output/file?stream=out&step_key=load")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == b"x" * 300_000 + b"\0\xff\r\n"
    told = problem(yard.client.get(f"/runs/{run_id}/output/file?stream=out&step_key=laod"), 404, "not-found")
    assert "Did you mean 'load'?" in told["detail"]


@pytest.fixture
def server(sqlite_stores: Stores, settings: InstanceSettings, clock: ManualClock) -> Iterator[WebServer]:
    server = WebServer(lambda: create_app(Instance(sqlite_stores, settings, clock), None), "127.0.0.1", 0)
    server.start()
    assert server.wait_ready(30)
    yield server
    server.stop()


def test_lines_come_as_they_are_printed_until_the_run_ends(
    yard: Yard, run_id: str, printer: Printer, server: WebServer
) -> None:
    address = f"{server.url}/api/v1/runs/{run_id}/output/live"
    with httpx.Client(timeout=20) as client:
        with client.stream("GET", address) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            printer.say("one\npart")
            first = read(lines)
            assert (first["event"], texts(json.loads(first["data"]))) == ("lines", ["one"])
            printer.say("ial\n", step=None)
            printer.say("other\n", step="load", at=9)
            second = read(lines)
        # A browser whose connection broke goes on where it was.
        with client.stream("GET", address, headers={"Last-Event-ID": first["id"]}) as answer:
            assert texts(json.loads(read(answer.iter_lines())["data"]))[0] == "partial"
        with client.stream("GET", address, params={"after": json.loads(second["data"])["next"]}) as answer:
            lines = answer.iter_lines()
            printer.say("last")
            yard.post(f"/runs/{run_id}/cancel")
            seen = []
            while (event := read(lines))["event"] == "lines":
                seen += texts(json.loads(event["data"]))
            assert seen[-1] == "last"
            assert event["event"] == "end"
            assert list(lines)[-1:] in ([], [""])


def test_messages_are_bounded_and_complete(yard: Yard, run_id: str, printer: Printer, server: WebServer) -> None:
    start = yard.get(f"/runs/{run_id}/output")["next"]
    printer.say("".join(f'{number} {"y" * 90} \x1b[0m\x01"\n' for number in range(20_000)))
    yard.post(f"/runs/{run_id}/cancel")
    seen: list[str] = []
    with httpx.stream("GET", f"{server.url}/api/v1/runs/{run_id}/output/live?after={start}", timeout=20) as answer:
        lines = answer.iter_lines()
        while (event := read(lines))["event"] == "lines":
            assert len(event["data"].encode()) < 256 * 1024
            seen += texts(json.loads(event["data"]))
    assert [int(text.split()[0]) for text in seen] == list(range(20_000))


def test_a_server_that_stops_does_not_wait_for_who_watches(run_id: str, printer: Printer, server: WebServer) -> None:
    printer.say("one\n")
    with httpx.stream("GET", f"{server.url}/api/v1/runs/{run_id}/output/live", timeout=20) as answer:
        lines = answer.iter_lines()
        assert read(lines)["event"] == "lines"
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert read(lines) == {}
        stopping.join(20)
        assert not stopping.is_alive()
