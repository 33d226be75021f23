"""Every address that the API describes, asked nonsense: a refusal that says why, never a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from runyard.storage.protocols import Stores

from .yard import Yard

NAMES = ["x", "ünï çødé ✓", "a" * 3000, "%", "'; drop table runs; --", "a\nb", "-1", "*"]
BODIES: list[Any] = [{}, [], None, "x", 7, {"priority": "x"}, {"job_name": None}, {"reason": 5}, {"run_config": []}]
#: Streams: they go on for as long as somebody listens, or the run has not ended.
ENDLESS = {"/api/v1/events", "/api/v1/runs/{run_id}/output/live"}
WRITES = {"post", "put", "patch", "delete"}


@pytest.fixture
def yard(make_yard: Callable[[Stores], Yard], stores: Stores) -> Yard:
    return make_yard(stores)


def operations(yard: Yard) -> list[tuple[str, str]]:
    described = yard.get("/openapi.json")["paths"]
    return [(method, path) for path, methods in described.items() for method in methods if path not in ENDLESS]


def filled(path: str, name: str) -> str:
    parts = [quote(name, safe="") if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


@pytest.mark.parametrize("name", NAMES)
def test_strange_names_in_addresses(yard: Yard, name: str) -> None:
    for method, path in operations(yard):
        if "{" in path:
            body = {"json": {"priority": 1} if path.endswith("priority") else {}} if method in WRITES else {}
            answer = yard.client.request(method, yard.client.base_url.join(filled(path, name)), **body)
            assert answer.status_code in (400, 404, 405, 422), (method, path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"


def test_strange_bodies(yard: Yard) -> None:
    run_id = yard.add()
    for method, path in operations(yard):
        if method not in WRITES:
            continue
        url = yard.client.base_url.join(path.format(run_id=run_id, location="yard.py", job="report", name="daily"))
        for body in BODIES:
            answer = yard.client.request(method, url, json=body)
            assert answer.status_code < 500, (method, path, body, answer.text)


@pytest.mark.parametrize("field", ["priority", "limit", "after", "seed", "from", "reason", "name", "until", "tags"])
def test_half_a_surrogate_pair(yard: Yard, field: str) -> None:
    run_id, headers = yard.add(), {"content-type": "application/json"}
    body = f'{{"action": "hold", "kind": "pool", "filter": {{"all": true}}, "runs": [], "{field}": "\\ud800"}}'
    for method, path in operations(yard):
        if method in WRITES:
            url = yard.client.base_url.join(path.format(run_id=run_id, location="yard.py", job="report", name="daily"))
            answer = yard.client.request(method, url, content=body, headers=headers)
            assert answer.status_code < 500, (method, path, answer.text)


def test_strange_queries(yard: Yard) -> None:
    run_id = yard.add()
    for method, path in operations(yard):
        if method in WRITES:
            continue
        url = yard.client.base_url.join(path.format(run_id=run_id, location="yard.py", job="report", name="daily"))
        for value in (
            "",
            "-1",
            "x",
            "é" * 100,
            "9" * 30,
            "1.1e9",
            "a=b",
            "=",
            f"{2**70}.{2**70}",
            "0.99999999999999999999",
        ):
            names = ("limit", "after", "status", "tag", "offset", "job", "step_key")
            for query in ({name: value} for name in names):
                answer = yard.client.get(url, params=query)
                assert answer.status_code < 500, (path, query, answer.text)
