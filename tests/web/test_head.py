"""Every address that answers GET answers HEAD: the same status and headers, no body, and no end to wait for."""

from __future__ import annotations

from .yard import Yard, problem


def test_head_is_get_without_the_body(yard: Yard) -> None:
    run_id = yard.add()
    paths = {"run_id": run_id, "location": "yard.py", "job": "report", "name": "daily"}
    described = yard.get("/openapi.json")["paths"]
    asked = [path.format(**paths) for path, methods in described.items() if "get" in methods]
    assert len(asked) > 20
    for path in [*asked, "/livez", "/readyz", "/healthz", "/", "/runs/x"]:
        url = yard.client.base_url.join(path)
        head = yard.client.head(url)
        with yard.client.stream("GET", url) as get:
            assert (head.status_code, head.headers["content-type"]) == (get.status_code, get.headers["content-type"])
        assert head.content == b""


def test_head_of_what_takes_only_writes_is_refused(yard: Yard) -> None:
    answer = yard.client.head("/queue/steer")
    assert answer.status_code == yard.client.get("/queue/steer").status_code
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_connection_is_of_use_after_head(yard: Yard) -> None:
    for _ in range(3):
        assert yard.client.head("/events").status_code == 200
        assert yard.get("/runs") == []
    problem(yard.client.post("/runs", json={"job_name": "x"}), 404, "not-found")
