"""Random requests to every address that the API describes: a body, query, path or header that nobody means is refused
with a problem that says why, and never a fault of ours."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .test_nonsense import ENDLESS, WRITES
from .yard import Yard

SETTINGS = settings(
    max_examples=int(os.environ.get("RUNYARD_FUZZ", "8")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
#: What parsers, databases and clocks stumble over.
AWKWARD = st.sampled_from(
    ["", " ", "\0", "\ud800", "é", "٣", "%", "a=b", "=", "*", "-1", "1e999", "NaN", "9" * 30, "9" * 5000, "x" * 9000]
) | st.sampled_from(
    ["99999999999d", "0001-01-01", "9999-12-31T23:59:59Z", "24:00", "now", "-2h", "../..", "'", '"', "\n", "{}"]
)
TEXTS = AWKWARD | st.text(st.characters(), max_size=20)
NUMBERS = st.integers() | st.floats() | st.sampled_from([0, -1, 2**31, 2**63, -(2**63), 10**400])
KNOWN = st.sampled_from(["report", "yard.py", "team=docs", "docs", "daily", "queue", "pool", "tag", "runs", "2h"])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | KNOWN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | KNOWN, inner, max_size=4),
    max_leaves=12,
)
HEADER_NAMES = [
    "origin",
    "last-event-id",
    "idempotency-key",
    "content-type",
    "accept",
    "range",
    "if-none-match",
    "if-modified-since",
    "expect",
    "x-forwarded-for",
    "sec-fetch-site",
    "upgrade",
    "connection",
    "content-encoding",
]
HEADERS = st.dictionaries(
    st.sampled_from(HEADER_NAMES),
    st.sampled_from(["", "http://[", "9" * 6000, "bytes=0-99999999999999999999", "a,b;q=x", "multipart/form-data"])
    | st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20),
    max_size=2,
)


@pytest.fixture(scope="module")
def described(served: tuple[Any, str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of each operation; with bodies resolved to their fields."""
    document = httpx.get(f"{served[1]}/api/v1/openapi.json").json()
    operations = [
        (method, path, _fields(document, operation))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path not in ENDLESS
    ]
    health = [("get", path, {}) for path in ("/livez", "/readyz", "/healthz", "/", "/runs/x", "/assets/x.js")]
    return operations + health


def _fields(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
    reference = json.dumps(operation.get("requestBody", {})).partition("#/components/schemas/")[2].partition('"')[0]
    body = document["components"]["schemas"].get(reference, {}).get("properties", {})
    return {"query": names, "body": list(body)}


#: What makes a request right but for the field that is tried.
RIGHT: dict[str, dict[str, Any]] = {
    "/api/v1/runs": {"job_name": "report"},
    "/api/v1/runs/cancel": {"job": "none"},
    "/api/v1/queue/steer": {"action": "hold", "filter": {"job": "none"}},
    "/api/v1/limits": {"kind": "pool", "name": "db", "limit": 1},
}


def requests(
    described: list[tuple[str, str, dict[str, Any]]], run_id: str, value: Any, text: str
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation, with ``value`` as its body and in each of its fields, and ``text`` in each query and address."""
    known = {"run_id": run_id, "location": "yard.py", "job": "report", "name": "daily"}
    sent = quote(_encodable(text), safe="")
    for method, path, fields in described:
        right = RIGHT.get(path, {})
        address = path.format(**known)
        if method in WRITES:
            bodies = [value, *({**right, field: value} for field in fields.get("body", []))]
            yield from ((method, address, {"content": json.dumps(body)}) for body in bodies)
        elif "{" in path:
            yield method, path.format(**dict.fromkeys(known, sent)), {}
        for name in fields.get("query", []):
            yield method, address, {"params": {name: _encodable(text)}, "content": "{}" if method in WRITES else None}


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@given(value=VALUES, text=TEXTS | KNOWN, headers=HEADERS)
@example(value="\ud800", text="\ud800", headers={"origin": "http://["})
@example(value="99999999999d", text="9" * 5000, headers={"last-event-id": "9" * 6000})
@SETTINGS
def test_no_request_is_a_fault(
    value: Any,
    text: str,
    headers: dict[str, str],
    yard: Yard,
    described: list[tuple[str, str, dict[str, Any]]],
    run_id: str,
) -> None:
    sent = {b"content-type": b"application/json"}
    sent |= {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    for number, (method, path, rest) in enumerate(requests(described, run_id, value, text)):
        # The headers with some: most of them are refused before anything else is looked at.
        with_headers = sent if number % 5 == 0 else {b"content-type": b"application/json"}
        _ask(yard, method, path, headers=with_headers, **rest)


def _ask(yard: Yard, method: str, path: str, **rest: Any) -> None:
    try:
        answer = yard.client.request(method, yard.client.base_url.join(path), **rest)
    except httpx.LocalProtocolError:
        return  # the client itself refuses to send it
    if path == "/healthz":
        return
    assert answer.status_code < 500, (method, path, rest, answer.text[:500])
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", (method, path, rest)
        assert len(answer.content) < 20_000, (method, path, rest)


@pytest.fixture
def run_id(yard: Yard) -> str:
    return yard.add(team="docs")
