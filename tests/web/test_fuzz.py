"""Random requests to every address that the API describes: a body, query, path or header that nobody means is refused
with a problem that says why, and never a fault of ours."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .test_nonsense import ENDLESS, WRITES
from .yard import Yard

SETTINGS = settings(
    max_examples=int(os.environ.get("RUNYARD_FUZZ", "200")),
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


def _request(data: st.DataObject, run_id: str, path: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A request that is right in most places, so that it comes to where it is wrong."""
    known = {"run_id": run_id, "location": "yard.py", "job": "report", "name": "daily"}
    parts = [
        quote(data.draw(st.just(known[part[1:-1]]) | TEXTS).encode("utf-8", "replace"), safe="")
        if part.startswith("{")
        else part
        for part in path.split("/")
    ]
    names = st.sampled_from([*fields.get("query", []), "after", "x"])
    queries = data.draw(st.lists(st.tuples(names, (TEXTS | KNOWN).map(_encodable)), max_size=3))
    own = st.dictionaries(st.sampled_from(fields["body"]), VALUES, max_size=4) if fields.get("body") else VALUES
    return {"url": "/".join(parts), "params": queries, "body": data.draw(own | VALUES), "headers": data.draw(HEADERS)}


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@given(data=st.data())
@SETTINGS
def test_no_request_is_a_fault(
    data: st.DataObject, yard: Yard, described: list[tuple[str, str, dict[str, Any]]], run_id: str
) -> None:
    method, path, fields = data.draw(st.sampled_from(described))
    made = _request(data, run_id, path, fields)
    headers = {name.encode(): value.encode("latin-1") for name, value in made["headers"].items()}
    content = json.dumps(made["body"]) if method in WRITES else None
    if method in WRITES:
        headers = {b"content-type": b"application/json", **headers}
    url = yard.client.base_url.join(made["url"] or "/")
    try:
        answer = yard.client.request(method, url, params=made["params"], content=content, headers=headers)
    except httpx.LocalProtocolError:
        return  # the client itself refuses to send it
    if answer.status_code == 503 and path == "/healthz":
        return
    assert answer.status_code < 500, (method, made, answer.text[:500])
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", (method, made)
        assert len(answer.content) < 20_000, (method, made)


@pytest.fixture
def run_id(yard: Yard) -> str:
    return yard.add(team="docs")
