"""Other web pages are kept out, whatever they send."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from runyard.web import problems
from runyard.web.feed import Feed
from runyard.web.security import HostPolicy, SecurityMiddleware
from runyard.web.server import WebServer


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    app = FastAPI()
    app.state.feed = Feed(lambda _: lambda: None)
    problems.install(app)
    app.add_middleware(SecurityMiddleware, allowed_hosts=("yard.example.org",))

    @app.get("/thing")
    def read() -> dict[str, str]:
        return {"done": "read"}

    @app.post("/thing")
    def write() -> dict[str, str]:
        return {"done": "write"}

    server = WebServer(lambda: app, "127.0.0.1", 0)
    server.start()
    # The real server listens elsewhere: what counts is the Host that a browser would send.
    with httpx.Client(base_url=server.url, headers={"Host": "localhost:3000"}) as client:
        yield client
    server.stop()


@pytest.mark.parametrize("host", ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "yard.example.org", "LOCALHOST"])
def test_own_hosts_are_answered(client: httpx.Client, host: str) -> None:
    assert client.get("/thing", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:3000", "10.0.0.7", "", "[::1", "a@localhost@b"],
)
def test_foreign_hosts_are_refused_even_for_reads(client: httpx.Client, host: str) -> None:
    answer = client.get("/thing", headers={"Host": host})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:runyard:problem:foreign-host"


def test_a_server_on_every_interface_takes_addresses_but_no_foreign_names() -> None:
    policy = HostPolicy(["0.0.0.0"])  # noqa: S104  nothing is bound here
    assert policy.allows("192.168.1.20:3000")
    assert policy.allows("[fe80::1]:3000")
    assert not policy.allows("rebound.evil.example:3000")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "http://localhost:8888"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_writes_of_other_pages_are_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    answer = client.post("/thing", json={}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:runyard:problem:foreign-origin"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://LOCALHOST:3000", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_own_pages_and_commands_may_write(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.post("/thing", json={}, headers=headers).json() == {"done": "write"}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", ""],
)
def test_writes_that_a_form_could_send_are_refused(client: httpx.Client, content_type: str) -> None:
    answer = client.post("/thing", content=b"{}", headers={"Content-Type": content_type})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


def test_json_with_a_charset_is_json(client: httpx.Client) -> None:
    assert client.post("/thing", content=b"{}", headers={"Content-Type": "application/json; charset=utf-8"}).is_success


def test_no_page_may_frame_us_and_answers_keep_their_type(client: httpx.Client) -> None:
    for answer in (client.get("/thing"), client.get("/thing", headers={"Host": "evil.example"}), client.get("/none")):
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("address", ["/thing%00", "/thing?after=%00"])
def test_the_character_nul_never_reaches_storage(client: httpx.Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 400
    assert "NUL" in answer.json()["detail"]
