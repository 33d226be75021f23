"""Connections that are slow, too many, or that nobody reads, on real sockets."""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import StreamingResponse

from runyard.web import protocol, serving
from runyard.web.feed import Feed
from runyard.web.routes.health import Checks, router
from runyard.web.server import WebServer

HEAD = b"GET /thing HTTP/1.1\r\nHost: localhost\r\n"
Start = Callable[[], WebServer]


def app() -> FastAPI:
    made = FastAPI()
    made.state.feed = Feed(lambda _: lambda: None)
    made.state.checks = Checks()
    made.include_router(router)

    @made.get("/thing")
    def thing() -> str:
        return "here"

    @made.get("/endless")
    async def endless() -> StreamingResponse:
        async def pieces() -> Iterator[bytes]:  # type: ignore[misc]  # an asynchronous generator
            while True:
                yield b"x" * 65536
                await asyncio.sleep(0)

        return StreamingResponse(pieces())  # type: ignore[arg-type]

    return made


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[WebServer] = []

    def starting() -> WebServer:
        server = WebServer(app, "127.0.0.1", 0)
        started.append(server)
        server.start()
        assert server.wait_ready(30)
        return server

    yield starting
    for server in started:
        server.stop()


def connect(server: WebServer, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection((server.host, server.port), timeout=30)
    connection.sendall(sent)
    return connection


def rest(connection: socket.socket) -> bytes:
    """What still comes until the server hangs up."""
    received = b""
    with suppress(ConnectionResetError):  # a server that hangs up on unread bytes resets
        while piece := connection.recv(65536):
            received += piece
    return received


@pytest.mark.parametrize("sent", [b"", b"GET ", HEAD, HEAD + b"X-More: "])
def test_a_head_that_does_not_end_is_hung_up_on(start: Start, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(protocol, "_SECONDS", {protocol.h11.IDLE: 0.2})
    with connect(start(), sent) as connection:
        assert rest(connection) == b""


def test_a_second_head_has_its_deadline_too(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_SECONDS", {protocol.h11.IDLE: 0.2})
    with connect(start(), HEAD + b"\r\n") as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(HEAD)
        assert b"HTTP/1.1" not in rest(connection)


def test_bytes_that_trickle_do_not_move_the_deadline(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_SECONDS", {protocol.h11.IDLE: 0.3})
    ended = threading.Event()
    with connect(start(), HEAD) as connection:

        def trickle() -> None:
            try:
                while not ended.wait(0.05):
                    connection.sendall(b"X-More: 1\r\n")
            except OSError:
                return

        thread = threading.Thread(target=trickle)
        thread.start()
        assert rest(connection) == b""
        ended.set()
        thread.join(10)


def test_a_body_that_nobody_reads_has_a_deadline(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "_SECONDS", {protocol.h11.SEND_BODY: 0.2})
    with connect(start(), HEAD + b"Content-Length: 1000\r\n\r\nx") as connection:
        assert rest(connection).count(b"HTTP/1.1 200 ") == 1


def test_an_answer_that_nobody_reads_is_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "UNREAD_SECONDS", 0.2)
    closed = threading.Event()
    lost = protocol.BoundedProtocol.connection_lost

    def noting(self: protocol.BoundedProtocol, error: Exception | None) -> None:
        lost(self, error)
        closed.set()

    monkeypatch.setattr(protocol.BoundedProtocol, "connection_lost", noting)
    with connect(start(), HEAD.replace(b"/thing", b"/endless") + b"\r\n"):
        assert closed.wait(30)


def test_what_is_no_http_is_a_problem(start: Start) -> None:
    for sent in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", HEAD + b"X: " + b"x" * 70_000):
        with connect(start(), sent) as connection:
            head, _, body = rest(connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"application/problem+json" in head
        assert json.loads(body)["status"] == 400


def test_more_connections_than_there_is_room_for(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(serving, "RESERVED", 1)
    server = start()
    streams = HEAD.replace(b"/thing", b"/endless") + b"\r\n"
    with ExitStack() as open_ones:
        for _ in range(3):
            assert open_ones.enter_context(connect(server, streams)).recv(15) == b"HTTP/1.1 200 OK"
        refused = httpx.get(f"{server.url}/thing")
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:runyard:problem:too-many-connections")
        assert refused.headers["connection"] == "close"
        assert httpx.get(f"{server.url}/livez").status_code == 200
        assert open_ones.enter_context(connect(server, HEAD.replace(b"thing", b"livez") + b"\r\n")).recv(15)
        assert rest(open_ones.enter_context(connect(server, HEAD + b"\r\n"))) == b""
    assert wait_for_thing(server) == "here"


def wait_for_thing(server: WebServer) -> object:
    """What is answered once the server has noticed that the others have hung up."""
    while (answer := httpx.get(f"{server.url}/thing")).status_code == 503:
        pass
    return answer.json()


def test_two_hundred_pages_may_be_open(start: Start) -> None:
    server = start()
    with ExitStack() as pages:
        for _ in range(200):
            pages.enter_context(connect(server))
        assert httpx.get(f"{server.url}/thing").json() == "here"


def test_when_no_file_can_be_opened_the_log_has_one_line_and_the_next_connection_waits(
    start: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start()
    said = threading.Event()
    monkeypatch.setattr(serving.log, "filters", [lambda record: said.set() or True])
    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as waiting, caplog.at_level(logging.DEBUG):
        sockets = [socket.socket() for _ in range(20)]
        highest = max(each.fileno() for each in sockets)
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
        try:
            for each in sockets:
                waiting.enter_context(each)
                each.settimeout(60)
                each.connect((server.host, server.port))
                each.sendall(HEAD + b"\r\n")
            assert said.wait(30)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        for each in sockets:
            assert each.recv(15) == b"HTTP/1.1 200 OK"
    assert [record.levelname for record in caplog.records if record.name != "httpx"] == ["WARNING"]
    assert "ulimit -n" in caplog.text
    assert "Traceback" not in caplog.text
