"""The server on its thread: real sockets, real requests."""

from __future__ import annotations

import socket
import subprocess
import sys

import httpx
import pytest
from fastapi import FastAPI
from sse_starlette import EventSourceResponse

from runyard.web.feed import Feed
from runyard.web.server import CannotListen, OpenToOthers, PortInUse, WebServer


def app() -> FastAPI:
    made = FastAPI()
    made.state.feed = Feed(lambda _: lambda: None)

    @made.get("/")
    def root() -> str:
        return "here"

    @made.get("/stream")
    async def stream() -> EventSourceResponse:
        return EventSourceResponse({"data": notice.topic} async for notice in made.state.feed.notices(None))

    return made


def test_a_free_port_is_picked_told_and_answers_at_once() -> None:
    server = WebServer(app, "127.0.0.1", 0)
    server.start()
    assert server.port > 0
    assert httpx.get(server.url).json() == "here"
    server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=rf"^Port {port} of 127\.0\.0\.1 is in use; .*-p 0") as caught:
            WebServer(app, "127.0.0.1", port).start()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("host", "port"), [("no-such-host.invalid", 0), ("203.0.113.1", 0), ("127.0.0.1", 70000)])
def test_an_address_that_is_not_ours_is_one_sentence(host: str, port: int) -> None:
    with pytest.raises(CannotListen, match=f"^Cannot listen on {host} port {port}: "):
        WebServer(app, host, port, insecure_no_auth=True).start()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "203.0.113.1", "::ffff:0.0.0.0"])  # noqa: S104  refused
def test_an_address_that_others_reach_is_refused_and_the_sentence_says_what_to_write(host: str) -> None:
    with pytest.raises(OpenToOthers, match=r"127\.0\.0\.1 .*--insecure-no-auth") as caught:
        WebServer(app, host, 0).start()
    assert f"'{host}'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_counts_as_the_address_that_it_means(monkeypatch: pytest.MonkeyPatch) -> None:
    outside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: outside)
    with pytest.raises(OpenToOthers, match=r"^'localhost' \(203\.0\.113\.1\) is no loopback address"):
        WebServer(app, "localhost", 0).start()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3"])
def test_loopback_is_open_to_this_machine_alone(host: str) -> None:
    server = WebServer(app, host, 0)
    server.start()
    assert server.urls == [f"http://{host}:{server.port}"]
    assert not server.open_to_others
    server.stop()


def test_every_interface_is_told_by_the_addresses_that_it_means() -> None:
    server = WebServer(app, "0.0.0.0", 0, insecure_no_auth=True)  # noqa: S104  what this is about
    server.start()
    assert server.open_to_others
    assert server.url == f"http://127.0.0.1:{server.port}"
    for url in server.urls:
        assert httpx.get(url).json() == "here"
    server.stop()


def test_stopping_does_not_wait_for_open_event_streams() -> None:
    server = WebServer(app, "127.0.0.1", 0)
    server.start()
    with httpx.Client().stream("GET", f"{server.url}/stream") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "data: hello"
        server.stop()
        assert "".join(lines) == ""
    assert not server._thread.is_alive()


def test_what_keeps_the_app_from_starting_is_raised_to_the_one_who_waits() -> None:
    def broken() -> FastAPI:
        raise RuntimeError("no app today")

    server = WebServer(broken, "127.0.0.1", 0)
    server.start()
    with pytest.raises(RuntimeError, match="no app today"):
        server.wait_ready(10)
    server.stop()


def test_a_server_may_be_stopped_while_it_starts() -> None:
    server = WebServer(app, "127.0.0.1", 0)
    server.start()
    server.stop()
    assert not server._thread.is_alive()


def test_ipv6_addresses_are_written_as_urls_want_them() -> None:
    server = WebServer(app, "::1", 0)
    try:
        server.start()
    except CannotListen:
        pytest.skip("this machine has no IPv6")
    assert httpx.get(server.url).json() == "here"
    server.stop()


def test_whoever_starts_a_server_need_not_load_the_web_libraries_first() -> None:
    look = "import sys, runyard.web.server; print(*{'fastapi', 'starlette', 'uvicorn', 'pydantic'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout == "\n"
