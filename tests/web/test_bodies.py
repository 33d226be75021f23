"""Bodies that are too large, too deep, too slow or no JSON, over real connections."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from runyard.core.jsonable import DEEPEST
from runyard.web import bodies

from .yard import Yard, problem

JSON = {"content-type": "application/json"}
MIB = 1024 * 1024


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("megabytes", [5, 100])
def test_a_large_body_is_refused_whether_its_length_is_announced_or_not(yard: Yard, megabytes: int) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"job_name": "'
        for _ in range(megabytes):
            yield b"x" * MIB
        yield b'"}'

    announced = yard.client.post("/runs", content=b"".join(chunks()), headers=JSON)
    assert "4 MiB" in problem(announced, 413, "body-too-large")["detail"]
    problem(yard.client.post("/runs", content=chunks(), headers=JSON), 413, "body-too-large")
    assert yard.count() == 0


def test_a_sender_that_waits_for_a_word_is_told_before_it_sends(yard: Yard) -> None:
    head = "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with connected(yard) as connection:
        connection.sendall(f"{head}Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n".encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def connected(yard: Yard) -> socket.socket:
    url = yard.client.base_url
    return socket.create_connection((url.host, url.port or 80), timeout=30)


@pytest.mark.parametrize("depth", [DEEPEST + 1, 236, 900, 100_000])
@pytest.mark.parametrize("body", ["{}", '{{"job_name": "report", "run_config": {{"a": {}}}}}', '{{"x": {}}}'])
def test_a_body_that_is_nested_too_deeply_is_refused_by_every_address(yard: Yard, body: str, depth: int) -> None:
    content = body.format(nested(depth))
    for method, path in (("POST", "/runs"), ("POST", "/queue/simulate"), ("PUT", "/limits"), ("POST", "/queue/resume")):
        told = problem(yard.client.request(method, path, content=content, headers=JSON), 422, "invalid-request")
        assert "nested" in told["detail"]


def test_run_config_of_a_sensible_depth_is_kept(yard: Yard) -> None:
    config: dict[str, Any] = {}
    for _ in range(50):
        config = {"a": config}
    answer = yard.post("/runs", {"job_name": "report", "run_config": config})
    assert answer.json()["run_config"] == config


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ('{"job_name": "report", "location": "\\ud800"}', "location: "),
        ('{"job_name": "\\udfff"}', "job_name: "),
        ('{"job_name": "report", "tags": {"\\ud800": 1}}', "tags: "),
        ('{"job_name": "report", "x\\u0000": 1}', "body: "),
    ],
)
def test_text_that_is_no_unicode_is_refused_wherever_it_is(yard: Yard, content: str, place: str) -> None:
    told = problem(yard.client.post("/runs", content=content, headers=JSON), 422, "invalid-request")
    assert told["detail"].startswith(place)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": }', "Expecting value (character 6)"),
        (b"\xff\xfe{", "not valid JSON"),
        (b'{"priority": ' + b"9" * 6000 + b"}", "not valid JSON"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(yard: Yard, content: bytes, words: str) -> None:
    assert words in problem(yard.client.post("/runs", content=content, headers=JSON), 400, "malformed-json")["detail"]


def test_more_values_than_anyone_means_are_refused(yard: Yard) -> None:
    content = '{"job_name": "report", "run_config": {"a": [' + "[]," * 300_000 + "[]]}}"
    told = problem(yard.client.post("/runs", content=content, headers=JSON), 422, "invalid-request")
    assert "more than 250,000 values" in told["detail"]


def test_a_body_that_does_not_come_is_given_up_on(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "ARRIVE_SECONDS", 0.2)
    head = "POST /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with connected(yard) as connection:
        connection.sendall(f'{head}Content-Length: 50\r\n\r\n{{"job_'.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "urn:runyard:problem:request-timeout"


def test_echoes_of_what_was_sent_are_short(yard: Yard) -> None:
    long = "x" * MIB
    answers = [
        yard.post("/runs", {"job_name": long}),
        yard.post("/runs", {"job_name": "report", "location": long}),
        yard.post("/runs", {"job_name": "report", "tags": {long: "v"}}),
        yard.post("/runs", {"job_name": "report", "tags": {"dagster/priority": long}}),
        yard.post("/runs", {"job_name": "report", long: 1}),
        yard.post("/runs", {"job_name": "report", "run_config": {long: "\x00"}}),
        yard.post("/queue/pause", {"scope": "pool", "name": long}),
        yard.post("/queue/pause", {"reason": long}),
        yard.post("/queue/pause", {"until": long}),
        yard.post("/queue/steer", {"action": "hold", "filter": {"all": True}, "reason": long}),
        yard.post("/queue/steer", {"action": "hold", "filter": {"job": long}}),
        yard.post("/runs/cancel", {"run_ids": [long]}),
        yard.client.put("/limits", json={"kind": "pool", "name": long, "limit": 1}),
        yard.client.put("/limits", json={"kind": "tag", "name": long, "limit": 1}),
        yard.client.put("/limits", json={"kind": long, "limit": 1}),
        yard.client.put("/limits", json={"kind": "pool", "name": "x", "limit": long}),
        yard.client.get("/runs", headers={"Host": "h" * 3000}),
        yard.client.post("/runs", json={}, headers={"Origin": "http://" + "h" * 3000}),
        yard.client.get("/runs", params={"tag": "t" * 20_000}),
        yard.client.get("/jobs/yard.py/" + "j" * 20_000),
        yard.client.get("/" + "j" * 20_000),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500, answer.text[:500]
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.content) < 2000, answer.text[:500]
    assert yard.count() == 0


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "[", "http://]:3000"])
def test_an_origin_that_is_no_address_is_foreign(yard: Yard, origin: str) -> None:
    problem(yard.client.post("/runs", json={"job_name": "report"}, headers={"Origin": origin}), 403, "foreign-origin")


@pytest.mark.parametrize("span", ["99999999999d", "9" * 400 + "d", "1e5d", "36501d", "9999999999999999w ago"])
def test_a_time_beyond_all_calendars_is_refused(yard: Yard, span: str) -> None:
    for body in ({"from": span}, {"from": "1h", "to": span}):
        problem(yard.post("/queue/simulate", body), 422, "invalid-time")
    problem(yard.post("/queue/pause", {"until": span}), 422, "invalid-time")


@pytest.mark.parametrize("last", ["9" * 6000, "x.y", "", "-1", "٣", "1" * 18])
def test_an_id_of_no_event_is_answered_with_everything_may_have_moved(yard: Yard, last: str) -> None:
    boot = yard.app.state.feed._boot
    for event_id in (last, f"{boot}.{last}"):
        headers = {"Last-Event-ID": event_id.encode()}
        with yard.client.stream("GET", "/events", headers=headers) as answer:
            assert answer.status_code == 200
            assert next(line for line in answer.iter_lines() if line.startswith("event: "))
